"""Pictures over HTTP. Cards travel by sync alone."""

import uuid

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from aggregator.accounts.sessions import Sessions
from aggregator.catalog.pictures import MAX_UPLOAD_BYTES, Pictures
from aggregator.errors import NotFound
from aggregator.http import path_uuid, read_body

PATH = "/api/pictures/{space}/{id}"


class PictureRoutes:
    """Handlers that parse, call one verb, and answer."""

    def __init__(self, sessions: Sessions, pictures: Pictures) -> None:
        self._sessions = sessions
        self._pictures = pictures

    def routes(self) -> list[BaseRoute]:
        """Everything under /api/pictures."""
        return [Route(PATH, self.put, methods=["PUT"]), Route(PATH, self.get, methods=["GET"])]

    async def put(self, request: Request) -> Response:
        store = request.state["store"]
        session = await self._sessions.check_account(store, request)
        space_id, picture_id = _place(request)
        upload = await read_body(request, MAX_UPLOAD_BYTES)
        # A body may take its time, and its device may have been revoked meanwhile.
        await self._sessions.check(store, request)
        is_new = await self._pictures.put(store, session.account_id, space_id, picture_id, upload)
        return Response(status_code=201 if is_new else 200)

    async def get(self, request: Request) -> Response:
        store = request.state["store"]
        session = await self._sessions.check_account(store, request)
        image = await self._pictures.get(store, session.account_id, *_place(request))
        return Response(image, media_type="image/webp")


def _place(request: Request) -> tuple[uuid.UUID, uuid.UUID]:
    space_id, picture_id = path_uuid(request, "space"), path_uuid(request, "id")
    if space_id is None or picture_id is None:
        raise NotFound
    return space_id, picture_id
