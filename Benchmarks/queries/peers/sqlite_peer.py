# SQLite in memory: b-trees for every filter and order of the questions; amounts as two integers.

import csv
import os
import time

from common import AMOUNTS, COLUMNS, Peer

BASE = 10 ** 18
CREATE = """create table b (seq integer primary key, balance_id text, ledger_id text, identity_id text,
  indicator text, currency text, balance_hi int, balance_lo int, credit_balance_hi int, credit_balance_lo int,
  debit_balance_hi int, debit_balance_lo int, inflight_balance int, currency_multiplier int, version int,
  track_fund_lineage text, allocation_strategy text, created_at int, indicator_rev text)"""
INDEXES = [
    "unique index i_id on b(balance_id)",
    "index i_created on b(created_at)",
    "index i_currency_created on b(currency, created_at)",
    "index i_ledger_created on b(ledger_id, created_at)",
    "index i_identity on b(identity_id, created_at)",
    "index i_balance on b(balance_hi, balance_lo)",
    "index i_ledger_balance on b(ledger_id, balance_hi, balance_lo)",
    "index i_currency_balance on b(currency, balance_hi, balance_lo)",
    "index i_currency on b(currency)",
    "index i_debit on b(debit_balance_hi, debit_balance_lo)",
    "index i_credit on b(credit_balance_hi, credit_balance_lo)",
    "index i_indicator on b(indicator) where indicator is not null",
    "index i_indicator_rev on b(indicator_rev) where indicator is not null",
    "index i_indicator_created on b(created_at, indicator) where indicator is not null",
    "index i_sums on b(ledger_id, currency, balance_hi, balance_lo, created_at, credit_balance_hi,"
    " credit_balance_lo, debit_balance_hi, debit_balance_lo)",
]
SELECTED = ", ".join(f"{name}_hi, {name}_lo" if name in AMOUNTS else name for name in COLUMNS)


def quoted(text):
    return "'" + str(text).replace("'", "''") + "'"


