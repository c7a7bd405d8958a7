"""Mails on their way: to the SMTP server that the settings name, else as files in a folder and to the log."""

import asyncio
import contextlib
import logging
import smtplib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from email.errors import MessageError
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid, parseaddr
from pathlib import Path

from aggregator.settings import Settings, Smtp

FOLDER = "mail"
TIMEOUT_S = 20
SENDER = "Karman <karman@localhost>"

_log = logging.getLogger("karman.mail")


class Unsendable(Exception):
    """No server will ever take this mail: trying again is of no use."""


class NotSent(Exception):
    """The server did not take the mail now; it may later."""


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail in plain text."""

    to: str
    subject: str
    text: str


class Post:
    """Sends letters. `is_real` says whether they reach people, and not only the operator's folder."""

    def __init__(self, settings: Settings) -> None:
        self._server = settings.mail_server
        self._sender = settings.mail_from or SENDER
        self.folder = settings.data / FOLDER
        self.is_real = self._server is not None

    async def send(self, letter: Letter) -> None:
        """Hand it over; in a thread, as mail servers are slow. Raises Unsendable or NotSent."""
        message = _message(letter, self._sender)
        await asyncio.to_thread(self._hand_over, message, letter)

    def _hand_over(self, message: EmailMessage, letter: Letter) -> None:
        if self._server is None:
            _keep(self.folder, message)
            _log.info("mail to %s: %s\n%s", letter.to, letter.subject, letter.text)
            return
        try:
            with connected(self._server) as server:
                server.send_message(message, to_addrs=[letter.to])
        except (smtplib.SMTPRecipientsRefused, smtplib.SMTPNotSupportedError, UnicodeEncodeError) as error:
            if _is_for_now(error):
                raise NotSent(str(error)) from error
            raise Unsendable(str(error)) from error
        except (OSError, smtplib.SMTPException) as error:
            raise NotSent(str(error)) from error


@contextlib.contextmanager
def connected(server: Smtp) -> Iterator[smtplib.SMTP]:
    """A connection that is encrypted as the settings ask and signed in; raises OSError or SMTPException."""
    # Reading the certificates of this machine takes longer than sending a mail to a neighbour.
    tls = None if server.tls == "none" else ssl.create_default_context()
    if server.tls == "implicit":
        opened: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=TIMEOUT_S, context=tls)
    else:
        opened = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)
    with opened:
        try:
            if server.tls == "starttls":
                opened.starttls(context=tls)
            if server.user:
                opened.login(server.user, server.password)
        except smtplib.SMTPNotSupportedError as error:
            # It is the server that cannot, at this moment, and not the mail.
            raise smtplib.SMTPException(f"{server.host}: {error}") from error
        yield opened


def _message(letter: Letter, sender: str) -> EmailMessage:
    """Raises Unsendable for an address that would not stay one in a header."""
    message = EmailMessage()
    name, address = parseaddr(sender)
    try:
        message["To"] = Address(addr_spec=letter.to)
        message["From"] = Address(name, addr_spec=address)
    except (ValueError, IndexError, AttributeError, MessageError) as error:
        raise Unsendable(f"{letter.to!r} cannot stand in a mail.") from error
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = make_msgid(domain=address.rpartition("@")[2])
    # So that no holiday notice answers it.
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    return message


def _is_for_now(error: Exception) -> bool:
    """Greylisting and full mailboxes pass; a 5xx does not (RFC 5321, 4.2.1)."""
    if not isinstance(error, smtplib.SMTPRecipientsRefused):
        return False
    return any(400 <= status < 500 for status, _ in error.recipients.values())


def _keep(folder: Path, message: EmailMessage) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    stamp = datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")
    (folder / f"{stamp}.eml").write_bytes(message.as_bytes())
