"""A mail server that keeps what it is given, so that tests read the mails that people would."""

import email
import re
import socketserver
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import default
from urllib.parse import urlsplit

PATIENCE_S = 20


@dataclass
class Mailbox:
    """Mails by the order of their coming; `refuses` is answered instead of taking one."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    refuses: str = ""
    refused: int = 0

    @property
    def arguments(self) -> tuple[str, ...]:
        """The settings of a service that sends here."""
        return ("--smtp", f"smtp://127.0.0.1:{self.port}?tls=none", "--mail-from", "Карман <karman@example.org>")

    def of(self, address: str) -> list[EmailMessage]:
        """What has come for an address."""
        return [mail for mail in self.mails if mail["To"].addresses[0].addr_spec == address]

    def next(self, address: str, count: int = 1) -> EmailMessage:
        """The last mail for an address, once `count` of them have come."""
        ends = time.monotonic() + PATIENCE_S
        while len(self.of(address)) < count:
            assert time.monotonic() < ends, f"no mail {count} for {address}"
            time.sleep(0.05)
        return self.of(address)[count - 1]


def link(mail: EmailMessage) -> tuple[str, str]:
    """The path and the token of the link in a mail."""
    [found] = re.findall(r"^https?://\S+", mail.get_content(), re.MULTILINE)
    parts = urlsplit(found)
    return parts.path, parts.fragment


class _Session(socketserver.StreamRequestHandler):
    """The few words of SMTP (RFC 5321) that a client needs."""

    def handle(self) -> None:
        # A service that was ended leaves in the middle of a word.
        with suppress(ConnectionError):
            self._serve()

    def _serve(self) -> None:
        box: Mailbox = self.server.box  # type: ignore[attr-defined]
        self._say("220 here")
        while line := self.rfile.readline():
            word = line[:4].upper()
            if word == b"QUIT":
                self._say("221 bye")
                return
            if word == b"RCPT" and box.refuses:
                box.refused += 1
                self._say(box.refuses)
            elif word == b"DATA":
                self._say("354 go on")
                self._take(box)
            else:
                self._say("250-here\r\n250 SMTPUTF8" if word == b"EHLO" else "250 ok")

    def _take(self, box: Mailbox) -> None:
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        mail = email.message_from_bytes(b"".join(lines), policy=default)
        assert isinstance(mail, EmailMessage)
        box.mails.append(mail)
        self._say("250 kept")

    def _say(self, text: str) -> None:
        self.wfile.write(f"{text}\r\n".encode())


class _Server(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


@contextmanager
def mailbox() -> Iterator[Mailbox]:
    """A mail server inside the block."""
    with _Server(("127.0.0.1", 0), _Session) as server:
        box = Mailbox(server.server_address[1])
        server.box = box  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield box
        server.shutdown()
