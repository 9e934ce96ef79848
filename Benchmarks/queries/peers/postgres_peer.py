# PostgreSQL through its Unix socket, with an index for every (filter, order) of the questions.

import os
import pwd
import shutil
import subprocess
import threading
import time

from sql_peer import SQLPeer, quoted

INDEXES = [
    "unique index i_id on balances(balance_id)",
    "unique index i_seq on balances(seq)",
    "index i_created on balances(created_at, seq)",
    "index i_currency_created on balances(currency, created_at, seq)",
    "index i_ledger_created on balances(ledger_id, created_at, seq)",
    "index i_balance on balances(balance, seq)",
    "index i_ledger_balance on balances(ledger_id, balance, seq)",
    "index i_currency_balance on balances(currency, balance, seq)",
    "index i_identity on balances(identity_id, created_at, seq)",
    "index i_debit on balances(debit_balance, seq)",
    "index i_currency on balances(currency, seq)",
    "index i_sums on balances(ledger_id, currency, balance) include (credit_balance, debit_balance, created_at)",
    "index i_indicator_created on balances(created_at, seq) include (indicator) where indicator is not null",
    "index i_indicator on balances(indicator) where indicator is not null",
    "index i_indicator_rev on balances(reverse(indicator)) where indicator is not null",
    "index i_indicator_trigrams on balances using gin (indicator gin_trgm_ops) where indicator is not null",
    "index i_credit on balances(credit_balance, seq)",
]
TABLE = """create unlogged table balances (seq int not null, balance_id text not null, ledger_id text not null,
  identity_id text, indicator text, currency text not null, balance numeric not null,
  credit_balance numeric not null, debit_balance numeric not null, inflight_balance numeric not null,
  currency_multiplier int not null, version int not null, track_fund_lineage bool not null,
  allocation_strategy text not null, created_at timestamptz not null)"""


