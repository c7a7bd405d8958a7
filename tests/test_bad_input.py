"""What cannot be: pictures, bodies, cookies and disks. Each gets its status and one problem body, nothing else changes,
and what was our own mistake is in the log with its trace and never in an answer.
"""

import asyncio
import gzip
import json
import os
import resource
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from aggregator import db
from tests import inside
from tests.answers import TRACES, assert_problem, pointers
from tests.samples import encoded, gif_with_a_frame_beyond_its_screen, jpeg_announcing, png_bomb, png_text_bomb
from tests.servers import PostgresServer
from tests.service import Person, Running, ServiceOptions, code, running, uuid7
from tests.stores import Kept, Rows, returned

JSON = {"Content-Type": "application/json"}
PHOTO = encoded(Image.effect_noise((400, 300), 40).convert("RGB"))


@contextmanager
def unchanged(person: Person) -> Iterator[None]:
    """Whatever happens inside, a fresh pull is the same afterwards."""
    before = person.pull(client=person.client)
    yield
    assert person.pull(client=person.client) == before


# Pictures


@pytest.mark.parametrize(
    ("picture", "status", "code"),
    [
        (b"", 415, "not-a-picture"),
        (b"\0", 415, "not-a-picture"),
        (b"not a picture", 415, "not-a-picture"),
        (b"%PDF-1.7\n%%EOF", 415, "not-a-picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", 415, "not-a-picture"),
        (encoded(Image.new("RGB", (8, 8)), "BMP"), 415, "not-a-picture"),
        (encoded(Image.new("RGB", (8, 8)), "TIFF"), 415, "not-a-picture"),
        (PHOTO[: len(PHOTO) // 2], 415, "not-a-picture"),
        (PHOTO[:20], 415, "not-a-picture"),
        (gzip.compress(PHOTO), 415, "not-a-picture"),
        (png_text_bomb(), 415, "not-a-picture"),
        (jpeg_announcing(20_000, 10_000), 413, "too-large"),
        (png_bomb(), 413, "too-large"),
        (gif_with_a_frame_beyond_its_screen(), 413, "too-large"),
        (PHOTO + bytes(2_000_001 - len(PHOTO)), 413, "too-large"),
        (bytes(40_000_000), 413, "too-large"),
    ],
    ids=[
        *("empty", "one byte", "text", "pdf", "svg", "bmp", "tiff", "half", "head", "packed", "comment bomb"),
        *("200 megapixels", "400 megapixels", "giant frame", "a byte too many", "40 megabytes"),
    ],
)
def test_what_is_no_picture_or_too_large_a_one_is_refused_and_leaves_nothing(
    person: Person, picture: bytes, status: int, code: str
) -> None:
    with unchanged(person):
        picture_id, answer = person.upload(picture)
        assert_problem(answer, status, code)
        params = {"account": person.account}
        assert person.http.get(f"/api/pictures/{person.space}/{picture_id}", params=params).status_code == 404
        assert person.upload(PHOTO, picture_id)[1].status_code == 201


def test_a_picture_that_does_not_say_its_length_is_bounded_too(person: Person) -> None:
    def endless() -> Iterator[bytes]:
        for _ in range(50):
            yield bytes(100_000)

    path = f"/api/pictures/{person.space}/{uuid7()}"
    assert_problem(person.http.put(path, params={"account": person.account}, content=endless()), 413, "too-large")


# JSON bodies


# The same in every process, so that all of them name the tests alike.
CLIENT = "0190b0b0-0000-7000-8000-000000000000"


def batch(args: str = "{}", number: str = "1", name: str = '"card.bin"') -> bytes:
    """A push of one mutation, written by hand."""
    return f'{{"client":"{CLIENT}","mutations":[{{"id":{number},"name":{name},"args":{args}}}]}}'.encode()


def post(person: Person, path: str, body: bytes, headers: dict[str, str] | None = None) -> httpx.Response:
    params = {"account": person.account}
    return person.http.post(path, params=params, content=body, headers=JSON if headers is None else headers)


JSON_ROUTES = ("/api/accounts", "/api/session", "/api/sync/push")


@pytest.fixture(scope="module")
def somebody(service: Running) -> Iterator[Person]:
    """Somebody whom nothing here changes."""
    with Person.signed_up(service.url) as found:
        yield found


@pytest.mark.parametrize("path", JSON_ROUTES)
@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b"nonsense",
        b"{,}",
        b'\xef\xbb\xbf{"email":"a@b.de"}',
        '{"email":"a@b.de"}'.encode("utf-16"),
        gzip.compress(b"{}"),
    ],
    ids=["empty", "blank", "cut", "no json", "comma", "byte order mark", "utf-16", "packed"],
)
def test_a_body_that_is_no_json_is_answered_400(somebody: Person, path: str, body: bytes) -> None:
    with unchanged(somebody):
        assert_problem(post(somebody, path, body), 400, "not-json")


