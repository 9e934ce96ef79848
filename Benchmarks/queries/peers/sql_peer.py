# Questions as SQL for engines with wide integers: DuckDB, ClickHouse, PostgreSQL. Dialects differ in a few texts.

from common import AMOUNTS, COLUMNS, Peer, fastest


def quoted(text):
    return "'" + str(text).replace("'", "''") + "'"


class SQLPeer(Peer):
    """Subclasses give `fetch(sql)` and may change the texts."""

    table = "balances"

    def time(self, microseconds):
        raise NotImplementedError

    def period(self, unit):
        """A group of created_at: the key, and its text."""
        raise NotImplementedError

    def selected(self):
        return ", ".join(COLUMNS)

    def amount(self, value):
        return str(value)

    def like(self, pattern):
        return f"indicator like {quoted(pattern)}"

    def condition(self, field, sign, value):
        if field in AMOUNTS:
            return f"{field} {sign} {self.amount(value)}"
        if field == "created_at":
            return f"created_at {sign} {self.time(value)}"
        if sign == "in":
            return f"{field} in ({', '.join(map(quoted, value))})"
        if sign == "like":
            return self.like(value)
        return f"{field} {sign} {quoted(value)}"

    def where(self, question):
        joined = (" or " if question.any else " and ").join(
            f"({self.condition(*condition)})" for condition in question.conditions)
        return " where " + joined if joined else ""

    @staticmethod
    def order(question):
        direction = "asc" if question.ascending else "desc"
        return f" order by {question.sort or 'created_at'} {direction}, seq {direction}"

    def page_sql(self, question, columns=None):
        sql = f"select {columns or self.selected()} from {self.table}{self.where(question)}"
        if question.limit is not None:
            sql += f"{self.order(question)} limit {question.limit}"
            if question.offset:
                sql += f" offset {question.offset}"
        return sql

    def group(self, name):
        return self.period(name.split(":")[1]) if name.startswith("created_at:") else (name, name)

    def aggregate_sql(self, question):
        keys = [self.group(group) for group in question.groups]
        selected = [text for _, text in keys]
        for metric in question.metrics:
            kind, _, field = metric.partition(":")
            selected.append("count(*)" if kind == "count" else f"{kind}({field})")
        places = ", ".join(str(i + 1) for i in range(len(question.groups)))
        sql = f"select {', '.join(selected)} from {self.table}{self.where(question)} group by {', '.join(key for key, _ in keys)}"
        if question.sort:
            place = (question.groups + question.metrics).index(question.sort) + 1
            sql += f" order by {place} {'asc' if question.ascending else 'desc'}"
        else:
            sql += f" order by {places}"
        return sql + (f" limit {question.limit}" if question.limit else "")

    def ways(self, question):
        if question.kind == "aggregate":
            return [(name, lambda fetch=fetch: (fetch(), None))
                    for name, fetch in self.fetchers("sql", self.aggregate_sql(question))]
        name, page = fastest([way for name, sql in self.page_texts(question) for way in self.fetchers(name, sql)])
        count = None
        if question.count:
            texts = self.count_texts(question)
            count = fastest([way for name, sql in texts for way in self.fetchers(name, sql)])[1]
        return [(name, lambda: (page(), int(count()[0][0]) if count else None))]

    def fetchers(self, name, sql):
        """(name, function that gives rows) for each way to send a statement."""
        return [(name, lambda: self.fetch(sql))]

    def page_texts(self, question):
        """(name, statement) for each sound way to say the page."""
        return [("sql", self.page_sql(question))]

    def count_texts(self, question):
        return [("sql", f"select count(*) from {self.table}{self.where(question)}")]
