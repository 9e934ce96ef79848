# DuckDB in memory: wide integers, enums, ART indexes for look-ups.

import os

from sql_peer import SQLPeer, quoted


class DuckDBPeer(SQLPeer):
    name = "duckdb"

    def __init__(self, directory):
        super().__init__(directory)
        import duckdb
        self.duckdb, self.version = duckdb, duckdb.__version__
        self.parquet = self.path("balances.duckdb.parquet")
        self.prepared = {}

    def load(self):
        connection = self.duckdb.connect()
        connection.execute("set threads=2")
        connection.execute("set preserve_insertion_order=true")
        connection.execute(f"""copy (select seq::uinteger seq, balance_id, ledger_id, nullif(identity_id, '')
          identity_id, nullif(indicator, '') indicator, currency, balance::varchar balance,
          credit_balance::varchar credit_balance, debit_balance::varchar debit_balance, inflight_balance,
          currency_multiplier, version, track_fund_lineage, allocation_strategy,
          created_at::timestamp created_at from read_csv({quoted(self.csv)}, header=true, all_varchar=true))
          to {quoted(self.parquet + '.part')} (format parquet, compression zstd)""")
        connection.close()
        os.replace(self.parquet + ".part", self.parquet)

    def open(self):
        if not os.path.exists(self.parquet):
            self.load()
        self.connection = self.duckdb.connect()
        run = self.connection.execute
        run("set threads=2")
        source = f"read_parquet({quoted(self.parquet)})"
        for name, column in (("ledgers", "ledger_id"), ("currencies", "currency")):
            run(f"create type {name} as enum (select distinct {column} from {source} order by 1)")
        run(f"""create table balances as select seq, balance_id, ledger_id::ledgers ledger_id, identity_id,
          indicator, currency::currencies currency, balance::hugeint balance,
          credit_balance::hugeint credit_balance, debit_balance::hugeint debit_balance,
          inflight_balance::hugeint inflight_balance, currency_multiplier::int currency_multiplier,
          version::int "version", track_fund_lineage::boolean track_fund_lineage, allocation_strategy, created_at
          from {source} order by seq""")
        for column in ("balance_id", "identity_id", "debit_balance"):
            run(f"create index i_{column} on balances({column})")

    def time(self, microseconds):
        return f"make_timestamp({microseconds})"

    def period(self, unit):
        key = f"date_trunc('{unit}', created_at)"
        return key, f"strftime({key}, '{'%Y-%m' if unit == 'month' else '%Y'}')"

    def amount(self, value):
        return str(value) if abs(value) < 1 << 63 else f"{quoted(value)}::hugeint"

    def fetch(self, sql):
        return self.connection.execute(sql).fetchall()

    def fetch_prepared(self, sql):
        name = self.prepared.get(sql)
        if name is None:
            name = self.prepared[sql] = f"p{len(self.prepared)}"
            self.connection.execute(f"prepare {name} as {sql}")
        return self.connection.execute("execute " + name).fetchall()

    def fetchers(self, name, sql):
        return [(name, lambda: self.fetch(sql)), (name + "+prepared", lambda: self.fetch_prepared(sql))]

    def page_texts(self, question):
        texts = super().page_texts(question)
        if question.limit is not None and not question.offset and question.sort is None:
            # Without an order an equality can use an ART index; a handful of rows is sorted afterwards.
            if any(field == "identity_id" and sign == "=" for field, sign, _ in question.conditions):
                inner = f"select * from balances{self.where(question)}"
                texts.append(("index", f"with m as materialized ({inner}) select {self.selected()} from m"
                              f"{self.order(question)} limit {question.limit}"))
        if question.offset > 1000:
            texts.append(("late", f"select {self.selected()} from balances where rowid in"
                          f" ({self.page_sql(question, 'rowid')}){self.order(question)}"))
        return texts
