# A PostgreSQL cluster of its own in a temporary directory, asked through psql: no packages for Python needed.
import glob
import os
import re
import shutil
import subprocess
import tempfile


class NotInstalled(Exception):
    pass


def quoted(text):
    """A text as SQL writes it; NULL for none."""
    return "NULL" if text is None else "'" + text.replace("'", "''") + "'"


def copied(value):
    """A value as COPY reads it."""
    if value is None:
        return r"\N"
    text = {True: "t", False: "f"}.get(value, value) if isinstance(value, bool) else str(value)
    return text.replace("\\", r"\\").replace("\t", r"\t").replace("\n", r"\n").replace("\r", r"\r")


class Postgres:
    """Runs from `start` to `stop`. All text is compared as UTF-8, all times are UTC."""

    def __init__(self):
        found = glob.glob("/usr/lib/postgresql/*/bin/initdb")
        if not found or not shutil.which("psql"):
            raise NotInstalled("PostgreSQL is not installed: tools/setup --oracle")
        self.bin = os.path.dirname(max(found, key=lambda path: int(path.split("/")[4])))
        self.directory = tempfile.mkdtemp(prefix="ledgerline-oracle-")
        self.user = []
        # It refuses to run as root.
        if os.getuid() == 0:
            shutil.chown(self.directory, "postgres")
            self.user = ["runuser", "-u", "postgres", "--"]
        self.is_running = False

    def start(self):
        data, log = self.directory + "/data", self.directory + "/log"
        options = ["-A", "trust", "-U", "postgres", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync"]
        self._run([self.bin + "/initdb", "-D", data] + options)
        settings = (f"-c listen_addresses= -c unix_socket_directories={self.directory} -c fsync=off "
                    "-c timezone=UTC -c work_mem=64MB -c max_parallel_workers_per_gather=0 -c jit=off")
        self._run([self.bin + "/pg_ctl", "-D", data, "-w", "-l", log, "-o", settings, "start"])
        self.is_running = True

    def _run(self, command):
        done = subprocess.run(self.user + command, cwd=self.directory, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        if done.returncode:
            raise RuntimeError(f"{command[0]} failed:\n{done.stdout.decode()}")

    def stop(self):
        if self.is_running:
            self._run([self.bin + "/pg_ctl", "-D", self.directory + "/data", "-m", "immediate", "stop"])
        shutil.rmtree(self.directory, ignore_errors=True)

    def run(self, script):
        """What psql writes for a script: one line a row, columns apart by tabs. A fault in it is an error."""
        command = ["psql", "-X", "-q", "-A", "-t", "-F", "\t", "-v", "ON_ERROR_STOP=1", "-h", self.directory,
                   "-U", "postgres", "-f", "-"]
        done = subprocess.run(command, input=script.encode(), stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        if done.returncode:
            raise RuntimeError("PostgreSQL: " + done.stderr.decode())
        return done.stdout.decode()

    def answers(self, statements):
        """The rows of each statement, as lists of lines."""
        script = "".join(f"{statement};\n\\echo @{place}@\n" for place, statement in enumerate(statements))
        pieces = re.split(r"^@\d+@\n", self.run(script), flags=re.MULTILINE)
        return [piece.splitlines() for piece in pieces[:-1]]

    def load(self, table, columns, rows):
        """Puts rows (tuples) into a table that is there."""
        lines = "".join("\t".join(map(copied, row)) + "\n" for row in rows)
        self.run(f"COPY {table} ({', '.join(columns)}) FROM STDIN;\n{lines}\\.\n")
