"""Webhooks (Standard Webhooks 1.0): whether a call is the service's, and what it tells."""

import base64
import binascii
import hashlib
import hmac
import time
from collections.abc import Mapping

from karman_partner.problems import NotGenuine
from karman_partner.values import Event, event_from

PREFIX = "whsec_"
TOLERANCE_S = 300


def verified(
    body: bytes, headers: Mapping[str, str], *secrets: str, tolerance_s: int = TOLERANCE_S, now_s: float | None = None
) -> Event:
    """The event in a webhook's body, exactly as it came; raises NotGenuine. Give both secrets while one is rotated. An
    event may come more than once, always under the same `id`.
    """
    found = {name.lower(): value for name, value in headers.items()}
    event_id, sent, signatures = (found.get(f"webhook-{part}", "") for part in ("id", "timestamp", "signature"))
    if not (sent.isascii() and sent.isdigit() and len(sent) < 13 and event_id):
        raise NotGenuine("Headers are missing.")
    if abs((time.time() if now_s is None else now_s) - int(sent)) > tolerance_s:
        raise NotGenuine("It was signed too long ago, or one of the clocks is wrong.")
    text = f"{event_id}.{sent}.".encode() + body
    made = [hmac.digest(_key(secret), text, hashlib.sha256) for secret in secrets]
    given = [_signature(one) for one in signatures.split() if one.startswith("v1,")]
    if not any(hmac.compare_digest(ours, theirs) for ours in made for theirs in given):
        raise NotGenuine("It was not signed with this secret.")
    return event_from(body, event_id)


def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix(PREFIX))


def _signature(text: str) -> bytes:
    try:
        return base64.b64decode(text.removeprefix("v1,"), validate=True)
    except (binascii.Error, ValueError):
        return b""