class SQLitePeer(Peer):
    name = "sqlite"

    def __init__(self, directory):
        super().__init__(directory)
        import apsw
        self.apsw = apsw
        self.version = apsw.sqlite_lib_version() if hasattr(apsw, "sqlite_lib_version") else apsw.sqlitelibversion()
        self.file = self.path("sqlite.db")

    def load(self):
        part = self.file + ".part"
        if os.path.exists(part):
            os.remove(part)
        connection = self.apsw.Connection(part)
        run = connection.cursor().execute
        for pragma in ("journal_mode=off", "synchronous=off", "cache_size=-2000000", "locking_mode=exclusive",
                       "page_size=8192", "temp_store=memory"):
            run("pragma " + pragma)
        run(CREATE)
        run("begin")
        connection.cursor().executemany(f"insert into b values ({','.join('?' * 19)})", self.rows())
        run("commit")
        for index in INDEXES:
            run("create " + index)
        run("pragma analysis_limit=10000")
        run("analyze")
        connection.close()
        os.replace(part, self.file)

    def rows(self):
        import datetime
        moments = {}

        def moment(text):
            value = moments.get(text[:10])
            if value is None:
                day = datetime.datetime.fromisoformat(text[:10] + "T00:00:00+00:00")
                value = moments[text[:10]] = int(day.timestamp())
            clock = int(text[11:13]) * 3600 + int(text[14:16]) * 60 + int(text[17:19])
            return (value + clock) * 1_000_000

        with open(self.csv, encoding="utf-8", newline="") as file:
            reader = csv.reader(file)
            next(reader)
            for row in reader:
                balance, credit, debit = int(row[6]), int(row[7]), int(row[8])
                yield (int(row[0]), row[1], row[2], row[3] or None, row[4] or None, row[5],
                       balance // BASE, balance % BASE, credit // BASE, credit % BASE, debit // BASE,
                       debit % BASE, int(row[9]), int(row[10]), int(row[11]), row[12], row[13],
                       moment(row[14]), row[4][::-1] if row[4] else None)

    def open(self):
        if not os.path.exists(self.file):
            self.load()
        disk = self.apsw.Connection(self.file, flags=self.apsw.SQLITE_OPEN_READONLY)
        self.connection = self.apsw.Connection(":memory:")
        with self.connection.backup("main", disk, "main") as backup:
            backup.step()
        disk.close()
        self.connection.cursor().execute("pragma threads=2")

    def fetch(self, sql):
        return self.connection.cursor().execute(sql).fetchall()

    # --- Conditions ---

    def condition(self, field, sign, value):
        if field in AMOUNTS:
            return f"({field}_hi, {field}_lo) {sign} ({value // BASE}, {value % BASE})"
        if sign == "in":
            return f"{field} in ({', '.join(map(quoted, value))})"
        if sign == "like":
            return self.like(value)
        return f"{field} {sign} {value if isinstance(value, int) else quoted(value)}"

    @staticmethod
    def like(pattern):
        body = pattern.strip("%")
        after = body[:-1] + chr(ord(body[-1]) + 1)
        if pattern == body + "%":
            return f"indicator >= {quoted(body)} and indicator < {quoted(after)}"
        if pattern == "%" + body:
            back = body[::-1]
            return (f"indicator is not null and indicator_rev >= {quoted(back)}"
                    f" and indicator_rev < {quoted(back[:-1] + chr(ord(back[-1]) + 1))}")
        return f"indicator is not null and indicator glob {quoted(pattern.replace('%', '*'))}"

    def where(self, question, walk=False):
        """With `walk` the conditions may not choose an index, so that the order does."""
        texts = []
        for field, sign, value in question.conditions:
            if walk and sign == "like":
                texts.append(f"indicator is not null and indicator glob {quoted(value.replace('%', '*'))}")
            elif walk and field not in AMOUNTS and field != "created_at":
                texts.append("+" + self.condition(field, sign, value))
            else:
                texts.append(self.condition(field, sign, value))
        joined = (" or " if question.any else " and ").join(f"({text})" for text in texts)
        return " where " + joined if joined else ""

    @staticmethod
    def order(question):
        direction = "asc" if question.ascending else "desc"
        field = question.sort or "created_at"
        names = [field + "_hi", field + "_lo"] if field in AMOUNTS else [field]
        return " order by " + ", ".join(f"{name} {direction}" for name in names + ["seq"])

    # --- Ways ---

    def ways(self, question):
        if question.kind == "aggregate":
            ways = [("sql", lambda: (self.aggregate(question), None))]
            if not any(metric[:3] in ("min", "max") or ":" in group
                       for metric in question.metrics for group in question.groups):
                ways.append(("two steps", lambda: (self.aggregate(question, two_steps=True), None)))
            return ways
        wheres = [self.where(question)]
        if question.conditions and not question.any:
            wheres.append(self.where(question, walk=True))
        name, page = self.best_text(f"select {SELECTED} from ", wheres, self.tail(question))
        count = self.best_text("select count(*) from ", wheres, "")[1] if question.count else None
        ways = [(name, self.way(page, count))]
        if question.offset > 1000:
            inner = page.replace(SELECTED, "seq", 1)
            late = f"select {SELECTED} from b where seq in ({inner}){self.order(question)}"
            ways.append((name + "+late", self.way(late, count)))
        return ways

    def tail(self, question):
        if question.limit is None:
            return ""
        return f"{self.order(question)} limit {question.limit} offset {question.offset}"

    def best_text(self, head, wheres, tail):
        """The planner often picks the wrong index, so each that can serve is tried."""
        best = None
        names = [index.split("index ")[1].split(" on ")[0] for index in INDEXES]
        for index in [None] + names:
            for where in wheres:
                sql = f"{head}b{' indexed by ' + index if index else ''}{where}{tail}"
                passed = self.trial(sql, None if best is None else max(0.02, 2 * best[0]))
                if passed is not None and (best is None or passed < best[0]):
                    best = (passed, index or "planner", sql)
        return best[1].removeprefix("i_"), best[2]

    def trial(self, sql, limit):
        """Seconds of the better of two runs; None when the index cannot serve or the limit has passed."""
        end = None if limit is None else time.perf_counter() + limit
        self.connection.set_progress_handler((lambda: time.perf_counter() > end) if end else None, 10_000)
        try:
            times = []
            for _ in range(2):
                start = time.perf_counter()
                self.fetch(sql)
                times.append(time.perf_counter() - start)
            return min(times)
        except self.apsw.Error:
            return None
        finally:
            self.connection.set_progress_handler(None)

    def way(self, sql, count):
        return lambda: (self.page(sql), self.fetch(count)[0][0] if count else None)

    def page(self, sql):
        return [row[:5] + (row[5] * BASE + row[6], row[7] * BASE + row[8], row[9] * BASE + row[10]) + row[11:]
                for row in self.fetch(sql)]

    def aggregate(self, question, two_steps=False):
        """In two steps: first in the order of the covering index, then the few rows of that."""
        if any(metric[:3] in ("min", "max") for metric in question.metrics):
            return self.extremes(question)
        names = ["strftime('%Y-%m', created_at / 1000000, 'unixepoch')" if group == "created_at:month"
                 else "strftime('%Y', created_at / 1000000, 'unixepoch')" if group == "created_at:year"
                 else group for group in question.groups]
        selected = []
        for metric in question.metrics:
            if metric == "count":
                selected.append("count(*)")
            else:
                field = metric.split(":")[1]
                # Sums of the halves stay within 64 bits.
                selected += [f"sum({field}_hi)", f"sum({field}_lo / 1000000000)", f"sum({field}_lo % 1000000000)"]
        places = ", ".join(str(i + 1) for i in range(len(names)))
        source = f"b{self.where(question)}"
        if two_steps:
            inner = ", ".join(f"{text} v{number}" for number, text in enumerate(selected))
            source = f"(select ledger_id, currency, {inner} from {source} group by ledger_id, currency)"
            selected = [f"sum(v{number})" for number in range(len(selected))]
        sql = f"select {', '.join(names + selected)} from {source} group by {places} order by {places}"
        rows = []
        for row in self.fetch(sql):
            row, values = list(row), []
            rest = row[len(names):]
            for metric in question.metrics:
                if metric == "count":
                    values.append(rest.pop(0))
                else:
                    values.append(rest.pop(0) * BASE + rest.pop(0) * 10 ** 9 + rest.pop(0))
            rows.append(row[:len(names)] + values)
        if question.sort:
            place = (question.groups + question.metrics).index(question.sort)
            rows.sort(key=lambda row: row[place], reverse=not question.ascending)
        return rows[:question.limit]

    def extremes(self, question):
        """Ends of an index instead of a scan: the index has group and amount."""
        group = question.groups[0]
        rows = []
        for (value,) in self.fetch(f"select distinct {group} from b order by 1"):
            row = [value]
            for metric in question.metrics:
                kind, field = metric.split(":")
                direction = "asc" if kind == "min" else "desc"
                found = self.fetch(
                    f"select {field}_hi, {field}_lo from b where {group} = {quoted(value)}"
                    f" order by {field}_hi {direction}, {field}_lo {direction} limit 1")[0]
                row.append(found[0] * BASE + found[1])
            rows.append(row)
        return rows
