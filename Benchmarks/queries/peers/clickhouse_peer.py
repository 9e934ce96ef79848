# ClickHouse in process (chdb): MergeTree in order of creation, projections for other orders and kept sums.

import os
import shutil

from common import COLUMNS
from sql_peer import SQLPeer, quoted

ORDERS = {
    "by_balance": "balance, seq", "by_ledger_balance": "ledger_id, balance, seq",
    "by_currency_balance": "currency, balance, seq", "by_currency": "currency, seq",
    "by_ledger": "ledger_id, created_at, seq", "by_identity": "identity_id, seq", "by_id": "balance_id",
    "by_debit": "debit_balance, seq", "by_credit": "credit_balance, seq",
}
SUMS = "count(), sum(balance), sum(credit_balance), sum(debit_balance), min(balance), max(balance)"
WHOLE = {"balance": 5, "credit_balance": 6, "debit_balance": 7, "inflight_balance": 8,
         "currency_multiplier": 9, "version": 10}


class ClickHousePeer(SQLPeer):
    name = "clickhouse"

    def __init__(self, directory):
        super().__init__(directory)
        import chdb
        from chdb import session
        self.session_type = session.Session
        self.store = self.path("clickhouse")
        self.done = self.path("clickhouse/loaded")
        self.version = chdb.__version__

    def load(self):
        shutil.rmtree(self.store, ignore_errors=True)
        os.makedirs(self.store)
        self.connect()
        run = self.session.query
        run("create database if not exists books engine = Atomic")
        orders = ", ".join(f"projection {name} (select * order by {keys})" for name, keys in ORDERS.items())
        run(f"""create table books.balances (seq UInt32, balance_id String, ledger_id LowCardinality(String),
          identity_id String, indicator String, currency LowCardinality(String), balance Int128,
          credit_balance Int128, debit_balance Int128, inflight_balance Int128, currency_multiplier Int32,
          version Int32, track_fund_lineage Bool, allocation_strategy LowCardinality(String),
          created_at DateTime64(6, 'UTC'),
          index seq_bounds seq type minmax granularity 1,
          index balance_bounds balance type minmax granularity 1,
          index credit_bounds credit_balance type minmax granularity 1,
          index debit_bounds debit_balance type minmax granularity 1, {orders},
          projection sums (select ledger_id, currency, {SUMS} group by ledger_id, currency),
          projection sums_by_currency (select currency, {SUMS} group by currency),
          projection sums_by_month (select toStartOfMonth(created_at), count(), sum(balance),
            sum(credit_balance) group by toStartOfMonth(created_at)))
          engine = MergeTree order by (created_at, seq) settings index_granularity = 1024""")
        run(f"""insert into books.balances select seq, balance_id, ledger_id, identity_id, indicator, currency,
          balance, credit_balance, debit_balance, inflight_balance, currency_multiplier, version,
          track_fund_lineage, allocation_strategy, parseDateTime64BestEffort(created_at, 6, 'UTC')
          from file({quoted(self.csv)}, 'CSVWithNames', 'seq UInt32, balance_id String, ledger_id String,
          identity_id String, indicator String, currency String, balance Int128, credit_balance Int128,
          debit_balance Int128, inflight_balance Int128, currency_multiplier Int32, version Int32,
          track_fund_lineage Bool, allocation_strategy String, created_at String')
          settings max_insert_threads = 2""")
        run("optimize table books.balances final")
        self.close()
        with open(self.done, "w", encoding="ascii") as file:
            file.write("yes\n")

    def connect(self):
        self.session = self.session_type(self.store)
        for setting in ("max_threads = 2", "use_query_condition_cache = 0", "use_uncompressed_cache = 1",
                        "optimize_use_projections = 1"):
            self.session.query("set " + setting)

    def open(self):
        if not os.path.exists(self.done):
            self.load()
        self.connect()
        self.version = self.text("select version()").strip()

    def close(self):
        self.session.close()

    table = "books.balances"

    def time(self, microseconds):
        return f"fromUnixTimestamp64Micro(toInt64({microseconds}), 'UTC')"

    def period(self, unit):
        key = f"toStartOf{unit.capitalize()}(created_at)"
        return key, f"formatDateTime({key}, '{'%Y-%m' if unit == 'month' else '%Y'}')"

    def amount(self, value):
        return str(value) if abs(value) < 1 << 63 else f"toInt128('{value}')"

    def selected(self):
        return ", ".join(COLUMNS[:-1]) + ", toUnixTimestamp64Micro(created_at)"

    def text(self, sql):
        return str(self.session.query(sql, "TabSeparated"))

    def fetch(self, sql):
        rows = [line.split("\t") for line in self.text(sql).split("\n") if line]
        if rows and len(rows[0]) == len(COLUMNS):
            for row in rows:
                for place in WHOLE.values():
                    row[place] = int(row[place])
                row[13] = int(row[13])
        return rows

    def page_texts(self, question):
        sql = self.page_sql(question)
        texts = [("sql", sql)]
        if question.conditions and question.limit is not None:
            texts.append(("base", sql + " settings optimize_use_projections = 0"))
        if question.offset > 1000 or question.sort:
            texts.append(("late", f"select {self.selected()} from {self.table} where seq in"
                          f" ({self.page_sql(question, 'seq')}){self.order(question)}"))
        return texts
