"""Pictures of shops: re-encoded, public, and never another under the same id, so that everybody may keep them."""

import uuid

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from aggregator import db, images
from aggregator.crew import Crew
from aggregator.errors import NotFound
from aggregator.http import path_uuid, read_body
from aggregator.partners.models import PartnerPicture

MAX_UPLOAD_BYTES = 1_000_000
MAX_BYTES = 200_000
THREADS = 1
MAX_WAITING = 16
FOREVER = "public, max-age=31536000, immutable"
FOUND = "SELECT image FROM partner_picture WHERE id = $1"


class PartnerPictures:
    """Takes shops' pictures in, and shows them to everybody."""

    def __init__(self) -> None:
        self._crew = Crew("partner-pictures", THREADS, MAX_WAITING)

    async def read(self, request: Request, max_side: int) -> bytes:
        """The picture that was sent, as WebP with no side above `max_side`; raises TooLarge, UnsupportedMedia and
        Unavailable.
        """
        data = await read_body(request, MAX_UPLOAD_BYTES)
        return await self._crew.run(lambda: _remade(data, max_side))

    def routes(self) -> list[BaseRoute]:
        """What shows them."""
        return [Route("/api/partner-pictures/{id}", self.show)]

    async def show(self, request: Request) -> Response:
        picture_id = path_uuid(request, "id")
        rows = await request.state["store"].read(FOUND, str(picture_id)) if picture_id else ()
        if not rows:
            raise NotFound
        headers = {"Cache-Control": FOREVER, "ETag": f'"{picture_id}"'}
        if headers["ETag"] in request.headers.get("if-none-match", ""):
            return Response(status_code=304, headers=headers)
        return Response(bytes(rows[0]["image"]), headers=headers, media_type="image/webp")


def _remade(data: bytes, max_side: int) -> bytes:
    image = images.decode(data, max_bytes=MAX_UPLOAD_BYTES, target_side=max_side)
    return images.encode_webp(image, max_side, MAX_BYTES)


def address(picture_id: uuid.UUID | None) -> str | None:
    """Where a picture is shown."""
    return f"/api/partner-pictures/{picture_id}" if picture_id else None


async def keep(partner_id: uuid.UUID, image: bytes, now_ms: int) -> uuid.UUID:
    """Keep a picture that `read` gave, inside the open transaction; gives its id."""
    picture_id = uuid.uuid4()
    row = PartnerPicture(id=picture_id, partner_id=partner_id, image=image, created_ms=now_ms)
    await PartnerPicture.bulk_create([row])
    return picture_id


async def drop(picture_id: uuid.UUID | None) -> None:
    """Remove a picture that nothing shows any more."""
    if picture_id is not None:
        await db.fetch("DELETE FROM partner_picture WHERE id = $1", str(picture_id))