@pytest.mark.parametrize("path", JSON_ROUTES)
@pytest.mark.parametrize(
    "body",
    [
        b'{"email":"a@b.de"',
        b"{}{}",
        b'{"email":"\xff\xfe"}',
        b'{"email":"\\ud800","client":"\\udfff"}',
        b'{"email":NaN,"client":NaN}',
        b'{"email":Infinity,"client":-Infinity}',
        b"[" * 200_000,
        b'{"mutations":' * 50_000,
    ],
    ids=["cut", "two", "not utf-8", "surrogate", "nan", "infinity", "deep", "deep objects"],
)
def test_a_body_that_goes_wrong_on_its_way_is_refused_for_what_is_met_first(
    somebody: Person, path: str, body: bytes
) -> None:
    with unchanged(somebody):
        answer = post(somebody, path, body)
        assert_problem(answer, answer.status_code, {400: "not-json", 422: "invalid"}[answer.status_code])


@pytest.mark.parametrize("path", JSON_ROUTES)
@pytest.mark.parametrize("body", [b"null", b"[]", b'"text"', b"7", b"true", b"1e308"])
def test_json_that_is_no_object_is_answered_422(somebody: Person, path: str, body: bytes) -> None:
    with unchanged(somebody):
        assert pointers(assert_problem(post(somebody, path, body), 422, "invalid")) == [""]


@pytest.mark.parametrize("path", JSON_ROUTES)
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Content-Type": "text/plain"},
        {"Content-Type": "application/x-www-form-urlencoded"},
        {"Content-Type": "multipart/form-data; boundary=x"},
        {"Content-Type": "application/jsonx"},
        {**JSON, "Content-Encoding": "gzip"},
        {**JSON, "Content-Encoding": "br"},
    ],
    ids=str,
)
def test_what_does_not_come_as_plain_json_is_answered_415(somebody: Person, path: str, headers: dict[str, str]) -> None:
    body = gzip.compress(batch()) if "Content-Encoding" in headers else batch()
    with unchanged(somebody):
        assert_problem(post(somebody, path, body, headers), 415, "not-json")


@pytest.mark.parametrize(("path", "limit"), [("/api/accounts", 1_000_000), ("/api/sync/push", 4_000_000)])
def test_a_body_over_the_limit_is_answered_413_announced_or_not(person: Person, path: str, limit: int) -> None:
    body = b'{"email":"' + b"a" * limit + b'"}'
    with unchanged(person):
        assert_problem(post(person, path, body), 413, "too-large")
        parts = (body[start : start + 65_536] for start in range(0, len(body), 65_536))
        assert_problem(
            person.http.post(path, params={"account": person.account}, content=parts, headers=JSON), 413, "too-large"
        )


def test_of_two_members_with_one_name_the_last_counts(person: Person) -> None:
    card_id = person.keep()
    twice = f'{{"space":"{person.space}","id":"{uuid7()}","id":"{card_id}"}}'
    assert post(person, "/api/sync/push", batch(twice)).json()["results"] == [{"id": 1, "status": "applied"}]
    assert "binned_at" in person.cards()[card_id]


@pytest.mark.parametrize(
    ("args", "named"),
    [
        ('{"x":1}', "/x"),
        ('{"x/y~z":1}', "/x~1y~0z"),
        ('{"\\u0000":1}', "/\0"),
        ('{"space":7}', "/space"),
        ('{"space":"00000000-0000-0000-0000-00000000000g"}', "/space"),
        ('{"x":18446744073709551616}', "/x"),
        ('{"x":1e-400}', "/x"),
        ("{}", "/space"),
    ],
)
def test_arguments_that_cannot_be_are_refused_by_name_and_the_queue_goes_on(
    person: Person, args: str, named: str
) -> None:
    with unchanged(person):
        [result] = post(person, "/api/sync/push", batch(args)).json()["results"]
    assert (result["status"], result["problem"]["code"], pointers(result["problem"])) == ("refused", "invalid", [named])


