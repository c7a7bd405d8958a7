"""A shop's own server that is told of events, and the library it verifies them with (npm's standardwebhooks)."""

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"


@dataclass(frozen=True)
class Hooked:
    """One POST that the shop's server has received."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    def item(self) -> dict[str, Any]:
        """The event as the feed has it."""
        return {"id": self.id, **json.loads(self.body)}


Answer = tuple[int, dict[str, str]]
TAKEN: Answer = (204, {})


@dataclass
class Receiver:
    """Listens on localhost, keeps what comes, and answers what `answers` says, in a thread for each call."""

    port: int
    answers: Callable[[Hooked], Answer] = lambda hooked: TAKEN
    hooked: list[Hooked] = field(default_factory=list)

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self.port}"

    def url(self, path: str = "/karman") -> str:
        return f"http://{self.host}{path}"

    def take(self) -> list[Hooked]:
        """What came since it was last asked."""
        taken, self.hooked = self.hooked, []
        return taken


@contextmanager
def receiver() -> Iterator[Receiver]:
    """One that answers inside the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["content-length"]))
            hooked = Hooked(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            found.hooked.append(hooked)
            status, headers = found.answers(hooked)
            self.send_response(status)
            for name, value in {"content-length": "0", **headers}.items():
                self.send_header(name, value)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    found = Receiver(server.server_address[1])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield found
    finally:
        server.shutdown()
        server.server_close()


Verify = Callable[[str, Hooked], Any]
"""What a secret's owner reads in a call; None where the library refuses it."""


@contextmanager
def verifier() -> Iterator[Verify]:
    """The library, running inside the block."""
    command = ["node", "webhooks.mjs"]
    process = subprocess.Popen(command, cwd=SCRIPTS, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def verify(secret: str, hooked: Hooked) -> Any:
        line = json.dumps({"secret": secret, "headers": hooked.headers, "body": hooked.body.decode()})
        print(line, file=process.stdin, flush=True)
        answer = process.stdout.readline() if process.stdout else ""
        assert answer, "The library did not start: run `make setup-tests`."
        return json.loads(answer).get("ok")

    try:
        yield verify
    finally:
        process.kill()
        process.communicate()
