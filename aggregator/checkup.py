"""What works and what is missing, in plain words, for the operator."""

import os
import smtplib
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass

import msgspec

from aggregator import app, db, images, mail, schema, store
from aggregator.accounts.openid import OpenId
from aggregator.blobs import open_blobs
from aggregator.crypto import KeysUnreadable
from aggregator.errors import Problem, Unavailable
from aggregator.outbound import Outbound
from aggregator.settings import Provider, Settings

STOPPERS = (*db.STORE_ERRORS, KeysUnreadable, store.KeysMissing, store.HalfRestored, schema.StoreIsNewer)


@dataclass(frozen=True, slots=True)
class Finding:
    """One part of the service: whether it works, whether the rest can do without it, and what to do."""

    part: str
    works: bool
    words: str
    optional: bool = False

    def __str__(self) -> str:
        mark = "ok     " if self.works else "missing" if self.optional else "FAILS  "
        return f"{mark} {self.part}: {self.words}"


async def look(settings: Settings) -> list[Finding]:
    """Every part once."""
    engines = _engines()
    return [
        await _rows(settings),
        await _pictures(settings),
        _recognition(settings, engines),
        _print(settings, engines),
        _web(settings),
        _address(settings),
        _mail(settings),
        *await _providers(settings),
    ]


async def _rows(settings: Settings) -> Finding:
    place = "PostgreSQL" if settings.database else f"SQLite in {settings.data.resolve()}"
    try:
        keys = app.ring(settings)
        async with db.connected(settings, app.MODELS):
            if steps := await schema.pending(db.config(settings, app.MODELS)["apps"]):
                return Finding("rows and keys", True, f"{place} answers; `serve` will run {', '.join(steps)}.")
            await store.refuse_half_restored()
            await store.verify_keys(keys)
            return Finding("rows and keys", True, f"{place} answers and opens with these keys.")
    except STOPPERS as error:
        return Finding("rows and keys", False, f"{place}: {error}")


async def _pictures(settings: Settings) -> Finding:
    place = "the S3 store" if settings.blobs else "the folder for pictures"
    try:
        await open_blobs(settings).check()
    except (Problem, OSError, ValueError) as error:
        return Finding("pictures", False, f"{place}: {error}")
    return Finding("pictures", True, f"{place} keeps and gives back.")


def _engines() -> Mapping[str, bool]:
    """Which engines there are, asked of another process: the service never loads them, and they may break while they
    load.
    """
    asked = [sys.executable, "-P", "-m", "aggregator.recognition.installed"]
    where = os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)}
    told = subprocess.run(asked, capture_output=True, check=False, env=where)  # noqa: S603 - all words are our own
    return msgspec.json.decode(told.stdout, type=dict[str, bool]) if told.returncode == 0 else {}


def _recognition(settings: Settings, engines: Mapping[str, bool]) -> Finding:
    if not settings.workers:
        return Finding("recognition", True, "is left to other processes, as --workers 0 asks.", optional=True)
    if not engines:
        return Finding("recognition", False, "its engines cannot be loaded, so no photo is read (make setup).")
    if not engines["zbar"]:
        words = "zbar is missing, so fewer codes are read (sudo apt-get install libzbar0)."
        return Finding("recognition", False, words, optional=True)
    return Finding("recognition", True, "codes are read by zxing-cpp and zbar.")


def _print(settings: Settings, engines: Mapping[str, bool]) -> Finding:
    if settings.text == "off":
        return Finding("print", True, "is not read, as --text off asks.", optional=True)
    if not engines.get("print"):
        words = "rapidocr or onnxruntime is missing, so names and numbers are not read off a photo (make setup)."
        return Finding("print", False, words, optional=True)
    if not images.HEIC:
        words = "is read, but pillow-heif is missing, so photos in HEIC are refused (make setup)."
        return Finding("print", False, words, optional=True)
    if not engines.get("russian"):
        words = "is read, but some Russian words are not (make setup; sudo apt-get install tesseract-ocr-rus)."
        return Finding("print", False, words, optional=True)
    return Finding("print", True, "is read by PP-OCRv6 and Tesseract.")


def _web(settings: Settings) -> Finding:
    built = (settings.web / "index.html").exists()
    return Finding("web app", built, "is built." if built else "is not built: run `make build`.", optional=True)


def _address(settings: Settings) -> Finding:
    if settings.secure:
        return Finding("address", True, f"{settings.address}, over https.")
    words = "http serves this computer only: phones need --public-url https://… for the camera and for signing in."
    return Finding("address", False, words, optional=True)


def _mail(settings: Settings) -> Finding:
    server = settings.mail_server
    if server is None:
        folder = (settings.data / mail.FOLDER).resolve()
        words = (
            f"mails are files in {folder}, so nobody proves an address when signing up, and a taken one is answered "
            "409, which tells that it is taken (--smtp sends them)."
        )
        return Finding("mail", False, words, optional=True)
    try:
        with mail.connected(server):
            return Finding(
                "mail", True, f"{server.host} takes mails; a sign-up tells nobody whether an address is taken."
            )
    except (OSError, smtplib.SMTPException) as error:
        return Finding("mail", False, f"{server.host}:{server.port}: {error}")


async def _providers(settings: Settings) -> list[Finding]:
    outbound = Outbound(settings.allowed_hosts)
    return [await _provider(one, outbound) for one in settings.sign_in_providers]


async def _provider(provider: Provider, outbound: Outbound) -> Finding:
    part = f"signing in with {provider.name}"
    try:
        await OpenId(provider, outbound, "").describe()
    except Unavailable as error:
        return Finding(part, False, f"{provider.issuer}: {error.__cause__ or error.detail}")
    return Finding(part, True, f"{provider.issuer} answers.")
