# Books made by a seed through the socket, with all that makes filters hard, and the same rows for PostgreSQL.
import datetime
import json

CURRENCIES = ["USD", "EUR", "GBP", "usd", "JPY", "Kč"]
TEXTS = ["", "a", "A", "abc", "ABC", "Abd", "ä", "Ä", "straße", "50%", "a_b", "back\\slash", "zürich", "ZÜRICH",
         "日本", 'quote"d', "line\nbreak", "x", "aab", "aaab", "it's", "😀"]
# Members of metadata, as compact JSON.
MEMBERS = ["5", "5.0", "50e-1", "-3.25", "0", "-0", "1E+3", "0.000001", "12", "123456789012345678901234567890",
           '"5"', '"12.5"', '"abc"', '"ABC"', '""', '"a\\"b\\\\c\\n\\u00e4"', '"\\ud83d\\ude00"', '"05"', '" 5"',
           '"1e1"', "true", "false", "null", '{"x":[1,"]}"]}', "[]", '["a",{"k":"v"}]']
KEYS = ["k", "kk", "a.b", "ü"]
INDICATORS = ["@World", "@world", "@ä", "@fees"]
STRATEGIES = ["FIFO", "LIFO", "PROPORTIONAL"]
IDENTITY_FIELDS = [
    "identity_type", "first_name", "last_name", "other_names", "gender", "dob", "email_address", "phone_number",
    "nationality", "organization_name", "category", "street", "country", "state", "post_code", "city"]

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)


def microseconds(text):
    """The time of an answer, in microseconds since 1970."""
    whole, _, fraction = text.rstrip("Z").partition(".")
    time = datetime.datetime.strptime(whole + "+0000", "%Y-%m-%dT%H:%M:%S%z") - EPOCH
    return (time.days * 86_400 + time.seconds) * 1_000_000 + int((fraction + "000000")[:6])


def time_text(time):
    """Microseconds since 1970 as RFC 3339 in UTC."""
    moment = EPOCH + datetime.timedelta(microseconds=time)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.%f") + "Z"


