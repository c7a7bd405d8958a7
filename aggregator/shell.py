"""The built web app: files with the right caching, and the same page for every address inside the app."""

import asyncio
import gzip
from pathlib import Path

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from aggregator.errors import NotFound, Unavailable

# No inline script or style anywhere; wasm is compiled for reading codes on the device.
CONTENT_POLICY = "; ".join(
    [
        "default-src 'self'",
        "script-src 'self' 'wasm-unsafe-eval'",
        "style-src 'self'",
        "img-src 'self' blob: data:",
        "connect-src 'self'",
        "worker-src 'self'",
        "manifest-src 'self'",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        "form-action 'self'",
    ]
)
SCREENS = (
    *("/", "/add", "/bin", "/account", "/settings", "/reminders", "/leaving", "/c/{id}", "/c/{id}/edit"),
    *("/c/{id}/back", "/c/{id}/connect", "/offers", "/connected"),
    *("/confirm", "/reset", "/verify", "/forgot", "/ways", "/signed-in"),
    *("/households", "/households/{id}", "/join"),
)


# Pictures are packed already.
PACKED = {".js", ".css", ".html", ".svg", ".wasm", ".webmanifest"}
FOREVER = "public, max-age=31536000, immutable"
ASK_FIRST = "no-cache"


class _Files(StaticFiles):
    """Files of one folder. Those whose name changes with their content are kept for ever, the others asked about
    each time.
    """

    def __init__(self, directory: Path, caching: str) -> None:
        super().__init__(directory=directory, check_dir=False)
        self.config_checked = True
        self._caching = caching
        # With the entity tag of what was packed: a build that is put in place is packed anew.
        self._packed: dict[Path, tuple[str, bytes]] = {}

    async def get_response(self, path: str, scope: Scope) -> Response:
        try:
            response = await super().get_response(path, scope)
        except HTTPException as error:
            if error.status_code == 404:
                raise NotFound("not-found", "There is nothing at this address.") from None
            raise
        if isinstance(response, FileResponse) and Path(path).suffix in PACKED:
            response = await self._smallest(response, Headers(scope=scope))
        response.headers["Cache-Control"] = self._caching
        return response

    async def _smallest(self, response: FileResponse, asked: Headers) -> Response:
        """The same file compressed, for whoever reads that and wants all of it."""
        response.headers["Vary"] = "Accept-Encoding"
        if "gzip" not in asked.get("accept-encoding", "") or "range" in asked:
            return response
        path, etag = Path(response.path), response.headers["etag"]
        if self._packed.get(path, ("", b""))[0] != etag:
            self._packed[path] = (etag, await asyncio.to_thread(_pack, path))
        headers = {name: response.headers[name] for name in ("last-modified", "vary")}
        headers |= {"content-encoding": "gzip", "etag": f"W/{etag}"}
        return Response(self._packed[path][1], headers=headers, media_type=response.media_type)


def _pack(path: Path) -> bytes:
    return gzip.compress(path.read_bytes(), mtime=0)


def routes(web: Path) -> list[BaseRoute]:
    """The app's screens and files; while it is not built, a plain word about that."""
    page = web / "index.html"
    root_files = _Files(web, ASK_FIRST)

    async def screen(request: Request) -> Response:
        if not page.exists():
            raise Unavailable("not-built", "The web app is not built yet: run `make build`.", 60)
        return FileResponse(page, headers={"Cache-Control": ASK_FIRST})

    async def root_file(request: Request) -> Response:
        return await root_files.get_response(request.path_params["name"], request.scope)

    return [
        *(Route(path, screen) for path in SCREENS),
        Mount("/assets", _Files(web / "assets", FOREVER)),
        Route("/{name}", root_file),
    ]
