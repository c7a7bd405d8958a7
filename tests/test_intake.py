"""Photos over HTTP: the draft they become, and what bad, heavy, broken and too many of them are told."""

import base64
import io
import json
import logging
import os
import signal
import socket
import tempfile
import threading
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import psutil
import pytest
import uvicorn
from PIL import Image
from starlette.applications import Starlette

from aggregator import images, intake
from aggregator.errors import Problem
from aggregator.http import Frame, refusal, surprise
from aggregator.images import MAX_BYTES
from aggregator.limits import Limiter
from aggregator.merchants.candidates import Candidate, Reason
from aggregator.merchants.directory import Directory, Merchant
from aggregator.merchants.evidence import Evidence
from aggregator.merchants.matching import Matcher
from aggregator.merchants.patterns import Patterns
from aggregator.recognition.reading import Reading
from aggregator.recognition.workers import READERS, Pool
from tests import damage, faces, samples
from tests.answers import assert_problem, pointers
from tests.service import Person, ServiceOptions, client, running

SCRIPTED = "tests.readers:scripted"
CARD = samples.card()
JPEG, PNG, WEBP, GIF = (samples.encoded(CARD, kind) for kind in ("JPEG", "PNG", "WEBP", "GIF"))


@dataclass
class Service:
    """A running intake and its pool."""

    address: str
    pool: Pool
    http: httpx.Client = field(default_factory=lambda: httpx.Client(timeout=120))

    def send(self, *photos: bytes, **options: object) -> httpx.Response:
        return self.post(files=[("photo", ("card.jpg", photo, "image/jpeg")) for photo in photos], **options)

    def post(self, path: str = "/api/intake", **options: object) -> httpx.Response:
        return self.http.post(self.address + path, **options)


def by_country(reading: Reading, country: str | None) -> list[Candidate]:
    """A match that shows what it was given."""
    return [Candidate(f"shop-{country}", f"{len(reading.codes)} codes", 0.98765, (Reason("number-prefix", "7789"),))]


