"""What everybody is answered who has just come in, by whichever way: who they are, and the cookie."""

import uuid
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from aggregator.accounts.models import Account, Device
from aggregator.accounts.people import Arrival
from aggregator.accounts.sessions import Sessions
from aggregator.http import answer

HomeOf = Callable[[uuid.UUID], Awaitable[uuid.UUID]]
"""Which space is an account's own."""


class Welcome:
    """Answers arrivals."""

    def __init__(self, sessions: Sessions, home_of: HomeOf) -> None:
        self._sessions = sessions
        self._home_of = home_of

    async def arrived(self, arrival: Arrival, status: int = 200) -> Response:
        """The identity and the session cookie."""
        response = answer(await self.identity(arrival.account, arrival.device), status)
        self._sessions.give(response, arrival.token)
        return response

    async def identity(self, account: Account, device: Device) -> dict[str, Any]:
        """Account, device and own space; an account without an address has `null` there."""
        return {
            "account": {"id": str(account.id), "email": account.email or None},
            "device": {"id": str(device.id), "name": device.name},
            "space": str(await self._home_of(account.id)),
        }


def host_of(request: Request) -> str:
    """Where a request comes from."""
    return request.client.host if request.client else "unknown"


def language_of(request: Request) -> str:
    """The language that its sender reads first, as `ru` or `en`; the page sets the header to what is chosen in it."""
    wanted = request.headers.get("accept-language", "").lower()
    return "en" if wanted.startswith("en") else "ru"
