"""Push, pull and live over HTTP."""

import zlib
from collections.abc import AsyncGenerator, AsyncIterator
from functools import partial

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from aggregator import db
from aggregator.accounts.sessions import Sessions
from aggregator.errors import Problem
from aggregator.http import answer, query_uuid, read_json
from aggregator.sync.live import Listener, Pokes, spaces_of
from aggregator.sync.pull import Puller
from aggregator.sync.push import Batch, Delivery, Pusher

PUSH_LIMIT_BYTES = 4_000_000
COMPRESS_ABOVE_BYTES = 1_400
# Level 6 would save another 7 % of the bytes for twice the time.
LEVEL = 1


class SyncRoutes:
    """Handlers that parse, call one verb, and answer."""

    def __init__(self, sessions: Sessions, pusher: Pusher, pokes: Pokes) -> None:
        self._sessions = sessions
        self._pusher = pusher
        self._pokes = pokes

    def routes(self) -> list[BaseRoute]:
        """Everything under /api/sync."""
        return [
            Route("/api/sync/push", self.push, methods=["POST"]),
            Route("/api/sync/pull", self.pull, methods=["GET"]),
            Route("/api/sync/live", self.live, methods=["GET"]),
        ]

    async def push(self, request: Request) -> Response:
        session = await self._sessions.check_account(request.state["store"], request)
        batch = await read_json(request, Batch, PUSH_LIMIT_BYTES)
        # A body may take its time, and its device may have been revoked meanwhile.
        await self._sessions.check(request.state["store"], request)
        delivery = await self._pusher.push(session.account_id, batch)
        if delivery.stop is not None:
            raise delivery.stop
        return answer({"results": _results(delivery)})

    async def pull(self, request: Request) -> Response:
        puller: Puller = request.state["puller"]
        account_id = query_uuid(request, "account")
        client_id = query_uuid(request, "client") if "client" in request.query_params else None
        cookie = request.query_params.get("cookie", "")
        found = await puller.pull(self._sessions.hash_of(request), account_id, client_id, cookie)
        response = _packed(request, found.body)
        if found.session.stale:
            await self._sessions.renew(found.session, request, response)
        return response

    async def live(self, request: Request) -> Response:
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        session = await self._sessions.check_account(request.state["store"], request)
        listener = Listener(session.account_id, session.device_id, ())
        stream = _stream(self._pokes, listener)
        # The first event is taken here, so that too many streams are refused before the answer begins. The second look
        # is for a device that was revoked before it listened, whose end nobody would tell it; so it is with its spaces.
        first = await anext(stream)
        try:
            await self._sessions.check(request.state["store"], request)
            await self._pokes.settle(listener, partial(spaces_of, request.state["store"], session.account_id))
        except (Problem, *db.STORE_ERRORS):
            await stream.aclose()
            raise
        return StreamingResponse(
            _with_first(first, stream), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"}
        )


async def _stream(pokes: Pokes, listener: Listener) -> AsyncGenerator[bytes, None]:
    async with pokes.listening(listener):
        async for event in listener.events():
            yield event


async def _with_first(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for event in rest:
        yield event


def _results(delivery: Delivery) -> list[dict[str, object]]:
    return [
        {"id": number, "status": "applied"}
        if problem is None
        else {"id": number, "status": "refused", "problem": problem}
        for number, problem in delivery.outcomes
    ]


def _packed(request: Request, body: bytes) -> Response:
    """The JSON, compressed where the device reads that and it pays."""
    headers = {"Vary": "Accept-Encoding"}
    if len(body) > COMPRESS_ABOVE_BYTES and "gzip" in request.headers.get("accept-encoding", ""):
        body = zlib.compress(body, LEVEL, wbits=31)
        headers["Content-Encoding"] = "gzip"
    return Response(body, headers=headers, media_type="application/json")
