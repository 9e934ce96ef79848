# Random questions whose operands are mostly values that rows have.
import json
import re

from books import CURRENCIES, MEMBERS, TEXTS, time_text
from tables import AMOUNTS, GROUPS, MEMBER_FIELDS, TABLES, metrics, type_of, value

ALL_OPERATORS = ["eq", "neq", "gt", "gte", "lt", "lte", "in", "between", "isnull", "isnotnull"]
OPERATORS = {
    "boolean": ["eq", "neq", "in", "isnull", "isnotnull"],
    "text": ALL_OPERATORS + ["like", "ilike"], "identifier": ALL_OPERATORS + ["like", "ilike"],
    "either": ALL_OPERATORS + ["like", "ilike"], "metadata": ALL_OPERATORS + ["like", "ilike"],
}
DAY = 86_400_000_000


class Operand:
    """A value as the request has it and as SQL gets it. Times: first microsecond, and the one behind the last."""

    def __init__(self, json_text, kind, known):
        self.json, self.kind, self.value = json_text, kind, known

    @property
    def is_number(self):
        return self.kind in ("number", "text") and \
            re.fullmatch(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?", self.value) is not None


NULL = Operand("null", "null", None)


def text_operand(text):
    return Operand(json.dumps(text, ensure_ascii=False), "text", text)


def member_operand(text):
    """A JSON value as it is written."""
    known = json.loads(text)
    if known is None:
        return NULL
    if isinstance(known, str):
        return Operand(text, "text", known)
    kind = "boolean" if isinstance(known, bool) else "number" if not isinstance(known, (dict, list)) else "other"
    return Operand(text, kind, text)


class Questions:
    """- Parameter rows: of each table, in order of creation."""

    def __init__(self, random, rows):
        self.random, self.rows_of = random, rows
        self.tables = ["balances"] * 5 + ["transactions"] * 3 + ["ledgers", "identities"]

    def chance(self, part):
        return self.random.random() < part

    # MARK: Filters

    def question(self):
        table = self.random.choice(self.tables)
        if table in GROUPS and self.chance(0.2):
            return self.aggregate(table)
        if table in GROUPS and self.chance(0.4):
            return self.common_filter(table)
        return self.filter(table)

    def filter(self, table):
        form = self.random.choice(["filter"] * 6 + ["list", "list", "cursor", "stream"])
        count = self.random.choice([0, 1, 1, 1, 2, 2, 3, 4])
        filters = [self.predicate(table) for _ in range(count)]
        if form == "list":
            filters = list({(field, op): (field, op, operands) for field, op, operands in filters}.values())
        sortable = [name for name, kind, _ in TABLES[table] if kind != "either"] + MEMBER_FIELDS
        sort = (self.random.choice(sortable), self.chance(0.5)) if self.chance(0.7) else None
        limit = self.random.choice([1, 2, 7, 20, 100, 1000])
        offset = self.random.choice([0, 0, 0, 0, 1, 7, 50, 400, 100_000])
        if form == "cursor":
            limit, offset = self.random.choice([1, 3, 30, 300, 1000]), 0
        if form == "stream":
            limit, offset = None, 0
        return {"kind": "filter", "table": table, "form": form, "filters": filters, "any": self.chance(0.33),
                "sort": sort, "limit": limit, "offset": offset, "count": form != "stream" and self.chance(0.5)}

    def common_filter(self, table):
        """What people ask: few conditions on the fields that matter, in an order that has a short path."""
        fields = {
            "balances": ["currency", "currency", "ledger_id", "ledger_id", "identity_id", "indicator", "created_at",
                         "created_at", "balance", "balance", "balance_id", "credit_balance", "meta_data.k"],
            "transactions": ["balance_id", "balance_id", "source", "destination", "currency", "created_at", "status",
                             "precise_amount"]}[table]
        sorts = {"balances": [None, None, "created_at", "balance", "balance", "balance", "credit_balance", "currency",
                              "ledger_id", "identity_id", "indicator"],
                 "transactions": [None, None, "created_at", "precise_amount"]}[table]
        filters = [self.predicate(table, self.random.choice(fields), is_common=True)
                   for _ in range(self.random.choice([0, 1, 1, 2, 2, 3]))]
        sort = self.random.choice(sorts)
        form = self.random.choice(["filter"] * 4 + ["cursor"])
        offset = self.random.choice([0, 0, 0, 1, 40, 1000, 30_000]) if form == "filter" else 0
        return {"kind": "filter", "table": table, "form": form, "filters": filters, "any": self.chance(0.1),
                "sort": (sort, self.chance(0.5)) if sort else None,
                "limit": self.random.choice([1, 2, 20, 100] if form == "filter" else [100, 1000]),
                "offset": offset, "count": self.chance(0.5)}

    def predicate(self, table, field=None, is_common=False):
        field = field or self.random.choice([name for name, _, _ in TABLES[table]] + MEMBER_FIELDS)
        kind = type_of(table, field)
        ops = OPERATORS.get(kind, ALL_OPERATORS)
        if is_common:
            ops = ["eq", "gt", "gte", "lt", "lte", "between"] if kind in ("time", "amount") \
                else ["eq", "eq", "eq", "in", "neq", "isnotnull"]
        op = self.random.choice(ops)
        if op in ("isnull", "isnotnull"):
            return field, op, []
        count = {"in": self.random.choice([1, 2, 3, 9, 40]), "between": 2}.get(op, 1)
        operands = [NULL if self.chance(0.03) else self.operand(table, field, kind, op) for _ in range(count)]
        if op == "between" and all(one.kind == "number" for one in operands) and kind == "amount":
            operands.sort(key=lambda one: int(one.value))
        return field, op, operands

    def operand(self, table, field, kind, op):
        if kind == "metadata":
            if op in ("like", "ilike"):
                known = json.loads(self.random.choice(MEMBERS))
                return text_operand(self.pattern(known if isinstance(known, str) else "abc"))
            return member_operand(self.random.choice(MEMBERS))
        row = self.random.choice(self.rows_of[table])
        if kind == "either":
            field = self.random.choice(["source", "destination"]) if field == "balance_id" else field
            known = row[field] if field != "indicator" else self.random.choice(self.rows_of["balances"])[field]
            return self.text(known, op)
        if kind in ("text", "identifier"):
            return self.text(row[field], op)
        if kind == "boolean":
            return Operand(*self.random.choice([("true", "boolean", True), ("false", "boolean", False)]))
        if kind == "time":
            return self.time(value(row, field))
        if kind == "decimal":
            text = self.random.choice([row["amount"], row["amount"], "0.5", "1000", "-1.25"])
            return Operand(json.dumps(text), "number", text)
        return self.integer(int(row[field]))

    def integer(self, known):
        if self.chance(0.33):
            known += self.random.randint(-2, 2)
        return Operand(f'"{known}"' if self.chance(0.5) else str(known), "number", str(known))

    def text(self, known, op):
        known = known if known is not None else self.random.choice(TEXTS + CURRENCIES)
        if op in ("like", "ilike"):
            return text_operand(self.pattern(known))
        return text_operand(known + "x" if self.chance(0.15) else known)

    def time(self, known):
        """In one of the forms that may be written: a day, a time in UTC or elsewhere, without a zone."""
        known = 1_704_067_200_000_000 if known is None else known
        if self.chance(0.5):
            day = known // DAY * DAY
            return Operand(f'"{time_text(day)[:10]}"', "time", (day, day + DAY))
        known += self.random.randint(-1, 1)
        zone = self.random.choice(["Z", "", "+05:30", "-08:00"])
        minutes = {"+05:30": 330, "-08:00": -480}.get(zone, 0)
        return Operand(f'"{time_text(known + minutes * 60_000_000)[:-1]}{zone}"', "time", (known, known + 1))

    def pattern(self, text):
        """A pattern that may fit the text: parts replaced, cut off, escaped or left."""
        pattern = ""
        for letter in text:
            pattern += self.random.choice(["%", "_", "\\" + letter, letter.swapcase()[:1], letter + "%"]) \
                if self.chance(0.2) else letter
        if self.chance(0.3):
            pattern = "%" + pattern
        if self.chance(0.3):
            pattern = pattern[:len(pattern) // 2] + "%"
        return pattern

    # MARK: Groups

    def aggregate(self, table):
        filters = [self.predicate(table) for _ in range(self.random.choice([0, 0, 1, 2]))]
        group_by = self.random.sample(GROUPS[table], self.random.choice([0, 1, 1, 2, 2, 3]))
        asked = self.random.sample(metrics(table), self.random.randint(1, 5))
        having = [self.having(table, self.random.choice(asked)) for _ in range(self.random.choice([0, 0, 0, 1, 2]))]
        sort_by = self.random.choice([None, None, self.random.choice(asked)]
                                     + ([self.random.choice(group_by)] if group_by else []))
        order = self.random.choice([None, "asc", "desc"])
        return {"kind": "aggregate", "table": table, "form": "aggregate", "filters": filters,
                "any": self.chance(0.33), "group_by": group_by, "metrics": asked, "having": having,
                "sort_by": sort_by, "order": order,
                "ascending": order == "asc" or order is None and sort_by is None,
                "limit": self.random.choice([None, None, 1, 3, 10])}

    def having(self, table, metric):
        op = self.random.choice(ALL_OPERATORS)
        if op in ("isnull", "isnotnull"):
            return metric, op, []
        count = {"in": 3, "between": 2}.get(op, 1)
        return metric, op, [self.bound(table, metric) for _ in range(count)]

    def bound(self, table, metric):
        row = self.random.choice(self.rows_of[table])
        function, _, field = metric.partition(":")
        if function == "count":
            return self.integer(self.random.choice([0, 1, 2, 5, 20, len(self.rows_of[table]) // 6]))
        if field == "created_at":
            return self.time(value(row, "created_at"))
        assert field in AMOUNTS[table]
        if function == "avg" and self.chance(0.3):
            return Operand('"0.5"', "number", "0.5")
        return self.integer(int(row[field]) * self.random.choice([1, 1, 10]))


# MARK: As requests


def conditions(question, name):
    key = "metric" if name == "having" else "field"
    texts = []
    for field, op, operands in question[name]:
        text = f'{{"{key}":{json.dumps(field, ensure_ascii=False)},"operator":"{op}"'
        if op in ("in", "between"):
            text += ',"values":[' + ",".join(operand.json for operand in operands) + "]"
        elif operands:
            text += ',"value":' + operands[0].json
        texts.append(text + "}")
    return f'"{name}":[' + ",".join(texts) + "]"


def params(question):
    """The question as the params of its method, as JSON."""
    parts = []
    if question["form"] == "list":
        for field, op, operands in question["filters"]:
            written = "true" if not operands else operands[0].json
            if op in ("in", "between"):
                written = "[" + ",".join(operand.json for operand in operands) + "]"
            if op == "in" and operands and all(is_plain(operand) for operand in operands):
                written = json.dumps(", ".join(operand.value for operand in operands), ensure_ascii=False)
            parts.append(f"{json.dumps(field + '_' + op, ensure_ascii=False)}:{written}")
    else:
        parts.append(conditions(question, "filters"))
    if question["any"]:
        parts.append('"logical_operator":"or"')
    if question["limit"] is not None:
        parts.append(f'"limit":{question["limit"]}')
    if question["kind"] == "aggregate":
        parts.append(f'"metrics":{json.dumps(question["metrics"])}')
        parts.append(f'"group_by":{json.dumps(question["group_by"])}')
        if question["having"]:
            parts.append(conditions(question, "having"))
        if question["sort_by"]:
            parts.append(f'"sort_by":"{question["sort_by"]}"')
        if question["order"]:
            parts.append(f'"sort_order":"{question["order"]}"')
    else:
        if question["sort"]:
            field, ascending = question["sort"]
            parts.append(f'"sort_by":{json.dumps(field, ensure_ascii=False)}')
            parts.append('"sort_order":"asc"' if ascending else '"sort_order":"desc"')
        if question["offset"]:
            parts.append(f'"offset":{question["offset"]}')
        if question["count"]:
            parts.append('"include_count":true')
    return "{" + ",".join(parts) + "}"


def is_plain(operand):
    """Whether a comma list can hold it."""
    return operand.kind == "text" and operand.value and operand.value.strip(" ") == operand.value \
        and "," not in operand.value


def method(question):
    return question["table"] + "." + (question["form"] if question["form"] in ("list", "aggregate") else "filter")
