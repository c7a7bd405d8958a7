"""The built web app's files: small on the way, never stale."""

import asyncio
import os
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from aggregator import shell

SCRIPT = b"const cards = [];\n" * 2_000
PICTURE = b"\x89PNG" + bytes(4_000)


@dataclass(frozen=True)
class Built:
    """A built app and the service that gives it."""

    folder: Path
    app: Starlette


@pytest.fixture
def web(tmp_path: Path) -> Built:
    """One script and one picture."""
    (tmp_path / "assets").mkdir()
    (tmp_path / "assets" / "index.js").write_bytes(SCRIPT)
    (tmp_path / "icon.png").write_bytes(PICTURE)
    return Built(tmp_path, Starlette(routes=shell.routes(tmp_path)))


def get(web: Built, path: str, **headers: str) -> httpx.Response:
    async def ask() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(web.app), base_url="http://karman") as http:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            return await http.get(path, headers={"accept-encoding": "identity", **named})

    return asyncio.run(ask())


def test_a_script_comes_compressed_to_who_reads_that_and_as_it_is_to_everybody_else(web: Built) -> None:
    packed = get(web, "/assets/index.js", accept_encoding="br, gzip")
    plain = get(web, "/assets/index.js")
    assert packed.content == plain.content == SCRIPT
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < len(SCRIPT) / 10
    assert "content-encoding" not in plain.headers
    for answer in (packed, plain):
        assert answer.headers["vary"] == "Accept-Encoding"
        assert answer.headers["cache-control"] == shell.FOREVER
        assert answer.headers["content-type"].startswith("text/javascript")


def test_a_part_of_a_file_and_a_picture_come_as_they_are(web: Built) -> None:
    part = get(web, "/assets/index.js", accept_encoding="gzip", range="bytes=0-4")
    assert (part.status_code, part.content) == (206, SCRIPT[:5])
    picture = get(web, "/icon.png", accept_encoding="gzip")
    assert (picture.content, picture.headers.get("content-encoding")) == (PICTURE, None)


def test_what_has_not_changed_is_not_sent_again_and_a_new_build_is(web: Built) -> None:
    path = "/assets/index.js"
    known = get(web, path, accept_encoding="gzip").headers["etag"]
    assert get(web, path, accept_encoding="gzip", if_none_match=known).status_code == 304
    (web.folder / "assets" / "index.js").write_bytes(b"const cards = [1];\n" * 2_000)
    os.utime(web.folder / "assets" / "index.js", (2_000_000_000, 2_000_000_000))
    changed = get(web, path, accept_encoding="gzip", if_none_match=known)
    assert (changed.status_code, changed.content[:18]) == (200, b"const cards = [1];")