@contextmanager
def serving(limits: str = "10000/minute", match: intake.Match = by_country, **options: object) -> Iterator[Service]:
    pool = Pool(**{"workers": 2, "queue": 8} | options)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        await pool.start()
        yield
        await pool.close()

    routes = intake.routes(pool, intake.Allowance(Limiter(limits)), match)
    app = Starlette(routes=routes, exception_handlers={Problem: refusal, Exception: surprise}, lifespan=lifespan)
    server = uvicorn.Server(uvicorn.Config(Frame(app, "", False, "default-src 'none'"), port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        service = Service(f"http://127.0.0.1:{wait_for_port(server)}", pool)
        with service.http:
            yield service
    finally:
        server.should_exit = True
        thread.join()


def wait_for_port(server: uvicorn.Server) -> int:
    while not server.started:
        time.sleep(0.02)
    port: int = server.servers[0].sockets[0].getsockname()[1]
    return port


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    """One service for all tests that leave it as it was, which is the point of most."""
    with serving() as running:
        before = running.pool.pids
        yield running
        assert running.pool.pids == before, "a photo cost a process"


SHOPS = Directory([Merchant(slug="maple", names=("Кленовый лист",)), Merchant(slug="birch", names=("Берёзка",))])
TWO_SHOPS = Evidence(Matcher(SHOPS), SHOPS, Patterns)


@pytest.fixture(scope="module")
def reader() -> Iterator[Service]:
    """One service that reads print, too, and knows two shops."""
    with serving(reader=READERS["auto"], match=TWO_SHOPS) as running:
        yield running


# ---------------------------------------------------------------- the draft


def test_a_photo_of_a_card_becomes_a_draft(service):
    answer = service.send(JPEG)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/json")
    draft = answer.json()
    assert draft.keys() == {"codes", "number", "merchants", "verdict", "face", "sides", "timings_ms"}
    (code,) = draft["codes"]
    assert code.keys() == {"format", "text", "raw", "votes", "box", "confidence"}
    assert (code["format"], code["text"], code["votes"]) == ("ean_13", "4607001234562", 2)
    assert base64.b64decode(code["raw"]) == b"4607001234562"
    assert np.array(code["box"]).shape == (4, 2)
    assert draft["number"] is None
    assert draft["timings_ms"].keys() == {"decode", "card", "barcodes", "match"}


def test_the_draft_shows_the_face_as_a_picture_a_page_can_show(service):
    face = service.send(JPEG).json()["face"]
    kind, _, picture = face["picture"].partition(",")
    assert kind == "data:image/webp;base64"
    assert Image.open(io.BytesIO(base64.b64decode(picture))).size == (800, 505)
    assert face["colour"].startswith("#e")


def test_fnc1_and_the_announced_character_set_are_in_the_draft_where_there_are_any(service):
    gs1 = samples.encoded(samples.code("code_128", "(01)12345678901231", gs1=True), "PNG")
    cyrillic = samples.encoded(samples.code("aztec", "привет"), "PNG")
    assert service.send(gs1).json()["codes"][0]["gs1"] is True
    code = service.send(cyrillic).json()["codes"][0]
    assert (code["text"], code["encoding"]) == ("привет", "iso-8859-5")
    assert base64.b64decode(code["raw"]) == "привет".encode("iso-8859-5")


def test_merchants_come_from_the_matcher_with_the_country_of_the_question(service):
    answer = service.send(JPEG, params={"country": "RU"})
    why = [{"code": "number-prefix", "value": "7789"}]
    shop = {"slug": "shop-ru", "name": "1 codes", "score": 0.988, "reasons": why}
    assert answer.json()["merchants"] == [shop]
    assert service.send(JPEG).json()["merchants"][0]["slug"] == "shop-None"


def lines(answer: httpx.Response) -> list[dict[str, Any]]:
    return [json.loads(line) for line in answer.text.splitlines()]


STEPWISE = {"Accept": "application/x-ndjson"}


def test_a_draft_step_by_step_ends_with_what_the_whole_answer_says(service):
    answer = service.send(JPEG, headers=STEPWISE, params={"country": "ru"})
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/x-ndjson")
    told = lines(answer)
    steps = [line["step"] for line in told]
    assert steps.index("barcodes") < steps.index("card") < steps.index("match") < steps.index("done")
    whole = service.send(JPEG, params={"country": "ru"}).json()
    assert told[-1].keys() == {"step", *whole}
    assert all(told[-1][key] == value for key, value in whole.items() if key != "timings_ms")
    assert next(line for line in told if line["step"] == "barcodes")["codes"] == whole["codes"]
    assert next(line for line in told if line["step"] == "match")["merchants"] == whole["merchants"]


def test_what_is_no_picture_is_refused_with_its_own_status_even_step_by_step(service):
    assert_problem(service.send(b"no picture", headers=STEPWISE), 415, "not-a-picture")


def test_a_process_that_dies_halfway_ends_the_lines_with_the_problem():
    with serving(reader=SCRIPTED, workers=1) as service:
        told = lines(service.send(b"step", b"die", headers=STEPWISE))
        assert [line["step"] for line in told] == ["step", "failed"]
        assert told[-1]["problem"]["code"] == "reading-failed"
        assert int(told[-1]["retry_after_s"]) > 0


def test_four_photos_of_one_card_are_one_draft(service):
    back = samples.encoded(samples.code("qr_code", "the back"), "PNG")
    codes = service.send(JPEG, back, WEBP, GIF).json()["codes"]
    assert [(code["text"], code.get("photo", 0)) for code in codes] == [("4607001234562", 0), ("the back", 1)]


def test_front_and_back_sent_in_either_order_are_one_card_and_told_apart(reader):
    front = faces.face(("КЛЕНОВЫЙ ЛИСТ", 60, 92), ("4607001234562", 480, 58))
    back = faces.face(
        ("Карту просим предъявлять до оплаты", 40, 30), ("Берёзка ей не рада", 100, 26), colour=(230, 225, 215)
    )
    back.paste(samples.code("ean_13", "4607001234562", scale=5), (120, 200))
    photos = [samples.encoded(faces.photo(side, faces.corners_at(4))) for side in (front, back)]
    for sent, sides in ((photos, {"front": 0, "back": 1}), (photos[::-1], {"front": 1, "back": 0})):
        draft = reader.send(*sent).json()
        assert draft["sides"] == sides
        assert [(code["text"], code.get("photo", 0)) for code in draft["codes"]] == [("4607001234562", sides["back"])]
        assert (draft["number"]["text"], draft["number"]["check"]) == ("4607001234562", "gs1")
        assert (draft["merchants"][0]["slug"], draft["verdict"]) == ("maple", "accept")
        assert int(draft["face"]["colour"][5:], 16) > 150, "the face is not the blue front's"


def test_codes_of_every_photo_are_told_before_print_of_any_is_read(reader):
    told = lines(reader.send(samples.encoded(Image.new("RGB", (320, 240), "#336699")), JPEG, headers=STEPWISE))
    steps = [line["step"] for line in told]
    assert steps.index("text") > steps.index("card") > [k for k, step in enumerate(steps) if step == "barcodes"][1]
    assert [line["codes"] != [] for line in told if line["step"] == "barcodes"] == [False, True]


def test_a_photo_without_a_code_is_an_empty_draft_and_no_error(service):
    answer = service.send(samples.encoded(Image.new("RGB", (320, 240), "#336699"), "PNG"))
    assert answer.status_code == 200
    assert (answer.json()["codes"], answer.json()["number"]) == ([], None)
    assert answer.json()["face"]["colour"] == "#336699"


GREY_16 = Image.fromarray(np.asarray(CARD.convert("L")).astype(np.uint16) * 257)
ODD_BUT_FINE = {
    "animated gif": samples.animation("GIF"),
    "animated webp": samples.animation("WEBP"),
    "cmyk jpeg": samples.encoded(CARD.convert("CMYK")),
    "grey jpeg": samples.encoded(CARD.convert("L")),
    "palette png": samples.encoded(CARD.convert("P"), "PNG"),
    "transparent png": samples.encoded(CARD.convert("RGBA"), "PNG"),
    "two-tone png": samples.encoded(CARD.convert("1"), "PNG"),
    "16-bit png": samples.encoded(GREY_16, "PNG"),
    "huge exif": samples.with_exif(CARD, 1, padding=60_000),
    "sideways": samples.with_exif(CARD, 6),
    **({"heic": samples.encoded(CARD, "HEIF")} if images.HEIC else {}),
}


@pytest.mark.parametrize("name", ODD_BUT_FINE)
def test_odd_pictures_are_read_like_any_other(service, name):
    answer = service.send(ODD_BUT_FINE[name])
    assert answer.status_code == 200
    assert [code["text"] for code in answer.json()["codes"]] == ["4607001234562"]


def test_what_a_part_calls_itself_does_not_matter(service):
    answer = service.post(files=[("photo", ("../../etc/passwd\r\n", JPEG, "text/html"))])
    assert answer.json()["codes"][0]["text"] == "4607001234562"


# ---------------------------------------------------------------- bad photos

NO_PICTURE = {
    "empty": b"",
    "text": b"just a note",
    "pdf": b"%PDF-1.7\n" + bytes(2_000),
    "svg": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    "tiff": samples.encoded(CARD, "TIFF"),
    "bmp": samples.encoded(CARD, "BMP"),
    "truncated jpeg": JPEG[: len(JPEG) // 2],
    "truncated png": PNG[: len(PNG) // 2],
    "truncated webp": WEBP[: len(WEBP) // 2],
    "truncated gif": GIF[: len(GIF) // 2],
    "header alone": JPEG[:20],
    "swelling comment": samples.png_text_bomb(),
}
TOO_LARGE = {
    "200 megapixel png": samples.png(20_000, 10_000, b""),
    "200 megapixel jpeg": samples.jpeg_announcing(20_000, 10_000),
    "gif frame beyond its screen": samples.gif_with_a_frame_beyond_its_screen(),
    "400 megapixel bomb": samples.png_bomb(),
    "more bytes than a photo has": bytes(MAX_BYTES + 1),
}


@pytest.mark.parametrize("name", NO_PICTURE)
def test_what_is_no_whole_picture_is_415(service, name):
    assert_problem(service.send(NO_PICTURE[name]), 415, "not-a-picture")


@pytest.mark.parametrize("name", TOO_LARGE)
def test_what_is_past_the_bounds_is_413(service, name):
    assert_problem(service.send(TOO_LARGE[name]), 413, "too-large")


def test_one_bad_photo_refuses_the_card(service):
    assert_problem(service.send(JPEG, b"just a note"), 415, "not-a-picture")


def test_damaged_files_cost_no_process_and_no_memory(request, is_proof):
    # Print is read of what could be decoded and takes most of the time: ordinary runs leave it out.
    reader = request.getfixturevalue("reader" if is_proof else "service")
    ways = (damage.cut_off, damage.bits_turned, damage.made_up, damage.announcing)
    rounds = dict.fromkeys(ways, 250 if is_proof else 1)
    with ThreadPoolExecutor(3) as senders:
        # What is read for the first time in its size takes memory that is kept.
        list(senders.map(reader.send, damage.files(3, dict.fromkeys(ways, 5 * is_proof))))
        before, held = reader.pool.pids, held_between_photos(reader, senders)
        statuses = Counter(answer.status_code for answer in senders.map(reader.send, damage.files(4, rounds)))
        assert held_between_photos(reader, senders) < held + 60_000_000
    assert statuses.keys() <= {200, 413, 415}
    assert statuses.total() == sum(rounds.values()) * len(damage.KINDS)
    assert reader.pool.pids == before
    assert reader.send(JPEG).json()["codes"][0]["text"] == "4607001234562"


def held_between_photos(service: Service, senders: ThreadPoolExecutor) -> int:
    """The bytes of all processes after some small photos: what a large one took is given back with the next."""
    assert {answer.status_code for answer in senders.map(service.send, [JPEG] * 9)} == {200}
    found = []
    for _ in range(10):
        # A process gives back what it does not need once its answer is on the way.
        time.sleep(0.1)
        found.append(sum(psutil.Process(pid).memory_info().rss for pid in service.pool.pids))
    return min(found)


# ---------------------------------------------------------------- bad forms


def test_five_photos_are_one_too_many(service):
    body = assert_problem(service.send(*[JPEG] * 5), 422, "invalid")
    assert pointers(body) == ["/photo"]


def test_another_field_is_refused_by_its_name(service):
    body = assert_problem(service.post(files={"photo": JPEG}, data={"na/me~": "x"}), 422, "invalid")
    assert pointers(body) == ["/na~1me~0"]


@pytest.mark.parametrize(
    "request_",
    [
        {"json": {"photo": "x"}},
        {"data": {"photo": "x"}},
        {"content": b""},
        {"content": JPEG, "headers": {"Content-Type": "image/jpeg"}},
        {"content": b"--b--\r\n", "headers": {"Content-Type": "multipart/form-data; boundary=b"}},
        {"content": b"no parts at all", "headers": {"Content-Type": "multipart/form-data; boundary=b"}},
        {"content": b"", "headers": {"Content-Type": "multipart/form-data"}},
        {"files": [("photo", (None, "typed text"))]},
    ],
    ids=["json", "form", "nothing", "bare picture", "no part", "no multipart", "no boundary", "no file"],
)
def test_a_request_without_a_photo_names_the_missing_part(service, request_):
    body = assert_problem(service.post(**request_), 422, "invalid")
    assert pointers(body) == ["/photo"]


def test_a_country_that_is_none_is_refused(service):
    body = assert_problem(service.send(JPEG, params={"country": "Russia"}), 422, "invalid")
    assert pointers(body) == ["/country"]


def test_photos_too_heavy_together_are_413_announced_or_not(service):
    heavy = JPEG + bytes(11_000_000)
    assert_problem(service.send(heavy, heavy, heavy), 413, "too-large")

    def stream():
        head = b'--b\r\nContent-Disposition: form-data; name="photo"; filename="x"\r\n\r\n'
        for _ in range(3):
            yield head + heavy + b"\r\n"
        yield b"--b--\r\n"

    headers = {"Content-Type": "multipart/form-data; boundary=b"}
    assert_problem(service.post(content=stream(), headers=headers), 413, "too-large")


def test_a_get_is_no_intake(service):
    assert httpx.get(service.address + "/api/intake").status_code == 405


# ---------------------------------------------------------------- nothing kept, nothing told


def test_a_large_photo_never_touches_the_disk(service, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", "/nonexistent")
    assert service.send(JPEG + bytes(8_000_000)).status_code == 200


def test_nothing_of_a_photo_is_logged(service, caplog):
    with caplog.at_level(logging.DEBUG):
        service.send(JPEG)
        service.send(b"4607001234562")
    assert "4607001234562" not in caplog.text
    assert "4607001234562"[:8].encode().hex() not in caplog.text


def test_a_sender_who_stops_halfway_harms_nobody(service, caplog):
    host, port = service.address.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as wire:
        wire.sendall(b"POST /api/intake HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n")
        wire.sendall(b"Content-Type: multipart/form-data; boundary=b\r\n\r\n--b\r\n")
    assert service.send(JPEG).status_code == 200
    assert not [record for record in caplog.records if record.levelno >= logging.ERROR]


def test_bytes_of_all_uploads_together_are_bounded_and_given_back(monkeypatch):
    monkeypatch.setattr(intake, "MAX_HELD_BYTES", 1_000_000)
    with serving(workers=1) as service:
        for _ in range(5):
            assert_problem(service.send(JPEG + bytes(1_000_000)), 503, "busy")
            assert_problem(service.send(b"x" * 500_000), 415, "not-a-picture")
            assert service.send(JPEG).status_code == 200


# ---------------------------------------------------------------- many, slow and deadly photos


def test_twenty_uploads_at_once_are_each_read_or_told_when_to_come_again(tmp_path):
    with serving(reader=SCRIPTED) as service, ThreadPoolExecutor(20) as senders:
        before = service.pool.pids
        waiting = b"wait " + bytes(tmp_path / "go")
        sent = [senders.submit(service.send, waiting) for _ in range(20)]
        while sum(upload.done() for upload in sent) < 10:
            time.sleep(0.02)
        (tmp_path / "go").touch()
        answers = [upload.result() for upload in sent]
        busy = [answer for answer in answers if answer.status_code == 503]
        assert sorted(answer.status_code for answer in answers) == [200] * 10 + [503] * 10
        for answer in busy:
            assert_problem(answer, 503, "busy")
            assert 1 <= int(answer.headers["Retry-After"]) <= 60
        assert service.pool.pids == before
        assert service.send(b"look").status_code == 200


def test_a_process_killed_over_a_photo_is_503_and_the_next_photo_is_read(tmp_path):
    with serving(workers=1, reader=SCRIPTED) as service, ThreadPoolExecutor(1) as sender:
        (victim,) = service.pool.pids
        upload = sender.submit(service.send, b"wait " + bytes(tmp_path / "never"))
        while not (tmp_path / "never.started").exists():
            time.sleep(0.02)
        os.kill(victim, signal.SIGKILL)
        answer = upload.result()
        assert_problem(answer, 503, "reading-failed")
        assert int(answer.headers["Retry-After"]) >= 1
        assert service.send(b"look").status_code == 200
        assert victim not in service.pool.pids


def test_a_process_killed_while_it_reads_print_ends_the_lines_with_the_problem_and_is_replaced(reader):
    photo = samples.encoded(faces.photo(faces.face(("МАГНИТ", 60, 90)), faces.corners_at(0)))
    form = {"files": {"photo": photo}, "headers": STEPWISE}
    victims = reader.pool.pids
    with httpx.stream("POST", reader.address + "/api/intake", timeout=60, **form) as answer:
        told = []
        for line in answer.iter_lines():
            told.append(json.loads(line))
            if told[-1]["step"] == "card":
                for pid in victims:
                    os.kill(pid, signal.SIGKILL)
    assert told[-1]["problem"]["code"] == "reading-failed"
    while reader.pool.pids & victims:
        time.sleep(0.02)
    assert reader.send(JPEG).status_code == 200


def test_a_photo_that_hangs_is_503_and_the_next_photo_is_read():
    with serving(workers=1, reader=SCRIPTED, timeout_s=0.5) as service:
        assert_problem(service.send(b"hang"), 503, "reading-failed")
        assert service.send(b"look").status_code == 200


def test_a_picture_made_to_be_slow_is_looked_at_no_longer_than_others(is_proof):
    # The largest takes 2.3 of the 2.5 s of CPU that it may, where many want the core: too near for every run.
    side = 7_000 if is_proof else 5_000
    bars = np.repeat(np.random.default_rng(1).integers(0, 2, side // 2, dtype=np.uint8) * 255, 2)
    slow = samples.encoded(Image.fromarray(np.broadcast_to(bars, (side, side)).copy()), "PNG")
    finder = np.pad(np.pad(np.pad(np.zeros((3, 3), np.uint8), 1, constant_values=255), 1), 1, constant_values=255)
    endless = samples.encoded(Image.fromarray(np.tile(finder, (388, 388))), "PNG")
    with serving(workers=1) as service:
        assert service.send(slow).json()["codes"] == []
        assert_problem(service.send(endless), 503, "reading-failed")
        assert service.send(JPEG).status_code == 200


def test_a_guest_who_sends_too_many_is_429_and_told_how_long_to_wait():
    with serving(limits="2/minute", workers=1) as service:
        assert [service.send(JPEG).status_code for _ in range(2)] == [200, 200]
        answer = service.send(JPEG)
        assert_problem(answer, 429, "too-many-requests")
        assert 1 <= int(answer.headers["Retry-After"]) <= 60


def test_people_who_are_signed_in_may_have_more_read_than_guests(tmp_path: Path) -> None:
    with running(ServiceOptions(tmp_path, arguments=("--workers", "1"))) as service:
        guest = client(service.url)
        with guest, Person.signed_up(service.url) as person:
            post = {"files": {"photo": b"no picture"}}
            refused = [guest.post("/api/intake", **post).status_code for _ in range(31)]
            served = [person.http.post("/api/intake", **post).status_code for _ in range(31)]
    assert (refused[0], refused[-1], set(served)) == (415, 429, {415})