@pytest.mark.parametrize(
    ("body", "named"),
    [
        (batch('{"x":1e400}'), "/mutations/0/args"),
        (batch(f'{{"x":{"9" * 5_000}}}'), "/mutations/0/args"),
        (batch(number="1.5"), "/mutations/0/id"),
        (batch(number="-1"), "/mutations/0/id"),
        (batch(number="9007199254740992"), "/mutations/0/id"),
        (batch(number="99999999999999999999999"), "/mutations/0/id"),
        (batch(number='"1"'), "/mutations/0/id"),
        (batch(name="null"), "/mutations/0/name"),
        (batch(name=f'"{"n" * 65}"'), "/mutations/0/name"),
        (batch(args="[]"), "/mutations/0/args"),
        (json.dumps({"client": CLIENT, "mutations": [{}] * 501}).encode(), "/mutations"),
    ],
)
def test_a_batch_that_cannot_be_is_refused_whole_by_name(person: Person, body: bytes, named: str) -> None:
    with unchanged(person):
        assert pointers(assert_problem(post(person, "/api/sync/push", body), 422, "invalid"))[0].startswith(named)


def test_a_member_with_a_megabyte_of_name_is_not_told_back_in_full(person: Person) -> None:
    answer = post(person, "/api/sync/push", batch(f'{{"{"n" * 1_000_000}":1}}'))
    assert answer.json()["results"][0]["status"] == "refused"
    assert len(answer.content) < 2_000


@pytest.mark.parametrize("depth", [100, 500, 900, 990, 999, 1_000, 1_001, 5_000])
def test_nesting_is_either_read_or_refused_at_any_depth(person: Person, depth: int) -> None:
    answer = post(person, "/api/sync/push", batch(f'{{"x":{"[" * depth}{"]" * depth}}}'))
    assert answer.status_code in {200, 400}
    assert not TRACES.search(answer.text)


@pytest.mark.parametrize(
    "at",
    [
        *("0001-01-01T00:00:00+23:59", "0001-01-01T00:00:00Z", "0999-06-01T00:00:00Z", "1969-12-31T23:59:59Z"),
        *("9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59Z"),
    ],
)
def test_a_use_at_the_ends_of_time_counts_and_its_time_stays_between_1970_and_now(person: Person, at: str) -> None:
    card_id = person.keep()
    assert person.push("card.use", id=card_id, use=uuid7(), at=at)["status"] == "applied"
    kept = person.cards()[card_id]
    assert kept["uses"] == 1
    assert kept["last_used_at"] == "1970-01-01T00:00:00Z" if at < "1970" else kept["last_used_at"] >= kept["created_at"]


@pytest.mark.parametrize("at", ["yesterday", "2026-01-01", "2026-01-01T00:00:00", "2026-02-30T00:00:00Z", 1, None])
def test_a_use_without_a_readable_time_is_refused(person: Person, at: Any) -> None:
    card_id = person.keep()
    result = person.push("card.use", id=card_id, use=uuid7(), at=at)
    assert pointers(result["problem"]) == ["/at"]


@pytest.mark.parametrize("number", ["9" * 5_000, "1\u0000", "1\u202e2", "1\n2", "\u2066\u2069"])
def test_a_number_no_card_can_carry_is_refused_and_the_card_is_not_made(person: Person, number: str) -> None:
    with unchanged(person):
        before = person.client
        person.client = uuid7()
        result = person.push("card.keep", id=uuid7(), card={"name": "Магнит", "number": number})
        person.client = before
    assert pointers(result["problem"]) == ["/card/number"]


@pytest.mark.parametrize("number", ["🎫 1", "٧٧٨٩", "№ 7", "1" * 64])
def test_emoji_and_right_to_left_digits_are_a_number_like_any(person: Person, number: str) -> None:
    card_id = person.keep(number=number)
    assert person.cards()[card_id]["number"] == number


# Queries, cookies, methods, addresses


