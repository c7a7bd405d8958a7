"""Everything that can go wrong on purpose, each with its status, and the one JSON shape they share (RFC 9457).

Problem
├── BadRequest 400     ├── Conflict 409          ├── Invalid 422 (names fields)
├── Unauthorized 401   ├── TooLarge 413          ├── TooManyRequests 429 (Retry-After)
├── Forbidden 403      └── UnsupportedMedia 415  └── Unavailable 503 (Retry-After)
└── NotFound 404
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldError:
    """One refused field: `pointer` is a JSON pointer (RFC 6901) into the body that was sent."""

    pointer: str
    detail: str


class Problem(Exception):
    """A refusal that its receiver can act on. `code` is stable and is what clients translate."""

    status = 500
    title = "Something went wrong"

    def __init__(self, code: str, detail: str = "", *, headers: dict[str, str] | None = None, **extra: Any) -> None:
        super().__init__(code, detail)
        self.code = code
        self.detail = detail
        self.headers = headers or {}
        self.extra = extra

    def body(self) -> dict[str, Any]:
        """The problem details object, without the request id."""
        return {
            "type": f"/problems/{self.code}",
            "code": self.code,
            "title": self.title,
            "status": self.status,
            "detail": self.detail,
            **self.extra,
        }


class BadRequest(Problem):
    status = 400
    title = "The request cannot be read"


class Unauthorized(Problem):
    status = 401
    title = "Sign in first"


class Forbidden(Problem):
    status = 403
    title = "Not allowed"


class NotFound(Problem):
    status = 404
    title = "There is no such thing"

    def __init__(self, code: str = "not-found", detail: str = "Nothing of yours has this address.") -> None:
        super().__init__(code, detail)


class Conflict(Problem):
    status = 409
    title = "This does not fit what is already there"


class TooLarge(Problem):
    status = 413
    title = "Too large"


class UnsupportedMedia(Problem):
    status = 415
    title = "This kind of file is not read"


class Invalid(Problem):
    """At least one field is wrong; `errors` names each."""

    status = 422
    title = "Some fields need another value"

    def __init__(self, errors: Sequence[FieldError], code: str = "invalid") -> None:
        detail = "; ".join(f"{error.pointer}: {error.detail}" for error in errors)
        super().__init__(code, detail, errors=[{"pointer": e.pointer, "detail": e.detail} for e in errors])


class TooManyRequests(Problem):
    status = 429
    title = "Too many requests"

    def __init__(self, retry_after_s: int, detail: str = "Wait a little, then try again.") -> None:
        super().__init__("too-many-requests", detail, headers={"Retry-After": str(max(1, retry_after_s))})


class Unavailable(Problem):
    status = 503
    title = "Busy just now"

    def __init__(self, code: str, detail: str, retry_after_s: int = 2) -> None:
        super().__init__(code, detail, headers={"Retry-After": str(max(1, retry_after_s))})
