# The tables as both sides have them: the fields that can be asked, and PostgreSQL's columns for them.
from books import IDENTITY_FIELDS, KEYS, microseconds

# Name, type of the field, column's type.
BALANCES = [
    ("balance_id", "identifier", "text"), ("ledger_id", "identifier", "text"), ("identity_id", "identifier", "text"),
    ("indicator", "text", "text"), ("currency", "text", "text"), ("balance", "amount", "numeric"),
    ("credit_balance", "amount", "numeric"), ("debit_balance", "amount", "numeric"),
    ("inflight_balance", "amount", "numeric"), ("inflight_credit_balance", "amount", "numeric"),
    ("inflight_debit_balance", "amount", "numeric"), ("currency_multiplier", "integer", "bigint"),
    ("version", "integer", "bigint"), ("track_fund_lineage", "boolean", "boolean"),
    ("allocation_strategy", "text", "text"), ("created_at", "time", "timestamptz"),
]
TRANSACTIONS = [
    ("transaction_id", "identifier", "text"), ("parent_transaction", "identifier", "text"),
    ("source", "identifier", "text"), ("destination", "identifier", "text"), ("balance_id", "either", None),
    ("indicator", "either", None), ("reference", "text", "text"), ("currency", "text", "text"),
    ("precise_amount", "amount", "numeric"), ("amount", "decimal", None), ("precision", "integer", "bigint"),
    ("status", "text", "text"), ("description", "text", "text"), ("effective_date", "time", "timestamptz"),
    ("created_at", "time", "timestamptz"),
]
LEDGERS = [("ledger_id", "identifier", "text"), ("name", "text", "text"), ("created_at", "time", "timestamptz")]
IDENTITIES = [("identity_id", "identifier", "text")] + [(name, "text", "text") for name in IDENTITY_FIELDS] + [
    ("created_at", "time", "timestamptz")]

TABLES = {"balances": BALANCES, "transactions": TRANSACTIONS, "ledgers": LEDGERS, "identities": IDENTITIES}
# One member of the metadata as a field, with a key that no row has.
MEMBER_FIELDS = ["meta_data." + key for key in KEYS + ["none"]]

GROUPS = {
    "balances": ["ledger_id", "identity_id", "indicator", "currency", "track_fund_lineage", "allocation_strategy",
                 "created_at:day", "created_at:month", "created_at:year"],
    "transactions": ["source", "destination", "currency", "status", "created_at:day", "created_at:month",
                     "created_at:year"],
}
AMOUNTS = {"balances": [name for name, kind, _ in BALANCES if kind == "amount"], "transactions": ["precise_amount"]}


def metrics(table):
    return ["count", "min:created_at", "max:created_at"] + [
        f"{function}:{field}" for function in ("sum", "min", "max", "avg") for field in AMOUNTS[table]]


def type_of(table, field):
    if field.startswith("meta_data."):
        return "metadata"
    return next(kind for name, kind, _ in TABLES[table] if name == field)


def identifier_of(table):
    return TABLES[table][0][0]


def columns(table):
    return [name for name, _, column in TABLES[table] if column] + ["seq", "meta_data", "meta_text"]


def definition(table):
    """The table with Blnk's columns, the order of creation beside them, and the metadata as it was written:
    jsonb forgets how numbers and objects were written, which `like`, `in` and the order look at."""
    lines = [f"{name} {column}" for name, _, column in TABLES[table] if column]
    return (f"DROP TABLE IF EXISTS {table}; CREATE TABLE {table} ({', '.join(lines)}, seq bigint PRIMARY KEY, "
            f"meta_data jsonb NOT NULL, meta_text json NOT NULL);\n")


def load(postgres, books):
    """Puts all rows of the books into PostgreSQL.
    - Returns: the rows by table, as the server shows them, in order of creation."""
    postgres.run("".join(definition(table) for table in TABLES))
    rows = {table: books.rows(table) for table in TABLES}
    for table, shown in rows.items():
        names = columns(table)
        postgres.load(table, names, ([row["meta_text"] if name == "meta_data" else row[name] for name in names]
                                     for row in shown))
    postgres.run("CREATE INDEX ON balances (indicator); CREATE UNIQUE INDEX ON balances (balance_id);"
                 "CREATE INDEX ON transactions (source); CREATE INDEX ON transactions (destination); ANALYZE;")
    return rows


def value(row, field):
    """The field's value in a row, as a filter would compare with it; times in microseconds."""
    found = row.get(field)
    return microseconds(found) if field in ("created_at", "effective_date") and found is not None else found