@pytest.mark.parametrize(
    ("path", "named"),
    [
        ("/api/sync/pull", "/account"),
        ("/api/sync/pull?account=", "/account"),
        ("/api/sync/pull?account=%00", "/account"),
        ("/api/sync/live?account=1", "/account"),
        ("/api/sync/pull?account={account}&client=x", "/client"),
        ("/api/pictures/{space}/{space}?account=x", "/account"),
    ],
)
def test_a_query_that_cannot_be_is_refused_by_name(person: Person, path: str, named: str) -> None:
    url = path.format(account=person.account, space=person.space)
    assert pointers(assert_problem(person.http.get(url), 422, "invalid")) == [named]


@pytest.mark.parametrize("cookie", [b"karman=\xff\xfe", b"karman=" + b"a" * 10_000, b"karman=a;karman=b", b"karman"])
def test_a_broken_cookie_is_nobody(service: Running, cookie: bytes) -> None:
    answer = httpx.get(f"{service.url}/api/session", headers={b"Cookie": cookie})
    assert_problem(answer, 401, answer.json()["code"])
    assert answer.json()["code"] in {"session-expired", "sign-in-needed"}


@pytest.mark.parametrize("origin", ["http://[::1", "http://a:b", "://", "\xff", "http://" + "a" * 5_000])
def test_an_origin_that_cannot_be_read_is_another_one(service: Running, origin: str) -> None:
    answer = httpx.post(f"{service.url}/api/session", headers={b"Origin": origin.encode("latin-1")}, json={})
    assert_problem(answer, 403, "cross-origin")


def test_an_unknown_method_and_an_unknown_address_have_the_same_shape_of_answer(person: Person) -> None:
    answer = person.http.patch("/api/session")
    assert_problem(answer, 405, "method-not-allowed")
    assert answer.headers["allow"]
    for path in ("/api/nowhere", "/assets/none.js", "/none.js", "/a/b/c", "/assets/..%2f..%2fsecret"):
        assert_problem(person.http.get(path), 404, "not-found")


def test_a_body_that_breaks_off_is_no_mistake_of_ours(person: Person, service: Running) -> None:
    logged = len(service.logged())
    parts = urlsplit(service.url)
    with socket.create_connection((parts.hostname, parts.port)) as half:
        head = f"POST /api/session HTTP/1.1\r\nHost: {parts.netloc}\r\nContent-Type: application/json\r\n"
        half.sendall(f"{head}Content-Length: 100\r\n\r\n{{".encode())
    # The connection is closed in order, so once a later call is answered the earlier one has ended.
    assert person.http.get("/api/session").status_code == 200
    assert "Traceback" not in service.logged()[logged:]


# Anything at all

scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20)
anything = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4)
)
FIELDS = ("name", "number", "codes", "note", "expires_on", "balance", "front", "favourite", "colour", "merchant")


@st.composite
def mutations(draw: st.DrawFn) -> dict[str, Any]:
    """Mutations that are nearly right."""
    ids = st.sampled_from(["SPACE", "CARD", uuid7()]) | anything
    fields = st.dictionaries(st.sampled_from(FIELDS), anything, max_size=4) | anything
    at = st.datetimes().map(lambda when: when.isoformat() + "Z") | anything
    args = {"space": ids, "id": ids, "card": fields, "fields": fields, "use": ids, "at": at}
    names = st.sampled_from(["card.keep", "card.set", "card.use", "card.bin", "card.restore"])
    # Half of them carry what every mutator needs, so that they reach it.
    needed = draw(st.just({}) | st.fixed_dictionaries({"space": st.just("SPACE"), "id": ids}))
    return {"id": 1, "name": draw(names), "args": {**draw(st.fixed_dictionaries({}, optional=args)), **needed}}


def sent(body: Any, person: Person, card_id: str) -> bytes:
    """As JSON, surrogates and NaN and all, with the real ids in their places."""
    text = json.dumps(body)
    return text.replace('"SPACE"', f'"{person.space}"').replace('"CARD"', f'"{card_id}"').encode()


@given(body=anything)
def test_no_json_whatever_makes_a_route_fail(person: Person, body: Any) -> None:
    for path in JSON_ROUTES:
        answer = post(person, path, sent(body, person, ""))
        assert_problem(answer, answer.status_code, answer.json()["code"])
        assert answer.status_code in {400, 422}


