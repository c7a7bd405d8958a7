"""What can go wrong: the service refuses, it cannot be reached, or a webhook is not the service's."""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec


class Refused(Exception):
    """The service does not do what was asked (RFC 9457). `code` is stable; `errors` name fields by JSON pointers;
    `request_id` is what to tell the operator.
    """

    def __init__(self, status: int, body: Mapping[str, Any]) -> None:
        self.status = status
        self.code: str = body.get("code") or body.get("error") or "unknown"
        self.detail: str = body.get("detail") or body.get("error_description") or ""
        self.errors: Sequence[Mapping[str, str]] = body.get("errors", ())
        self.request_id: str = body.get("request_id", "")
        super().__init__(f"{status} {self.code}: {self.detail}")

    @classmethod
    def read(cls, status: int, content: bytes) -> "Refused":
        """From an answer; what stands between may answer with something else than JSON."""
        try:
            body = msgspec.json.decode(content, type=dict[str, Any])
        except msgspec.MsgspecError:
            body = {"detail": content[:200].decode(errors="replace")}
        return cls(status, body)


class GaveUp(Exception):
    """The service did not answer, or was busy, for longer than was to be waited. Asking again does no harm."""


class NotGenuine(Exception):
    """A webhook was not signed with your secret, or a long time ago."""
