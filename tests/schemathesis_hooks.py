"""What schemathesis cannot know of the partner API."""

import re
import uuid
from typing import Any

import schemathesis

from aggregator.partners.idempotency import KEY_PATTERN

KEY = "Idempotency-Key"


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    """Every call gets a key of its own, or all but the first would be refused for having another's."""
    if case.headers and re.fullmatch(KEY_PATTERN, str(case.headers.get(KEY, ""))):
        case.headers[KEY] = uuid.uuid4().hex