@given(data=st.data())
def test_no_nearly_right_mutation_fails_by_our_own_error(person: Person, data: st.DataObject) -> None:
    card_id = person.keep()
    body = {"client": uuid7(), "mutations": [data.draw(mutations())]}
    answer = post(person, "/api/sync/push", sent(body, person, card_id))
    assert answer.status_code in {200, 400, 409, 422}, answer.text
    if answer.status_code == 200:
        [result] = answer.json()["results"]
        assert result.get("problem", {}).get("code") != "failed"
    assert person.http.get("/api/sync/pull", params={"account": person.account}).status_code == 200


@given(
    credentials=st.fixed_dictionaries({"email": st.text() | st.emails(), "password": st.text(), "device": st.text()})
)
def test_no_credentials_whatever_make_signing_in_fail(person: Person, credentials: dict[str, str]) -> None:
    answer = post(person, "/api/session", json.dumps(credentials).encode())
    assert answer.status_code in {400, 401, 422}


# Our own mistakes


def logged_under(own: Running, answer: httpx.Response) -> str:
    """What the log says after the answer's request id."""
    return own.logged().partition(answer.headers["x-request-id"])[2]


def test_a_body_damaged_in_the_store_costs_itself_only_and_is_in_the_log_under_the_request_id(
    options: ServiceOptions,
) -> None:
    with running(options) as own, Person.signed_up(own.url) as person:
        damaged, whole = person.keep(name="Повреждённая"), person.keep(name="Целая")
        box = "decode('00ff', 'hex')" if Rows(options).database else "X'00ff'"
        Rows(options).sql(f"UPDATE entry SET box = {box} WHERE key = 'card/{damaged}'")
        assert list(person.cards()) == [whole]
        assert f"card/{damaged} in space {person.space} does not open" in own.logged()
        batch = [
            person.mutation("card.set", id=damaged, fields={"note": "нет"}),
            person.mutation("card.set", id=whole, fields={"note": "да"}),
        ]
        for _ in range(4):
            stuck = person.send(batch)
            assert assert_problem(stuck, 500, "failed")["id"] == batch[0]["id"]
            assert "Traceback" in logged_under(own, stuck)
            assert "BoxUnreadable" in logged_under(own, stuck)
        told = person.send(batch).json()["results"]
        assert [result["status"] for result in told] == ["refused", "applied"]
        assert told[0]["problem"]["code"] == "failed"
        assert person.send(batch).json()["results"] == told


# Full disks


def fill(person: Person, at_once: int = 1) -> tuple[set[str], httpx.Response]:
    """Keep cards until the service refuses; the cards it acknowledged, and the refusal."""
    kept: set[str] = set()
    while True:
        number, names = person.next_id, [uuid7() for _ in range(at_once)]
        card = {"name": "Магнит", "codes": [code("8" * 7_000, "qr_code")]}
        answer = person.send([person.mutation("card.keep", id=name, card=card) for name in names])
        if answer.status_code != 200:
            person.next_id = number
            return kept, answer
        assert all(result["status"] == "applied" for result in answer.json()["results"])
        kept |= set(names)
        assert len(kept) < 20_000, "The disk never filled."


def assert_no_room(answer: httpx.Response, *codes: str) -> None:
    assert_problem(answer, 503, answer.json()["code"])
    assert answer.json()["code"] in codes
    assert int(answer.headers["retry-after"]) >= 1


def limit_files(process: int, size_bytes: int) -> None:
    """From now on no file of the process grows past this size."""
    resource.prlimit(process, resource.RLIMIT_FSIZE, (size_bytes, resource.RLIM_INFINITY))


@pytest.fixture
def embedded(tmp_path: Path) -> ServiceOptions:
    """A store on this machine's own disk."""
    return ServiceOptions(tmp_path / "data")


def test_at_the_largest_number_of_pages_pushing_is_answered_store_full_and_heals(embedded: ServiceOptions) -> None:
    async def story() -> None:
        async with inside.opened(embedded) as guest:
            [[pages]] = await db.fetch("PRAGMA page_count")
            await db.fetch(f"PRAGMA max_page_count = {pages + 8}")
            kept = 0
            while (answer := await guest.keep(note="ж" * 2_000)).status_code == 200:
                kept += 1
            assert_no_room(answer, "store-full")
            assert len(await guest.names()) == kept
            assert_no_room(await guest.keep(note="ж" * 2_000), "store-full")
            await db.fetch(f"PRAGMA max_page_count = {pages + 10_000}")
            assert (await guest.keep(note="ж" * 2_000)).status_code == 200
            assert len(await guest.names()) == kept + 1
            [[healthy]] = await db.fetch("PRAGMA integrity_check")
            assert healthy == "ok"

    asyncio.run(story())


