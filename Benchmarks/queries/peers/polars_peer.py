# Polars: one frame, newest first, wide integers and enums; plans written by hand beside its own optimiser's.

import os

os.environ.setdefault("POLARS_MAX_THREADS", "2")

from common import COLUMNS, Peer  # noqa: E402

ENUMS = ("ledger_id", "currency")


class PolarsPeer(Peer):
    name = "polars"

    def __init__(self, directory):
        super().__init__(directory)
        import polars
        self.pl, self.version = polars, polars.__version__
        self.file = self.path("polars.arrow")

    def load(self):
        pl = self.pl
        types = {name: pl.Int128 for name in ("balance", "credit_balance", "debit_balance", "inflight_balance")}
        types.update(seq=pl.UInt32, currency_multiplier=pl.Int32, version=pl.Int32)
        frame = pl.read_csv(self.csv, schema_overrides=types)
        for name in ENUMS:
            frame = frame.with_columns(pl.col(name).cast(pl.Enum(frame[name].unique().sort())))
        frame = frame.with_columns(
            pl.col("created_at").str.to_datetime("%Y-%m-%dT%H:%M:%SZ", time_unit="us"),
            pl.col("allocation_strategy").cast(pl.Categorical)).reverse().rechunk()
        frame.write_ipc(self.file + ".part")
        os.replace(self.file + ".part", self.file)

    def open(self):
        pl = self.pl
        if not os.path.exists(self.file):
            self.load()
        self.frame = pl.read_ipc(self.file).rechunk()
        self.created = self.frame["created_at"].cast(pl.Int64)
        # Newest first: row r of the frame was created as number (last - r).
        self.last = self.frame["seq"][0]

    # --- Conditions ---

    def expression(self, question):
        pl = self.pl
        tests = []
        for field, sign, value in question.conditions:
            column = pl.col(field)
            if field == "created_at":
                value = pl.lit(value).cast(pl.Datetime("us"))
            elif isinstance(value, int):
                value = pl.lit(value, dtype=pl.Int128)
            if sign == "in":
                tests.append(self.member(field, value))
            elif sign == "like":
                body = value.strip("%")
                tests.append(column.str.starts_with(body) if value == body + "%" else
                             column.str.ends_with(body) if value == "%" + body else
                             column.str.contains(body, literal=True))
            else:
                tests.append({"=": column.eq, "<>": column.ne, ">": column.gt, ">=": column.ge, "<": column.lt,
                              "<=": column.le}[sign](value))
        if not tests:
            return pl.lit(True)
        return pl.any_horizontal(tests) if question.any else pl.all_horizontal(tests)

    def member(self, field, values):
        pl = self.pl
        if field in ENUMS:
            known = self.frame[field].dtype.categories
            values = pl.Series(values).filter(pl.Series(values).is_in(known.implode()))
            values = values.cast(self.frame[field].dtype)
            if len(values) <= 4:
                return pl.any_horizontal([pl.col(field) == value for value in values])
            return pl.col(field).is_in(values.implode())
        return pl.col(field).is_in(values)

    def span(self, question):
        """The rows that the times allow, by binary search, and the other conditions."""
        if question.any:
            return 0, len(self.frame), question.conditions
        start, end, rest = 0, len(self.frame), []
        for condition in question.conditions:
            field, sign, value = condition
            if field != "created_at":
                rest.append(condition)
            elif sign == ">=":
                end = min(end, self.created.search_sorted(value, side="right", descending=True))
            else:
                start = max(start, self.created.search_sorted(value - 1, side="left", descending=True))
        return start, max(start, end), rest

    # --- Ways ---

    def ways(self, question):
        if question.kind == "aggregate":
            return [("lazy", lambda: (self.aggregate(question, "in-memory"), None)),
                    ("streaming", lambda: (self.aggregate(question, "streaming"), None))]
        if question.limit is None:
            expression = self.expression(question)
            return [("filter", lambda: (self.frame.filter(expression).select(COLUMNS).rows(), None))]
        ways = [("lazy", self.lazy(question, "in-memory")), ("streaming", self.lazy(question, "streaming"))]
        by_hand = self.walk if question.sort in (None, "created_at") and not question.ascending else self.top
        return ways + [("by hand", by_hand(question))]

    def lazy(self, question, engine):
        pl, expression = self.pl, self.expression(question)

        def body():
            frame = self.frame.lazy()
            found = frame.filter(expression) if question.conditions else frame
            page = found
            if question.sort or question.ascending:
                page = found.sort([question.sort or "created_at", "seq"], descending=not question.ascending)
            plans = [page.slice(question.offset, question.limit).select(COLUMNS)]
            if question.count:
                plans.append(found.select(pl.len()))
            results = pl.collect_all(plans, engine=engine)
            return results[0].rows(), results[1].item() if question.count else None
        return body

    def walk(self, question):
        """From the newest on, in growing pieces, until the page is full."""
        start, end, rest = self.span(question)
        stripped = type(question).__new__(type(question))
        stripped.__dict__.update(question.__dict__, conditions=rest)
        expression = self.expression(stripped)
        wanted = question.offset + question.limit

        def body():
            first, last, _ = self.span(question)
            if not rest:
                page = self.frame.slice(min(first + question.offset, last),
                                        min(question.limit, max(0, last - first - question.offset)))
                return page.select(COLUMNS).rows(), last - first if question.count else None
            found, place, size = [], first, 4096
            count = 0
            while count < wanted and place < last:
                piece = self.frame.slice(place, min(size, last - place)).filter(expression)
                count += len(piece)
                found.append(piece)
                place += size
                size *= 4
            page = self.pl.concat(found) if found else self.frame.head(0)
            rows = page.slice(question.offset, question.limit).select(COLUMNS).rows()
            if not question.count:
                return rows, None
            if place < last:
                count += self.frame.slice(place, last - place).select(expression.sum()).item()
            return rows, count
        return body

    def top(self, question):
        """The k-th key first, then only the rows that reach it."""
        pl, expression = self.pl, self.expression(question)
        key, wanted = question.sort or "created_at", question.offset + question.limit

        def body():
            keys = self.frame.select(pl.col(key), pl.int_range(pl.len(), dtype=pl.UInt32).alias("at")) \
                if not question.conditions else self.frame.lazy().with_columns(
                    pl.int_range(pl.len(), dtype=pl.UInt32).alias("at")).filter(expression).select(
                        key, "at").collect()
            total = len(keys)
            if total > wanted:
                column = keys[key]
                if column.dtype == pl.Enum:
                    column = column.to_physical()
                best = column.bottom_k(wanted).max() if question.ascending else column.top_k(wanted).min()
                keys = keys.filter(column <= best if question.ascending else column >= best)
            # `at` rises as creation falls, so it goes against the direction of the key.
            keys = keys.sort([key, "at"], descending=[not question.ascending, question.ascending])
            at = keys["at"].slice(question.offset, question.limit)
            return self.frame.select(COLUMNS)[at].rows(), total if question.count else None
        return body

    def aggregate(self, question, engine):
        pl = self.pl
        frame = self.frame.lazy()
        if question.conditions:
            frame = frame.filter(self.expression(question))
        keys = []
        for group in question.groups:
            name, _, unit = group.partition(":")
            keys.append(pl.col(name).dt.truncate("1mo" if unit == "month" else "1y").alias(group) if unit
                        else pl.col(name))
        values = []
        for metric in question.metrics:
            kind, _, field = metric.partition(":")
            column = pl.col(field) if field else None
            values.append((pl.len() if kind == "count" else getattr(column, kind)()).alias(metric))
        frame = frame.group_by(keys).agg(values)
        if question.sort:
            frame = frame.sort(question.sort, descending=not question.ascending)
        else:
            frame = frame.sort(question.groups)
        if question.limit:
            frame = frame.head(question.limit)
        result = frame.collect(engine=engine)
        for group in question.groups:
            if ":" in group:
                form = "%Y-%m" if group.endswith("month") else "%Y"
                result = result.with_columns(pl.col(group).dt.strftime(form))
        return result.rows()
