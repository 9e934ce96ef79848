# What all peers share: the questions, the canonical form of an answer with its digest, and the stopwatch.

import datetime
import decimal
import gc
import json
import os
import time

# The columns of a page, as every peer selects them.
COLUMNS = ["balance_id", "ledger_id", "identity_id", "indicator", "currency", "balance", "credit_balance",
           "debit_balance", "inflight_balance", "currency_multiplier", "version", "track_fund_lineage",
           "allocation_strategy", "created_at"]
AMOUNTS = ("balance", "credit_balance", "debit_balance")
CANONICAL = ["balance_id", "ledger_id", "identity_id", "indicator", "currency", "balance", "credit_balance",
             "debit_balance", "inflight_balance", "version", "created_at"]
PLACES = [COLUMNS.index(name) for name in CANONICAL]
OPERATORS = {"eq": "=", "neq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
RUN_LIMIT, LEAST_RUNS = 1000, 7


class Question:
    """A filter, an aggregate, a look-up, or several of them ("many").

    conditions: (field, operator, value) with operators = <> > >= < <= in like; times are microseconds.
    """

    def __init__(self, method, params):
        self.kind = "page"
        self.conditions, self.any = [], params.get("logical_operator") == "or"
        self.sort, self.ascending = params.get("sort_by"), params.get("sort_order") == "asc"
        self.limit, self.offset = params.get("limit", 20), params.get("offset", 0)
        self.count = params.get("include_count", False)
        if method in ("balances.query", "one by one"):
            self.kind = "many"
            self.parts = [Question(part.get("method", "balances.aggregate" if "metrics" in part
                                            else "balances.filter"), part.get("params", part))
                          for part in params.get("queries", params.get("requests", []))]
            return
        if method == "balances.aggregate":
            self.kind = "aggregate"
            self.groups, self.metrics = params.get("group_by", []), params["metrics"]
            self.limit = params.get("limit")
        if method == "balances.get":
            self.limit = None
            self.add("balance_id", "eq", params["balance_id"])
        elif method == "balances.list":
            for name, value in params.items():
                field, _, operator = name.rpartition("_")
                if operator in OPERATORS or operator in ("in", "like"):
                    self.add(field, operator, value.split(",") if operator == "in" else value)
        for one in params.get("filters", []):
            self.add(one["field"], one["operator"], one["values"] if "values" in one else one["value"])

    def add(self, field, operator, value):
        if field == "created_at":
            start, end = time_range(value)
            bounds = {"gte": [(">=", start)], "lt": [("<", start)], "gt": [(">=", end)], "lte": [("<", end)],
                      "eq": [(">=", start), ("<", end)]}[operator]
            self.conditions += [(field, sign, bound) for sign, bound in bounds]
        elif field in AMOUNTS:
            self.conditions.append((field, OPERATORS[operator], int(value)))
        else:
            self.conditions.append((field, OPERATORS.get(operator, operator), value))


def time_range(text):
    """The microseconds that a written time stands for: one, or a whole day."""
    if len(text) == 10:
        start = datetime.datetime.fromisoformat(text + "T00:00:00+00:00")
        return int(start.timestamp()) * 1_000_000, int(start.timestamp() + 86_400) * 1_000_000
    start = int(datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()) * 1_000_000
    return start, start + 1


def time_text(value):
    """Microseconds, or a datetime in UTC, in the form of the server's answers."""
    if isinstance(value, datetime.datetime):
        moment = value if value.tzinfo else value.replace(tzinfo=datetime.timezone.utc)
        moment = moment.astimezone(datetime.timezone.utc)
    elif isinstance(value, str):
        return value
    else:
        moment = datetime.datetime.fromtimestamp(value // 1_000_000, datetime.timezone.utc)
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def load_shapes(directory, only):
    with open(os.path.join(directory, "shapes.json"), encoding="utf-8") as file:
        shapes = json.load(file)
    chosen = [shape for shape in shapes if not only or any(shape["name"].startswith(o) for o in only)]
    return [(shape["name"], shape["title"], Question(shape["method"], shape["params"])) for shape in chosen]


def plain(value):
    """A value as text; decimals without an exponent."""
    if value is None:
        return ""
    return format(value, "f") if isinstance(value, decimal.Decimal) else str(value)


class Canonical:
    """Collects answers as the benchmark in Swift does and gives their digest."""

    def __init__(self):
        self.text, self.rows, self.total = [], 0, None

    def add(self, kind, rows, total):
        for row in rows:
            if kind == "page":
                values = [plain(row[i]) for i in PLACES[:-1]]
                values.append(time_text(row[PLACES[-1]]))
            else:
                values = [plain(value) for value in row]
            self.text.append("|".join(values) + "\n")
            self.rows += 1
        if total is not None:
            self.total = total
            self.text.append(f"total {total}\n")

    def digest(self):
        import xxhash
        return xxhash.xxh3_64("".join(self.text).encode()).hexdigest()


def measure(body, limit, patience=20.0):
    """Times in ns: at most RUN_LIMIT and `limit` seconds, but at least LEAST_RUNS unless `patience` ends."""
    body()
    gc.collect()
    gc.disable()
    times, start = [], time.perf_counter()
    while len(times) < RUN_LIMIT:
        passed = time.perf_counter() - start
        if passed >= patience or (len(times) >= LEAST_RUNS and passed >= limit):
            break
        before = time.perf_counter_ns()
        body()
        times.append(time.perf_counter_ns() - before)
    gc.enable()
    times.sort()
    count = len(times)
    return {"runs": count, "best_ns": times[0], "median_ns": times[count // 2],
            "p99_ns": times[(count * 99 + 99) // 100 - 1]}


def resident_bytes():
    with open("/proc/self/statm", encoding="ascii") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Peer:
    """An engine. Subclasses say how it loads and which ways it has to answer a question."""

    name, version = "", ""

    def __init__(self, directory):
        self.directory = directory
        self.csv = os.path.join(directory, "balances.csv")

    def path(self, name):
        return os.path.join(self.directory, name)

    def open(self):
        """Makes the engine ready, with its data loaded from where `load` left them."""

    def close(self):
        pass

    def memory(self):
        return resident_bytes()

    def ways(self, question):
        """(name, function) for each sound way to ask; the function gives (rows, total or None)."""
        raise NotImplementedError

    def answer(self, question, functions):
        """The canonical form of the answer of one function for each part."""
        canonical = Canonical()
        for part, function in zip(parts(question), functions):
            canonical.add("page" if part.kind == "page" else "aggregate", *function())
        return canonical


def parts(question):
    return question.parts if question.kind == "many" else [question]


def fastest(ways):
    """The fastest of several ways by a short trial, and its name."""
    if len(ways) == 1:
        return ways[0]
    trials = []
    for name, function in ways:
        times = []
        for _ in range(4):
            before = time.perf_counter_ns()
            function()
            times.append(time.perf_counter_ns() - before)
            if sum(times) > 3_000_000_000:
                break
        trials.append((min(times), name, function))
    best = min(trials, key=lambda trial: trial[0])
    return best[1], best[2]


def run(peer, shapes, limit):
    """Asks every shape; its figures and digest."""
    figures = []
    for name, title, question in shapes:
        chosen = []
        try:
            chosen = [fastest(peer.ways(part)) for part in parts(question)]
            functions = [function for _, function in chosen]
            canonical = peer.answer(question, functions)

            def body(functions=functions):
                for function in functions:
                    function()
            figure = measure(body, limit)
        except Exception as error:  # a shape that fails is named, the others go on
            print(f"  {peer.name} {name} {title}: failed: {str(error)[:300]}", flush=True)
            figures.append({"name": name, "title": title, "error": str(error)[:300]})
            continue
        figure.update(name=name, title=title, way=chosen[0][0] if len(chosen) == 1 else "",
                      rows=canonical.rows, digest=canonical.digest())
        if canonical.total is not None:
            figure["total"] = canonical.total
        figures.append(figure)
        print(f"  {peer.name:11} {name:4} {title:36} {figure['median_ns'] / 1e6:10.3f} ms "
              f"p99 {figure['p99_ns'] / 1e6:10.3f}  {figure['way']:12} rows {canonical.rows:5} "
              f"{'' if canonical.total is None else canonical.total:>9} {canonical.digest()}", flush=True)
    return figures