def test_over_the_file_size_limit_nothing_acknowledged_is_lost_and_all_heals(embedded: ServiceOptions) -> None:
    with running(embedded) as own, Person.signed_up(own.url) as person:
        photo, _ = person.upload(PHOTO)
        first = person.keep(front=photo)
        size = max(path.stat().st_size for path in embedded.data.iterdir())
        limit_files(own.process.pid, size + 60_000)
        kept, refusal = fill(person)
        assert_no_room(refusal, "store-full", "store-unavailable")
        assert person.cards().keys() == {first, *kept}
        assert_no_room(fill(person, at_once=100)[1], "store-full", "store-unavailable")
        assert person.http.get("/api/health").status_code == 200
        limit_files(own.process.pid, resource.RLIM_INFINITY)
        later = person.keep()
        assert person.cards().keys() == {first, *kept, later}
    with running(embedded) as own, returned(person, own.url) as after:
        assert after.cards().keys() == {first, *kept, later}
        assert Rows(embedded).sql("PRAGMA integrity_check") == [("ok",)]
        assert after.pull(client=after.client)["last"] == after.next_id - 1


def test_a_picture_with_no_room_is_told_so_leaves_nothing_and_can_be_sent_again(embedded: ServiceOptions) -> None:
    with running(embedded) as own, Person.signed_up(own.url) as person:
        limit_files(own.process.pid, 1_000)
        picture_id, answer = person.upload(PHOTO)
        assert_no_room(answer, "store-full")
        assert Kept(embedded).all() == {}
        assert Rows(embedded).count("picture") == 0
        limit_files(own.process.pid, resource.RLIM_INFINITY)
        assert person.upload(PHOTO, picture_id)[1].status_code == 201


def test_signing_up_with_no_room_makes_no_half_account(embedded: ServiceOptions) -> None:
    body = {"email": "anna@example.org", "password": "correct horse", "device": "телефон"}
    with running(embedded) as own:
        limit_files(own.process.pid, 1_000)
        assert_no_room(httpx.post(f"{own.url}/api/accounts", json=body), "store-full", "store-unavailable")
        limit_files(own.process.pid, resource.RLIM_INFINITY)
        assert [Rows(embedded).count(table) for table in ("account", "device", "space", "member")] == [0] * 4
        assert httpx.post(f"{own.url}/api/accounts", json=body).status_code == 201


@pytest.fixture
def small_database(postgres_server: PostgresServer) -> Iterator[tuple[str, Path]]:
    """A PostgreSQL database on a disk of 16 MB, and where that is mounted."""
    disk = Path(tempfile.mkdtemp(prefix="karman-disk-"))
    mount: list[str | Path] = ["mount", "-t", "tmpfs", "-o", "size=16m,mode=0777", "karman-test", disk]
    if os.geteuid() != 0 or subprocess.run(mount, check=False, capture_output=True).returncode:
        disk.rmdir()
        pytest.skip("only root may mount a small file system")
    space = disk / "space"
    space.mkdir()
    shutil.chown(space, 65534, 65534)
    postgres_server.sql(f"CREATE TABLESPACE small LOCATION '{space}'")
    postgres_server.sql("CREATE DATABASE small TABLESPACE small")
    url = f"postgres://postgres@127.0.0.1:{postgres_server.port}/small"
    yield url, disk
    postgres_server.drop_database(url)
    postgres_server.sql("DROP TABLESPACE small")
    subprocess.run(["umount", disk], check=True)
    disk.rmdir()


def test_a_database_without_room_is_told_as_full_loses_nothing_and_heals(
    small_database: tuple[str, Path], tmp_path: Path
) -> None:
    url, disk = small_database
    grown = ServiceOptions.on_servers(tmp_path, url, "")
    with running(grown) as own, Person.signed_up(own.url) as person:
        kept, refusal = fill(person, at_once=100)
        assert_no_room(refusal, "store-full")
        assert person.cards().keys() == kept
        subprocess.run(["mount", "-o", "remount,size=64m", disk], check=True)
        kept.add(person.keep(note="ж" * 2_000))
        assert person.cards().keys() == kept
