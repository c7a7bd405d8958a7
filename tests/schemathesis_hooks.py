"""What schemathesis cannot know of the partner API: how to get a token, that every call needs a key of its own, and
what NDJSON is.

The environment names the service (`SHOP_URL`), and the shop's client id and secret (`SHOP_ID`, `SHOP_SECRET`).
"""

import json
import os
import re
import uuid
from typing import Any

import requests
import schemathesis

from aggregator.partners.idempotency import KEY_PATTERN

KEY = "Idempotency-Key"
# Well within the life of a token.
RENEWED_S = 600
MAX_ID = 200


@schemathesis.auth(refresh_interval=RENEWED_S)
class Tokens:
    """Asks as the shop."""

    def get(self, case: Any, context: Any) -> str:
        """A fresh token."""
        who = os.environ["SHOP_ID"], os.environ["SHOP_SECRET"]
        form = {"grant_type": "client_credentials"}
        answer = requests.post(f"{os.environ['SHOP_URL']}/oauth/token", data=form, auth=who, timeout=60)
        answer.raise_for_status()
        return str(answer.json()["access_token"])

    def set(self, case: Any, data: str, context: Any) -> None:
        """Send it along."""
        case.headers = case.headers or {}
        case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """All calls but the first would be refused for having another's key."""
    if case.headers and re.fullmatch(KEY_PATTERN, str(case.headers.get(KEY, ""))):
        case.headers[KEY] = uuid.uuid4().hex


@schemathesis.hook
def map_path_parameters(context: Any, path_parameters: Any) -> Any:
    """Half of all ids are the same few, so that what one call has put another finds."""
    if not path_parameters:
        return path_parameters
    return {name: _met(value) if name in {"id", "kid"} else value for name, value in path_parameters.items()}


def _met(value: Any) -> Any:
    is_valid = isinstance(value, str) and 0 < len(value) <= MAX_ID
    return "abc"[len(value) % 3] if is_valid and len(value) % 2 else value


@schemathesis.serializer("application/x-ndjson")
def lines(context: Any, value: Any) -> bytes:
    """Text as it is, anything else as one line."""
    return value.encode(errors="replace") if isinstance(value, str) else json.dumps(value).encode()
