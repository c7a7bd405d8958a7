"""Every setting once. Nobody else reads the environment or the command line."""

import argparse
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from email.utils import parseaddr
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

ENVIRONMENT = "KARMAN_"
MAX_PORT = 65_535
TEXT = ("auto", "off")
SMTP_TLS = {"smtp": "starttls", "smtps": "implicit"}
SMTP_PORTS = {"starttls": 587, "implicit": 465, "none": 25}


class SettingsWrong(Exception):
    """A setting cannot be used; the message says which and why."""


class Provider(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody whom people may sign in with (OpenID Connect). `id` is ours, for addresses and rows; `name` is shown."""

    id: str
    name: str
    issuer: str
    client_id: str
    client_secret: str = ""


@dataclass(frozen=True, slots=True)
class Smtp:
    """The server that takes mail. `tls` is `starttls`, `implicit` or `none`."""

    host: str
    port: int
    user: str
    password: str
    tls: str


def _setting(default: Any, words: str) -> Any:
    return field(default=default, metadata={"help": words})


@dataclass(frozen=True, slots=True)
class Settings:
    """What the operator chose, on the command line (`--public-url`) or in the environment (`KARMAN_PUBLIC_URL`).

    A setting can also be read from a file that the environment names (`KARMAN_KEYS_FILE`), for what must stay secret.
    """

    data: Path = _setting(Path("data"), "folder of the embedded default: rows, pictures and the key ring")
    host: str = _setting("127.0.0.1", "address to listen on")
    port: int = _setting(8000, "port to listen on; 0 takes a free one")
    database: str = _setting("", "postgres://user:password@host:port/name instead of SQLite in the data folder")
    blobs: str = _setting("", "s3://key:secret@host:port/bucket instead of a folder for pictures (?tls=1 for https)")
    keys: str = _setting("", "the key ring as JSON, needed with a database; `python -m aggregator keys` makes one")
    backup_passphrase: str = _setting(
        "", "passphrase of the key ring inside a backup; it is asked for where it is needed and not given"
    )
    public_url: str = _setting("", "where people reach the service, https://…; needed for anything but localhost")
    trusted_proxy: str = _setting(
        "", "addresses of reverse proxies, comma-separated, whose X-Forwarded-* headers are believed"
    )
    smtp: str = _setting(
        "", "smtp://user:password@host:587 (STARTTLS) or smtps://…:465; without it mails are files in the data folder"
    )
    mail_from: str = _setting("", "sender of mails, e.g. Karman <karman@example.org>; needed with --smtp")
    providers: str = _setting(
        "", 'who else signs people in, as JSON: [{"id","name","issuer","client_id","client_secret"}]'
    )
    private_hosts: str = _setting(
        "", "comma-separated host or host:port that may be called although they are private or speak plain http"
    )
    workers: int = _setting(2, "processes that read photos; 0 leaves the reading to others behind the same proxy")
    text: str = _setting("auto", "whether print is read, too: auto, where its engines are installed, or off")
    queue: int = _setting(8, "photos that may wait for a recognition process")
    limit_scale: int = _setting(1, "multiplies every rate limit, for load tests")
    web: Path = _setting(Path(__file__).resolve().parent.parent / "web" / "dist", "folder with the built web app")

    @property
    def address(self) -> str:
        """The address to print and to compare origins with, without a trailing slash."""
        return self.public_url.rstrip("/") or f"http://localhost:{self.port}"

    @property
    def secure(self) -> bool:
        """Whether people come over https, so that cookies may be `Secure` and `__Host-`."""
        return urlsplit(self.address).scheme == "https"

    @property
    def mail_server(self) -> Smtp | None:
        """What `smtp` says, or None where mails become files."""
        return _smtp(self.smtp) if self.smtp else None

    @property
    def sign_in_providers(self) -> tuple[Provider, ...]:
        """What `providers` says."""
        return tuple(msgspec.json.decode(self.providers, type=list[Provider])) if self.providers else ()

    @property
    def allowed_hosts(self) -> tuple[str, ...]:
        """What `private_hosts` says."""
        return tuple(filter(None, (host.strip() for host in self.private_hosts.split(","))))


def add_options(parser: argparse.ArgumentParser) -> None:
    """An option for every setting."""
    for setting in fields(Settings):
        name = f"--{setting.name.replace('_', '-')}"
        parser.add_argument(
            name, default=None, metavar="…", help=f"{setting.metadata['help']} (default: {setting.default or 'none'})"
        )


def read(options: Mapping[str, Any], environment: Mapping[str, str] = os.environ) -> Settings:
    """The settings: an option wins over the environment, that over the default; raises SettingsWrong."""
    settings = Settings()
    for setting in fields(Settings):
        text = options.get(setting.name)
        text = _from_environment(setting.name, environment) if text is None else text
        if text is not None:
            settings = replace(settings, **{setting.name: _parsed(setting.name, type(setting.default), text)})
    _check(settings)
    return settings


def _from_environment(name: str, environment: Mapping[str, str]) -> str | None:
    variable = ENVIRONMENT + name.upper()
    if path := environment.get(f"{variable}_FILE"):
        try:
            return Path(path).read_text().strip()
        except OSError as error:
            raise SettingsWrong(f"{variable}_FILE cannot be read: {error.strerror}: {path}") from error
        except UnicodeDecodeError as error:
            raise SettingsWrong(f"{variable}_FILE is not text: {path}") from error
    return environment.get(variable)


def _parsed(name: str, kind: type, text: str) -> Any:
    try:
        return int(text) if kind is int else Path(text) if issubclass(kind, Path) else text
    except ValueError:
        raise SettingsWrong(f"--{name.replace('_', '-')} needs a number, not {text!r}.") from None


def _check(settings: Settings) -> None:
    if settings.database and not _is_postgres(settings.database):
        raise SettingsWrong("--database needs an address like postgres://user:password@host:port/name?sslmode=require.")
    if settings.database and not settings.keys:
        raise SettingsWrong(
            "With --database the key ring is a setting of its own: make one with `python -m aggregator keys`, keep it "
            "safe, and give it as KARMAN_KEYS or in a file named by KARMAN_KEYS_FILE."
        )
    if settings.blobs and urlsplit(settings.blobs).scheme != "s3":
        raise SettingsWrong("--blobs needs an address that starts with s3://.")
    if settings.public_url and not re.fullmatch(r"https?://[^/\s?#]+/?", settings.public_url):
        raise SettingsWrong("--public-url needs an address like https://karman.example, without a path.")
    if not 0 <= settings.port <= MAX_PORT:
        raise SettingsWrong(f"--port needs a number from 0 to {MAX_PORT}.")
    if settings.text not in TEXT:
        raise SettingsWrong(f"--text is one of {', '.join(TEXT)}.")
    _check_mail(settings)
    _check_providers(settings)
    if settings.workers < 0 or settings.queue < 1 or settings.limit_scale < 1:
        raise SettingsWrong("--workers needs to be at least 0, --queue and --limit-scale at least 1.")


def _smtp(address: str) -> Smtp:
    """Raises ValueError for what is no address of a mail server."""
    parts = urlsplit(address)
    words = dict(parse_qsl(parts.query, strict_parsing=True)) if parts.query else {}
    tls = words.pop("tls", SMTP_TLS[parts.scheme])
    if words or not parts.hostname or parts.path not in {"", "/"}:
        raise ValueError(address)
    port = parts.port or SMTP_PORTS[tls]
    return Smtp(parts.hostname, port, unquote(parts.username or ""), unquote(parts.password or ""), tls)


def _check_mail(settings: Settings) -> None:
    try:
        server = settings.mail_server
    except (ValueError, KeyError):
        raise SettingsWrong(
            "--smtp needs an address like smtp://user:password@host:587, smtps://…:465, or smtp://host:25?tls=none."
        ) from None
    if server and server.user and server.tls == "none":
        raise SettingsWrong("--smtp sends no password without TLS.")
    if server and "@" not in parseaddr(settings.mail_from)[1]:
        raise SettingsWrong("--smtp needs --mail-from, the sender's address, like Karman <karman@example.org>.")


def _check_providers(settings: Settings) -> None:
    try:
        found = settings.sign_in_providers
    except msgspec.DecodeError as error:
        raise SettingsWrong(f"--providers is not the JSON that is needed: {error}.") from error
    ids = [provider.id for provider in found]
    if len({*ids}) < len(ids) or not all(re.fullmatch(r"[a-z0-9-]{1,32}", id) for id in ids):
        raise SettingsWrong("--providers needs an id of its own for each: letters a-z, digits and hyphens.")
    if not all(re.fullmatch(r"https?://[^\s?#]+", provider.issuer) for provider in found):
        raise SettingsWrong("--providers needs each issuer as it names itself: https://…")


def _is_postgres(address: str) -> bool:
    """Whether the address can be read; of the words after `?` only sslmode is known."""
    try:
        parts = urlsplit(address)
        words = {name for name, _ in parse_qsl(parts.query, strict_parsing=True)} if parts.query else set()
        return parts.scheme in {"postgres", "postgresql"} and parts.port != 0 and words <= {"sslmode"}
    except ValueError:
        return False
