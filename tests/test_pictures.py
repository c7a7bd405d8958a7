"""Pictures of cards: written once, told nothing about where they were taken, and unreadable outside their space."""

import io
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from PIL import Image

from tests.answers import assert_problem, masked
from tests.samples import RED, animation, encoded, with_exif
from tests.service import Person, Running, ServiceOptions, running, start, uuid7
from tests.stores import Kept, Rows, returned, rotated

BLUE = (0, 0, 200)


def plain(colour: tuple[int, int, int], kind: str = "PNG") -> bytes:
    """A picture of one colour."""
    return encoded(Image.new("RGB", (64, 40), colour), kind)


def fetch(person: Person, picture_id: str, space: str = "") -> httpx.Response:
    return person.http.get(f"/api/pictures/{space or person.space}/{picture_id}", params={"account": person.account})


def seen(answer: httpx.Response) -> Image.Image:
    """The picture that was served."""
    assert (answer.status_code, answer.headers["content-type"]) == (200, "image/webp")
    return Image.open(io.BytesIO(answer.content))


def colour(answer: httpx.Response) -> str:
    """Which of the two colours is in the middle."""
    image = seen(answer).convert("RGB")
    red, _, blue = image.crop((image.width // 2, 0, image.width // 2 + 1, 1)).tobytes()
    return "red" if red > blue else "blue"


# Written once


def test_an_uploaded_picture_is_served_to_its_person_and_kept_by_no_cache(person: Person) -> None:
    picture_id, answer = person.upload(plain(RED))
    assert (answer.status_code, answer.content) == (201, b"")
    with person.another_device() as other:
        served = fetch(other, picture_id)
    assert (colour(served), seen(served).size) == ("red", (64, 40))
    assert served.headers["cache-control"] == "no-store"


def test_the_same_upload_again_is_200_and_another_is_409(person: Person) -> None:
    picture_id, _ = person.upload(plain(RED))
    before = fetch(person, picture_id).content
    assert person.upload(plain(RED), picture_id)[1].status_code == 200
    for other in (plain(BLUE), plain(RED, "WEBP"), plain(RED) + b"\0"):
        assert_problem(person.upload(other, picture_id)[1], 409, "picture-exists")
    assert fetch(person, picture_id).content == before


def test_a_repeat_is_known_as_one_after_the_keys_were_rotated(options: ServiceOptions) -> None:
    with running(options) as own, Person.signed_up(own.url) as person:
        picture_id, _ = person.upload(plain(RED))
        own.stop()
    with running(rotated(options)) as own, returned(person, own.url) as later:
        assert colour(fetch(later, picture_id)) == "red"
        assert later.upload(plain(RED), picture_id)[1].status_code == 200
        assert_problem(later.upload(plain(BLUE), picture_id)[1], 409, "picture-exists")


def test_of_two_uploads_at_once_under_one_id_one_wins_and_is_served(person: Person) -> None:
    pictures = {"red": plain(RED), "blue": plain(BLUE)}
    with ThreadPoolExecutor(2) as threads:
        for _ in range(10):
            name = uuid7()
            sent = {tint: threads.submit(person.upload, picture, name) for tint, picture in pictures.items()}
            statuses = {tint: upload.result()[1].status_code for tint, upload in sent.items()}
            assert sorted(statuses.values()) == [201, 409]
            assert statuses[colour(fetch(person, name))] == 201


def test_the_same_upload_twice_at_once_succeeds_twice_and_is_new_once(person: Person) -> None:
    with ThreadPoolExecutor(4) as threads:
        for _ in range(5):
            name = uuid7()
            uploads = [threads.submit(person.upload, plain(RED), name) for _ in range(4)]
            assert sorted(upload.result()[1].status_code for upload in uploads) == [200, 200, 200, 201]
            assert colour(fetch(person, name)) == "red"


def test_two_people_may_use_one_id_for_different_pictures(person: Person, stranger: Person) -> None:
    picture_id, _ = person.upload(plain(RED))
    assert stranger.upload(plain(BLUE), picture_id)[1].status_code == 201
    assert (colour(fetch(person, picture_id)), colour(fetch(stranger, picture_id))) == ("red", "blue")


# Told nothing


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_where_and_with_what_a_picture_was_taken_is_gone(person: Person, kind: str) -> None:
    photo = with_exif(Image.new("RGB", (64, 40), RED), 6, padding=2_000, kind=kind)
    assert b"A camera" in photo
    picture_id, _ = person.upload(photo)
    served = fetch(person, picture_id)
    image = seen(served)
    assert dict(image.getexif()) == {}
    assert not {"exif", "xmp", "icc_profile"} & image.info.keys()
    assert b"A camera" not in served.content
    assert b"nnnn" not in served.content


def test_a_picture_is_served_the_way_it_was_seen(person: Person) -> None:
    picture_id, _ = person.upload(with_exif(Image.new("RGB", (64, 40), RED), 6))
    assert seen(fetch(person, picture_id)).size == (40, 64)


def test_a_large_photo_is_served_no_larger_than_a_phone_shows(person: Person) -> None:
    picture_id, answer = person.upload(encoded(Image.effect_noise((3000, 2000), 20), "JPEG", quality=50))
    assert answer.status_code == 201
    served = fetch(person, picture_id)
    assert max(seen(served).size) <= 1_600
    assert len(served.content) <= 2_000_000


# Sealed


@pytest.fixture
def own(options: ServiceOptions) -> Iterator[Running]:
    """A service on a store that nobody else uses."""
    with running(options) as found:
        yield found


def test_at_rest_there_is_neither_a_picture_nor_what_it_told(options: ServiceOptions, own: Running) -> None:
    photo = with_exif(Image.effect_noise((64, 40), 20).convert("RGB"), 1, padding=200)
    with Person.signed_up(own.url) as person:
        picture_id, _ = person.upload(photo)
        served = fetch(person, picture_id).content
    [(key, box)] = Kept(options).all().items()
    assert key.startswith(f"pictures/{person.space}/{picture_id}-")
    readable = [served[:64], served[-64:], photo[-64:], b"RIFF", b"WEBPVP8", b"\xff\xd8\xff", b"A camera", b"Exif"]
    files = [path.read_bytes() for path in options.data.rglob("*") if path.is_file()]
    assert [part for part in readable for data in [box, *files] if part in data] == []


def test_a_box_moved_to_another_space_does_not_open_there(options: ServiceOptions, own: Running) -> None:
    with Person.signed_up(own.url) as person, Person.signed_up(own.url) as thief:
        picture_id, _ = person.upload(plain(RED))
        [key] = Kept(options).all()
        Kept(options).copy(key, key.replace(person.space, thief.space))
        Rows(options).sql(
            "INSERT INTO picture (space_id, id, upload_mark, size_bytes, created_ms) "
            f"SELECT '{thief.space}', id, upload_mark, size_bytes, created_ms FROM picture"
        )
        assert_problem(fetch(thief, picture_id), 500, "failed")
        assert colour(fetch(person, picture_id)) == "red"


def test_outside_the_space_a_picture_is_as_unknown_as_a_random_one(person: Person, stranger: Person) -> None:
    picture_id, _ = person.upload(plain(RED))
    random, nowhere = uuid7(), str(uuid.uuid4())
    answers = [
        fetch(stranger, picture_id, person.space),
        fetch(stranger, picture_id),
        fetch(stranger, random),
        fetch(stranger, random, nowhere),
    ]
    for answer in answers:
        assert_problem(answer, 404, "not-found")
    assert len({str(masked(answer, picture_id, random, nowhere)) for answer in answers}) == 1


def test_a_picture_whose_bytes_somebody_removed_is_not_found_and_no_mistake_of_ours(
    options: ServiceOptions, own: Running
) -> None:
    with Person.signed_up(own.url) as person:
        picture_id, _ = person.upload(plain(RED))
        [key] = Kept(options).all()
        Kept(options).delete(key)
        assert_problem(fetch(person, picture_id), 404, "not-found")


# Bytes first, then the row


def test_a_crash_between_bytes_and_row_leaves_no_row_and_the_upload_can_be_sent_again(options: ServiceOptions) -> None:
    own = start(options)
    picture_id = uuid7()
    with Person.signed_up(own.url) as person, ThreadPoolExecutor(1) as threads:
        with Rows(options).held("picture"):
            upload = threads.submit(person.upload, plain(RED), picture_id)
            deadline = time.monotonic() + 30
            while not Kept(options).all():
                assert not upload.done()
                assert time.monotonic() < deadline
            own.kill()
        assert isinstance(upload.exception(), httpx.TransportError)
    with running(options) as again, returned(person, again.url) as later:
        assert Rows(options).count("picture") == 0
        assert_problem(fetch(later, picture_id), 404, "not-found")
        named = [later.mutation("card.keep", id=uuid7(), card={"name": "Магнит", "front": picture_id})]
        assert_problem(later.send(named), 409, "picture-missing")
        assert later.upload(plain(RED), picture_id)[1].status_code == 201
        assert colour(fetch(later, picture_id)) == "red"
        assert later.send(named).json()["results"] == [{"id": 1, "status": "applied"}]


# What is no picture is in test_bad_input; these look like none and are


@pytest.mark.parametrize(
    "picture",
    [
        animation("GIF"),
        animation("WEBP"),
        encoded(Image.new("CMYK", (64, 40), (0, 255, 255, 0))),
        encoded(Image.new("L", (1, 1)), "PNG"),
        encoded(Image.new("RGB", (16_000, 1)), "PNG"),
    ],
    ids=["animated gif", "animated webp", "CMYK", "one pixel", "one line"],
)
def test_an_unusual_picture_is_kept_as_one_still_picture(person: Person, picture: bytes) -> None:
    picture_id, answer = person.upload(picture)
    assert answer.status_code == 201
    assert getattr(seen(fetch(person, picture_id)), "n_frames", 1) == 1
