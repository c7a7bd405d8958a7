"""How calls reach the service over a bad network: again and again, with the same key, so that each is done once."""

import random
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

import httpx

from karman_partner.problems import GaveUp, Refused
from karman_partner.proof import Tokens, is_busy

ROOT = "/partner/v1"
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.5, 30.0
IN_USE = "idempotency-key-in-use"


@dataclass(frozen=True, slots=True)
class Ask:
    """One call. A write gets its key here, so that every time it is sent it is the same. `timeout_s` is for those that
    are answered later than others.
    """

    method: str
    path: str
    body: bytes = b""
    media: str = "application/json"
    query: Mapping[str, str | int] = field(default_factory=dict)
    timeout_s: float | None = None
    key: str = field(default_factory=lambda: uuid.uuid4().hex)

    def headers(self, token: str) -> dict[str, str]:
        """What goes with it."""
        found = {"Authorization": f"Bearer {token}"}
        if self.body:
            found["Content-Type"] = self.media
        if self.method != "GET":
            found["Idempotency-Key"] = f'"{self.key}"'
        return found


class Patience:
    """Counts how long was waited for one call, and says how long to wait next; raises GaveUp."""

    def __init__(self, most_s: float, sleep: Callable[[float], None]) -> None:
        self._left_s = most_s
        self._sleep = sleep
        self._tries = count()

    def wait(self, why: str, asked_s: float = 0.0) -> None:
        """Wait as long as was asked for, at least twice as long each time, and never like everybody else."""
        doubled_s = min(FIRST_PAUSE_S * 2 ** next(self._tries), LONGEST_PAUSE_S)
        pause_s = max(asked_s, doubled_s * random.uniform(0.5, 1.0))  # noqa: S311
        if pause_s > self._left_s:
            raise GaveUp(why)
        self._left_s -= pause_s
        self._sleep(pause_s)


class Wire:
    """Sends calls. `patience_s` is how long at most is waited between the tries of one call."""

    def __init__(self, http: httpx.Client, tokens: Tokens, patience_s: float, sleep: Callable[[float], None]) -> None:
        self._http = http
        self._tokens = tokens
        self._patience_s = patience_s
        self._sleep = sleep

    def patience(self) -> Patience:
        """That of one call."""
        return Patience(self._patience_s, self._sleep)

    def send(self, ask: Ask) -> bytes:
        """The body of the answer; raises Refused and GaveUp."""
        patience = self.patience()
        while True:
            with self.opened(ask, patience) as answer:
                try:
                    return answer.read()
                except httpx.TransportError as error:
                    why = str(error)
            patience.wait(f"The answer broke off: {why}")

    @contextmanager
    def opened(self, ask: Ask, patience: Patience) -> Iterator[httpx.Response]:
        """A good answer of which only the head has been read; raises Refused and GaveUp."""
        answer = self._answered(ask, patience)
        try:
            yield answer
        finally:
            answer.close()

    def _answered(self, ask: Ask, patience: Patience) -> httpx.Response:
        has_renewed = False
        while True:
            try:
                token = self._tokens.current()
                answer = self._try(ask, token)
            except httpx.HTTPStatusError as error:
                patience.wait(str(error), _asked_s(error.response))
                continue
            except httpx.TransportError as error:
                patience.wait(f"The service cannot be reached: {error}")
                continue
            if answer.is_success:
                return answer
            refused = _refused(answer)
            if answer.status_code == httpx.codes.UNAUTHORIZED and not has_renewed:
                self._tokens.forget(token)
                has_renewed = True
            elif is_busy(answer) or refused.code == IN_USE:
                patience.wait(str(refused), _asked_s(answer))
            else:
                raise refused

    def _try(self, ask: Ask, token: str) -> httpx.Response:
        request = self._http.build_request(
            ask.method,
            ROOT + ask.path,
            params=ask.query or None,
            content=ask.body or None,
            headers=ask.headers(token),
            timeout=ask.timeout_s or httpx.USE_CLIENT_DEFAULT,
        )
        return self._http.send(request, stream=True)


def _refused(answer: httpx.Response) -> Refused:
    try:
        return Refused.read(answer.status_code, answer.read())
    finally:
        answer.close()


def _asked_s(answer: httpx.Response) -> float:
    """The seconds in Retry-After, which this service never gives as a date."""
    asked = answer.headers.get("retry-after", "")
    return float(asked) if asked.isascii() and asked.isdigit() and len(asked) < 9 else 0.0