class PostgresPeer(SQLPeer):
    name = "postgres"

    def __init__(self, directory):
        super().__init__(directory)
        import psycopg
        self.psycopg = psycopg
        found = sorted(os.listdir("/usr/lib/postgresql"), key=int)
        self.bin = f"/usr/lib/postgresql/{found[-1]}/bin/"
        self.store = self.path("postgres")
        self.done = self.path("postgres/loaded")
        self.settings = []

    # --- The server ---

    def command(self, *arguments):
        """Runs a program of PostgreSQL's, which refuses to work for root."""
        as_user = ["runuser", "-u", "postgres", "--"] if os.geteuid() == 0 else []
        subprocess.run(as_user + list(arguments), check=True, cwd="/", stdout=subprocess.DEVNULL)

    def start(self, shared):
        options = {"listen_addresses": "", "unix_socket_directories": self.store, "shared_buffers": shared,
                   "fsync": "off", "full_page_writes": "off", "wal_level": "minimal", "max_wal_senders": "0",
                   "max_wal_size": "8GB", "checkpoint_timeout": "1h", "autovacuum": "off", "jit": "off",
                   "work_mem": "256MB", "maintenance_work_mem": "1GB", "random_page_cost": "1.1",
                   "effective_cache_size": "16GB", "max_parallel_workers_per_gather": "2",
                   "max_worker_processes": "4", "max_parallel_maintenance_workers": "2"}
        text = " ".join(f"-c {name}={value}" if value else f"-c {name}=''" for name, value in options.items())
        self.command(self.bin + "pg_ctl", "-D", self.store + "/data", "-w", "-t", "600", "-l", self.store + "/log",
                     "-o", text, "start")

    def stop(self):
        self.command(self.bin + "pg_ctl", "-D", self.store + "/data", "-w", "-t", "600", "-m", "fast", "stop")

    def connect(self):
        return self.psycopg.connect(f"host={self.store} user=postgres dbname=postgres", autocommit=True,
                                    prepare_threshold=0)

    # --- Loading ---

    def load(self):
        shutil.rmtree(self.store, ignore_errors=True)
        os.makedirs(self.store)
        if os.geteuid() == 0:
            user = pwd.getpwnam("postgres")
            os.chown(self.store, user.pw_uid, user.pw_gid)
            os.chmod(self.directory, os.stat(self.directory).st_mode | 0o011)
        self.command(self.bin + "initdb", "-D", self.store + "/data", "-A", "trust", "-U", "postgres",
                     "--locale=C", "-E", "UTF8")
        self.start("2GB")
        try:
            with self.connect() as connection:
                connection.execute("create extension pg_trgm")
                connection.execute("create extension pg_prewarm")
                connection.execute(TABLE)
            self.copy()
            self.each(INDEXES)
            with self.connect() as connection:
                connection.execute("alter table balances alter ledger_id set statistics 1000")
                connection.execute("vacuum (analyze) balances")
        finally:
            self.stop()
        with open(self.done, "w", encoding="ascii") as file:
            file.write("yes\n")

    def copy(self):
        """The file in two pieces, by two connections."""
        size = os.path.getsize(self.csv)
        with open(self.csv, "rb") as file:
            first = len(file.readline())
            file.seek(size // 2)
            file.readline()
            middle = file.tell()

        def piece(start, end):
            with self.connect() as connection, open(self.csv, "rb") as file:
                file.seek(start)
                with connection.cursor().copy("copy balances from stdin (format csv)") as copy:
                    while start < end:
                        block = file.read(min(1 << 20, end - start))
                        start += len(block)
                        copy.write(block)

        self.threads([lambda: piece(first, middle), lambda: piece(middle, size)])

    def each(self, indexes):
        waiting = list(indexes)

        def work():
            with self.connect() as connection:
                while True:
                    try:
                        index = waiting.pop(0)
                    except IndexError:
                        return
                    start = time.time()
                    connection.execute("create " + index)
                    print(f"  postgres: {index.split(' on ')[0]} in {time.time() - start:.0f} s", flush=True)

        self.threads([work, work])

    @staticmethod
    def threads(bodies):
        failures = []

        def guarded(body):
            try:
                body()
            except Exception as error:
                failures.append(error)

        workers = [threading.Thread(target=guarded, args=(body,)) for body in bodies]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        if failures:
            raise failures[0]

    # --- Asking ---

    def open(self):
        if not os.path.exists(self.done):
            self.load()
        self.start("9GB" if os.path.getsize(self.csv) > 1 << 30 else "2GB")
        self.connection = self.connect()
        self.cursor = self.connection.cursor(binary=True)
        self.version = self.fetch("show server_version")[0][0].split(" ")[0]
        for (name,) in self.fetch("select relname::text from pg_class where relname = 'balances' or"
                                  " relname like 'i\\_%' order by relname <> 'balances'"):
            self.fetch(f"select pg_prewarm('{name}')")
        self.fetch_none("set enable_sort = on")

    def close(self):
        self.connection.close()
        self.stop()

    def memory(self):
        return int(self.fetch("select pg_total_relation_size('balances')::bigint")[0][0])

    def fetch(self, sql):
        return self.cursor.execute(sql, prepare=True).fetchall()

    def fetch_none(self, sql):
        self.cursor.execute(sql)

    def time(self, microseconds):
        text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(microseconds // 1_000_000))
        return f"timestamptz '{text}.{microseconds % 1_000_000:06}Z'"

    def period(self, unit):
        key = f"date_trunc('{unit}', created_at at time zone 'UTC')"
        return key, f"to_char({key}, '{'YYYY-MM' if unit == 'month' else 'YYYY'}')"

    def like(self, pattern):
        body = pattern.strip("%")
        if pattern == "%" + body:
            return f"indicator is not null and reverse(indicator) like {quoted(body[::-1] + '%')}"
        return f"indicator like {quoted(pattern)}"

    def page_texts(self, question):
        texts = super().page_texts(question)
        if question.limit is None:
            return texts
        if question.conditions:
            # In the order of the answer, with conditions that cannot choose an index; and the other way
            # round, the matches first, which is right where few match.
            joined = (" or " if question.any else " and ").join(
                f"({self.unindexed(*condition)})" for condition in question.conditions)
            page = f"{self.order(question)} limit {question.limit} offset {question.offset}"
            texts.append(("walk", f"select {self.selected()} from balances where {joined}{page}"))
            texts.append(("matches", f"with m as materialized (select seq, {self.selected()} from balances"
                          f"{self.where(question)}) select {self.selected()} from m{page}"))
        if question.offset > 1000:
            # What is passed over comes from the index alone.
            texts.append(("late", f"select {self.selected()} from balances where seq = any(array("
                          f"{self.page_sql(question, 'seq')})){self.order(question)}"))
        return texts

    def unindexed(self, field, sign, value):
        if sign == "like":
            return f"indicator is not null and indicator like {quoted(value)}"
        text = self.condition(field, sign, value)
        if field in ("currency", "ledger_id", "identity_id"):
            return text.replace(field, f"({field} || '')", 1)
        return text
