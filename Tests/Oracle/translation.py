# Questions as SQL: what Blnk makes of them, and where docs/protocol.md decides otherwise, what that says.
from dataclasses import dataclass

from books import time_text
from postgres import quoted
from tables import TABLES, type_of

ORDERS = {"gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
# What a member that takes part in comparisons of order looks like.
NUMBER = "'^-?(0|[1-9][0-9]*)([.][0-9]+)?([eE][+-]?[0-9]+)?$'"


@dataclass
class Rules:
    """The rules of docs/protocol.md; each can be planted wrong, to see that the oracle sees it."""
    ties_by_creation: bool = True
    nulls_as_in_sql: bool = True
    dates_are_days: bool = True
    members_have_types: bool = True
    bytes_order_text: bool = True
    case_counts: bool = True
    only_isnull_sees_null: bool = True
    amounts_are_exact: bool = True
    or_is_or: bool = True
    having_holds: bool = True


def micros(time):
    return f"'{time_text(time)}'::timestamptz"


class Translation:
    """- Parameter scale: a common multiple of all precisions."""

    def __init__(self, scale, rules=Rules()):
        self.scale, self.rules = scale, rules

    # MARK: Conditions

    def where(self, question):
        conditions = [self.condition(question["table"], *one) for one in question["filters"]]
        if not conditions:
            return ""
        word = " OR " if question["any"] == self.rules.or_is_or else " AND "
        return " WHERE " + word.join(f"({condition})" for condition in conditions)

    def condition(self, table, field, op, operands):
        kind = type_of(table, field)
        if kind == "metadata":
            return self.member(field[len("meta_data."):], op, operands)
        if kind == "either":
            return self.either(field, op, operands)
        column = field
        if op == "isnull":
            return "precise_amount IS NULL" if kind == "decimal" else f"{column} IS NULL"
        if op == "isnotnull":
            return "precise_amount IS NOT NULL" if kind == "decimal" else f"{column} IS NOT NULL"
        known = [operand for operand in operands if operand.kind != "null"]
        if op == "in":
            return " OR ".join(f"({self.compared(kind, column, 'eq', one)})" for one in known) or "NULL"
        if op == "between":
            if len(known) != 2:
                return "NULL"
            bounds = zip(("gte", "lte"), known)
            return " AND ".join(f"({self.compared(kind, column, bound, one)})" for bound, one in bounds)
        if not known:
            return "NULL"
        if not self.rules.only_isnull_sees_null and op == "neq":
            return f"{column} IS NULL OR " + self.compared(kind, column, op, known[0])
        return self.compared(kind, column, op, known[0])

    def compared(self, kind, column, op, operand):
        value = operand.value
        if kind == "time":
            return self.time(column, op, *value)
        if kind in ("text", "identifier"):
            return self.text(f"{column}", op, value)
        sign = {"eq": "=", "neq": "<>"}.get(op) or ORDERS[op]
        if kind == "boolean":
            return f"{column} {sign} {'true' if value else 'false'}"
        if kind == "decimal":
            # Exactly precise_amount / precision, without a division.
            return f"precise_amount {sign} {value}::numeric * precision"
        if not self.rules.amounts_are_exact:
            return f"{column}::float8 {sign} {value}::float8"
        return f"{column} {sign} {value}::numeric"

    def text(self, column, op, value):
        if op in ("like", "ilike"):
            return self.like(column, op, value)
        sign = {"eq": "=", "neq": "<>"}.get(op) or ORDERS[op]
        return f"{self.ordered(column)} {sign} {quoted(value)}"

    def ordered(self, text):
        return f"{text} COLLATE \"{'C' if self.rules.bytes_order_text else 'und-x-icu'}\""

    def like(self, column, op, pattern):
        # A lone backslash at the end is itself; PostgreSQL would call it a fault.
        if (len(pattern) - len(pattern.rstrip("\\"))) % 2:
            pattern += "\\"
        word = "ILIKE" if op == "ilike" or not self.rules.case_counts else "LIKE"
        return f"{column} {word} {quoted(pattern)}"

    def time(self, column, op, start, end):
        if not self.rules.dates_are_days:
            end = start + 1
        first, behind = micros(start), micros(end)
        return {
            "eq": f"{column} >= {first} AND {column} < {behind}", "neq": f"{column} < {first} OR {column} >= {behind}",
            "gt": f"{column} >= {behind}", "gte": f"{column} >= {first}",
            "lt": f"{column} < {first}", "lte": f"{column} < {behind}"}[op]

    def either(self, field, op, operands):
        """Source or destination; `neq` of balance_id means neither."""
        if field == "indicator":
            matching = f"(SELECT b.balance_id FROM balances b WHERE {self.condition('balances', field, op, operands)})"
            return f"source IN {matching} OR destination IN {matching}"
        both = [self.condition("transactions", side, op, operands) for side in ("source", "destination")]
        return f"({both[0]}) {'AND' if op in ('neq', 'isnull') else 'OR'} ({both[1]})"

    # MARK: Members of the metadata

    def member(self, key, op, operands):
        text = f"(meta_text->>{quoted(key)})"
        if op == "isnull":
            return f"{text} IS NULL"
        if op == "isnotnull":
            return f"{text} IS NOT NULL"
        known = [operand for operand in operands if operand.kind != "null"]
        if not known or op == "between" and len(known) != 2:
            return "NULL"
        if op in ("like", "ilike"):
            return self.like(text, op, known[0].value)
        if op == "eq":
            return self.equal(key, text, known[0])
        if op == "neq":
            return f"{text} IS NOT NULL AND NOT ({self.equal(key, text, known[0])})"
        if op == "in":
            return " OR ".join(f"({self.equal(key, text, one)}) OR {text} = {quoted(one.value)}" for one in known)
        bounds = [(op, known[0])] if op != "between" else list(zip(("gte", "lte"), known))
        return " AND ".join(self.ranged(key, text, *bound) for bound in bounds)

    def equal(self, key, text, operand):
        """With its type, as `meta_data @> {key: value}`; objects and arrays as they were written."""
        if not self.rules.members_have_types:
            return f"{text} = {quoted(operand.value)}"
        if operand.kind == "other":
            return f"json_typeof(meta_text->{quoted(key)}) IN ('object', 'array') AND {text} = {quoted(operand.value)}"
        return f"meta_data @> jsonb_build_object({quoted(key)}, {quoted(operand.json)}::jsonb)"

    def ranged(self, key, text, op, operand):
        """What is not a number, nor text that is written like one, is left out."""
        if not operand.is_number:
            return "NULL"
        return (f"CASE WHEN json_typeof(meta_text->{quoted(key)}) IN ('number', 'string') AND {text} ~ {NUMBER} "
                f"THEN {text}::numeric {ORDERS[op]} {quoted(operand.value)}::numeric ELSE false END")

    # MARK: Order and page

    def order(self, table, sort):
        field, ascending = sort or ("created_at", False)
        kind = type_of(table, field)
        if kind == "metadata":
            key = self.ordered(f"(meta_text->>{quoted(field[len('meta_data.'):])})")
        elif kind == "decimal":
            key = f"precise_amount * div({self.scale}, precision)"
        else:
            key = self.ordered(field) if kind in ("text", "identifier") else field
        nulls = "LAST" if ascending == self.rules.nulls_as_in_sql else "FIRST"
        ties = "ASC" if ascending == self.rules.ties_by_creation else "DESC"
        return f"{key} {'ASC' if ascending else 'DESC'} NULLS {nulls}, seq {ties}"

    def rows(self, question):
        """The place in the order of creation of each row of the page."""
        page = f" OFFSET {question['offset']}"
        if question["limit"] is not None:
            page = f" LIMIT {question['limit']}" + page
        order = self.order(question["table"], question["sort"])
        return f"SELECT seq FROM {question['table']}{self.where(question)} ORDER BY {order}{page}"

    def count(self, question):
        return f"SELECT count(*) FROM {question['table']}{self.where(question)}"

    # MARK: Groups

    def groups(self, question):
        """Columns as text and metrics as exact numbers; of averages sum and count."""
        columns = [self.column(name) for name in question["group_by"]]
        shown = columns + [part for metric in question["metrics"] for part in self.metric(metric)]
        sql = f"SELECT json_build_array({', '.join(f'({part})::text' for part in shown)}) "
        sql += f"FROM {question['table']}{self.where(question)}"
        if columns:
            sql += " GROUP BY " + ", ".join(columns)
        conditions = [self.having(*one) for one in question["having"]]
        if conditions and self.rules.having_holds:
            sql += " HAVING " + " AND ".join(f"({one})" for one in conditions)
        order = self.group_order(question, columns)
        sql += f" ORDER BY {order}" if order else ""
        return sql + (f" LIMIT {question['limit']}" if question["limit"] else "")

    def column(self, name):
        unit = {"created_at:day": "YYYY-MM-DD", "created_at:month": "YYYY-MM", "created_at:year": "YYYY"}.get(name)
        if unit:
            return f"to_char(created_at, '{unit}')"
        return "track_fund_lineage::text" if name == "track_fund_lineage" else name

    def metric(self, metric):
        function, _, field = metric.partition(":")
        if function == "count":
            return ["count(*)"]
        if field == "created_at":
            return [f"(extract(epoch FROM {function}(created_at)) * 1000000)::bigint"]
        if function == "sum":
            return [f"coalesce(sum({field}), 0)"]
        return [f"coalesce(sum({field}), 0)", "count(*)"] if function == "avg" else [f"{function}({field})"]

    def having(self, metric, op, operands):
        function, _, field = metric.partition(":")
        if op in ("isnull", "isnotnull"):
            empty = "= 0" if op == "isnull" else "> 0"
            return ("false" if op == "isnull" else "true") if function in ("count", "sum") else f"count(*) {empty}"
        known = [operand for operand in operands if operand.kind != "null"]
        if not known or op == "between" and len(known) != 2:
            return "NULL"
        if op == "in":
            return " OR ".join(f"({self.held(metric, 'eq', one)})" for one in known)
        if op == "between":
            return f"({self.held(metric, 'gte', known[0])}) AND ({self.held(metric, 'lte', known[1])})"
        return self.held(metric, op, known[0])

    def held(self, metric, op, operand):
        function, _, field = metric.partition(":")
        sign = {"eq": "=", "neq": "<>"}.get(op) or ORDERS[op]
        if field == "created_at":
            return self.time(f"{function}(created_at)", op, *operand.value)
        if function == "avg":
            # Of no rows there is no average.
            return f"sum({field}) {sign} {operand.value}::numeric * count(*)"
        return f"{self.metric(metric)[0]} {sign} {operand.value}::numeric"

    def group_order(self, question, columns):
        sort, ascending = question["sort_by"], question["ascending"]
        ordered = [self.ordered(column) for column in columns]
        if sort is None:
            word = "ASC NULLS LAST" if ascending else "DESC NULLS FIRST"
            return ", ".join(f"{column} {word}" for column in ordered)
        ties = [f"{column} ASC NULLS LAST" for column in ordered]
        if sort in question["group_by"]:
            key = ordered[question["group_by"].index(sort)]
        else:
            parts = self.metric(sort)
            # Different averages of fewer than 10^10 rows differ in the first 20 digits after the point.
            key = parts[0] if len(parts) == 1 else f"div(({parts[0]}) * 1e20, nullif(count(*), 0))"
        nulls = "LAST" if ascending == self.rules.nulls_as_in_sql else "FIRST"
        return ", ".join([f"{key} {'ASC' if ascending else 'DESC'} NULLS {nulls}"] + ties)