class Books:
    """Fills a server, and keeps the order of creation and the metadata as it was written."""

    def __init__(self, client, random, balance_count, transaction_count):
        self.client, self.random = client, random
        self.metadata = {}
        self.order = {"ledgers": ["general_ledger_id"], "identities": [], "balances": [], "transactions": []}
        self.currency_of = {}
        self.indicators = set()
        self.references = 0
        self.has_old_times = random.random() < 0.5
        for number in range(8):
            self.add_ledger(number)
        for number in range(30):
            self.add_identity(number)
        while len(self.order["balances"]) < balance_count:
            self.add_balances(min(balance_count - len(self.order["balances"]),
                                  random.randint(1, 40 if balance_count < 10_000 else 6000)))
        while len(self.order["transactions"]) < transaction_count:
            self.add_transactions(random.choice([1, 1, 3, 20, 100]))
        for _ in range(60):
            self.change()

    # What is written

    def member_text(self):
        members = {}
        for key in KEYS:
            if self.random.random() < 0.5:
                members[key] = self.random.choice(MEMBERS)
        return members

    def with_metadata(self, params):
        """Params as JSON with metadata in two of three, and that metadata."""
        members = self.member_text() if self.random.random() < 0.67 else {}
        text = json.dumps(params, ensure_ascii=False)
        if members:
            text = text[:-1] + ("," if params else "") + '"meta_data":' + object_text(members) + "}"
        return text, members

    def old_time(self):
        """Few different days, some of them with equal times."""
        base = 1_704_067_200_000_000 + self.random.randrange(40) * 86_400_000_000
        return base + self.random.choice([0, 0, 1, 999_999, 43_200_000_000, self.random.randrange(86_400_000_000)])

    def add_ledger(self, number):
        params = {"name": self.random.choice(TEXTS) or "n"}
        if self.random.random() < 0.5:
            params["ledger_id"] = f"ldg_own-{number % 3}{number}_Z"
        if self.random.random() < 0.25:
            params["created_at"] = time_text(self.old_time())
        text, members = self.with_metadata(params)
        self.note("ledgers", self.client.call("ledgers.create", text)["ledger_id"], members)

    def add_identity(self, number):
        params = {name: self.random.choice(TEXTS) for name in IDENTITY_FIELDS if self.random.random() < 0.5}
        if self.random.random() < 0.25:
            params["identity_id"] = f"idt_me{number}"
        text, members = self.with_metadata(params)
        self.note("identities", self.client.call("identities.create", text)["identity_id"], members)

    def add_balances(self, count):
        items, facts = [], []
        for number in range(count):
            params = {"ledger_id": self.random.choice(self.order["ledgers"]),
                      "currency": self.random.choice(CURRENCIES),
                      "currency_multiplier": self.random.choice([1, 100, 1000, 2**62]),
                      "allocation_strategy": self.random.choice(STRATEGIES)}
            if self.random.random() < 0.5:
                params["identity_id"] = self.random.choice(self.order["identities"])
                params["track_fund_lineage"] = self.random.random() < 0.3
            if self.random.random() < 0.12:
                params["balance_id"] = f"bln_Own_{len(self.order['balances'])}-{number}"
            if self.has_old_times and self.random.random() < 0.5:
                params["created_at"] = time_text(self.old_time())
            text, members = self.with_metadata(params)
            items.append(text)
            facts.append((params["currency"], members))
        made = self.client.call("balances.create_many", '{"balances":[' + ",".join(items) + "]}")
        for balance, (currency, members) in zip(made["balance_ids"], facts):
            self.note("balances", balance, members)
            self.currency_of.setdefault(currency, []).append(balance)

    def amount(self):
        if self.random.random() < 0.15:
            return self.random.choice([2**63 - 1, 2**63, 2**64, 10**19, 10**30, 10**60, 2**62]) \
                + self.random.randint(-1, 1)
        return self.random.choice([1, 2, 10, 1000, 123_456, self.random.randrange(1, 100_000)])

    def add_transactions(self, count):
        items, facts = [], []
        for _ in range(count):
            self.references += 1
            currency = self.random.choice(sorted(self.currency_of))
            parties = self.random.sample(self.currency_of[currency], 2)
            if self.random.random() < 0.3:
                parties[1] = self.random.choice(INDICATORS)
                # A new one is made by a request of its own, so that its place in the order is known.
                if (parties[1], currency) not in self.indicators:
                    self.add_indicator(parties[1], currency)
            self.random.shuffle(parties)
            params = {"source": parties[0], "destination": parties[1], "currency": currency,
                      "precise_amount": str(self.amount()), "precision": self.random.choice([1, 3, 100, 1000]),
                      "reference": f"ref-{self.references % 5}-{self.references}", "allow_overdraft": True}
            if self.random.random() < 0.5:
                params["description"] = self.random.choice(TEXTS)
            if self.random.random() < 0.5:
                params["effective_date"] = time_text(self.old_time())
            text, members = self.with_metadata(params)
            items.append(text)
            facts.append(members)
        if count == 1:
            made = [self.client.call("transactions.create", items[0])]
        else:
            text = '{"transactions":[' + ",".join(items) + "]}"
            made = self.client.call("transactions.create_many", text)["results"]
        for transaction, members in zip(made, facts):
            self.note("transactions", transaction["transaction_id"], members)

    def add_indicator(self, indicator, currency):
        self.indicators.add((indicator, currency))
        made = self.client.call("balances.create", {
            "ledger_id": "general_ledger_id", "currency": currency, "indicator": indicator})
        self.note("balances", made["balance_id"], {})

    def change(self):
        table = self.random.choice(["ledgers", "identities", "balances", "balances", "transactions", "identity"])
        if table == "identity":
            self.client.call("balances.update_identity", {
                "balance_id": self.random.choice(self.order["balances"]),
                "identity_id": self.random.choice(self.order["identities"])})
            return
        identifier = self.random.choice(self.order[table])
        if identifier == "general_ledger_id":
            return
        members = self.member_text()
        self.client.call("metadata.update", f'{{"id":"{identifier}","meta_data":{object_text(members)}}}')
        for key, text in members.items():
            self.metadata[identifier].pop(key, None) if text == "null" \
                else self.metadata[identifier].update({key: text})

    def note(self, table, identifier, members):
        self.order[table].append(identifier)
        self.metadata[identifier] = members

    # What is read back

    def rows(self, table):
        """Every row as the server shows it, with `seq`, its place in the order of creation."""
        identifier = {"identities": "identity_id"}.get(table, table[:-1] + "_id")
        shown = {row[identifier]: row for row in self.client.stream(table + ".filter", {"filters": []})}
        rows = [shown.pop(name) for name in self.order[table]]
        if shown:
            raise RuntimeError(f"{table}: rows that nobody made: {list(shown)[:3]}")
        for seq, (row, name) in enumerate(zip(rows, self.order[table])):
            members = self.metadata.get(name, {})
            if row["meta_data"] != json.loads(object_text(members)):
                raise RuntimeError(f"{name}: meta_data is {row['meta_data']}, not {object_text(members)}")
            row["seq"] = seq
            row["meta_text"] = object_text(members)
        return rows


def object_text(members):
    return "{" + ",".join(f"{json.dumps(key, ensure_ascii=False)}:{text}" for key, text in members.items()) + "}"
