"""What schemathesis cannot know of the partner API: how to get a token, and that every call needs a key of its own.

The environment names the service (`SHOP_URL`), and the shop's client id and secret (`SHOP_ID`, `SHOP_SECRET`).
"""

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
