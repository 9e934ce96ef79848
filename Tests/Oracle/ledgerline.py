# The real server as a process, and a client that speaks to its socket.
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time


class Refused(Exception):
    pass


class Server:
    """`ledgerline serve` on a temporary directory, from the start of `with` to its end."""

    def __init__(self, program):
        self.program = program

    def __enter__(self):
        self.directory = tempfile.mkdtemp(prefix="ledgerline-oracle-")
        path = self.directory + "/socket"
        self.errors = open(self.directory + "/errors", "wb")
        self.process = subprocess.Popen(
            [self.program, "serve", "--data", self.directory + "/data", "--socket", path, "--durability", "none"],
            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self.errors)
        for _ in range(600):
            if self.process.poll() is not None:
                break
            try:
                return Client(path)
            except (FileNotFoundError, ConnectionRefusedError):
                time.sleep(0.05)
        text = open(self.directory + "/errors", encoding="utf-8").read()
        self.__exit__()
        raise RuntimeError("the server does not start: " + text)

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.errors.close()
        shutil.rmtree(self.directory, ignore_errors=True)


class Client:
    def __init__(self, path):
        self.socket = socket.socket(socket.AF_UNIX)
        self.socket.settimeout(600)
        self.socket.connect(path)
        self.file = self.socket.makefile("rb")

    def call(self, method, params):
        """The result. Params: an object, or its JSON."""
        return self.call_all([(method, params)])[0]

    def call_all(self, calls):
        """The results of several requests, sent before the first answer is read."""
        lines = "".join(line(place, method, params) for place, (method, params) in enumerate(calls))
        self.socket.sendall(lines.encode())
        return [self._answer(calls[place]) for place in range(len(calls))]

    def _answer(self, call):
        answer = self._message()
        if "result" not in answer:
            raise Refused(f"{call[0]} {call[1]}\n  {json.dumps(answer['error'], ensure_ascii=False)}")
        return answer["result"]

    def _message(self):
        text = self.file.readline()
        if not text:
            raise RuntimeError("the server has gone")
        return json.loads(text)

    def stream(self, method, params):
        """All rows of a streamed answer."""
        self.socket.sendall(line(0, method, params, ',"stream":true').encode())
        rows = []
        while True:
            message = self._message()
            if message.get("method") != "stream":
                if "result" not in message:
                    raise Refused(f"{method} {params}\n  {message}")
                return rows
            rows += message["params"]["rows"]


def line(number, method, params, more=""):
    if not isinstance(params, str):
        params = json.dumps(params, ensure_ascii=False)
    return f'{{"id":{number},"method":"{method}","params":{params}{more}}}\n'


def program():
    """The program under test."""
    root = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return os.environ.get("LEDGERLINE_BINARY") or root + "/.build/debug/ledgerline"
