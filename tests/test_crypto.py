"""Boxes, signatures and fingerprints: what opens with what, and what a change or a rotation does to them."""

import asyncio
import json
import stat
from base64 import b64encode
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from argon2 import extract_parameters
from hypothesis import given
from hypothesis import strategies as st

from aggregator.accounts.passwords import NOBODYS, Passwords
from aggregator.crypto import BoxUnreadable, KeyRing, KeysUnreadable, new_ring, read_ring, ring_at

FIRST, SECOND = bytes(range(32)), bytes(range(32, 64))

# The boxes and signatures of stores that exist must open for ever: these were made once and must not be made again.
OLD_BOX = bytes.fromhex(
    "afe9ab5836f788c08155ee91378e5f77b6594d25f23f516f0a3c413b7e923ddb269787b30f9e0a07be9fb5dda7b3bc"
)
OLD_SIGNATURE = bytes.fromhex("2ec5d842e47b6fbacf2097a3cf55808c")
OLD_FINGERPRINT = bytes.fromhex("bd14c5d23809e4a409a0eae5591f469ed6de06805eda7c2eaabe4862403a557a")


def opens(ring: KeyRing, box: bytes, bound: bytes) -> bool:
    try:
        ring.open(box, bound)
    except BoxUnreadable:
        return False
    return True


@given(plain=st.binary(max_size=200), bound=st.binary(max_size=40), other=st.binary(max_size=40))
def test_a_box_opens_with_its_bound_and_no_other(plain: bytes, bound: bytes, other: bytes) -> None:
    ring = KeyRing([FIRST])
    box = ring.seal(plain, bound)
    assert ring.open(box, bound) == plain
    assert opens(ring, box, other) == (other == bound)


@given(plain=st.binary(min_size=1, max_size=50), place=st.integers(min_value=0), bit=st.integers(0, 7))
def test_a_box_with_one_changed_bit_does_not_open(plain: bytes, place: int, bit: int) -> None:
    ring = KeyRing([FIRST])
    box = bytearray(ring.seal(plain, b"place"))
    box[place % len(box)] ^= 1 << bit
    assert not opens(ring, bytes(box), b"place")


@pytest.mark.parametrize("length", range(36))
def test_a_box_that_was_cut_does_not_open(length: int) -> None:
    ring = KeyRing([FIRST])
    assert not opens(ring, ring.seal(b"card", b"place")[:length], b"place")


def test_equal_texts_are_sealed_differently_and_tell_nothing_but_their_length() -> None:
    ring = KeyRing([FIRST])
    boxes = {ring.seal(b"7789001234123412", b"place") for _ in range(50)}
    assert len(boxes) == 50
    assert {len(box) for box in boxes} == {4 + 12 + 16 + 16}
    assert not [box for box in boxes if b"7789" in box]


def test_a_ring_with_a_new_key_opens_both_and_seals_with_the_last() -> None:
    old, both, new = KeyRing([FIRST]), KeyRing([FIRST, SECOND]), KeyRing([SECOND])
    kept = old.seal(b"kept", b"place")
    assert both.open(kept, b"place") == b"kept"
    fresh = both.seal(b"fresh", b"place")
    assert new.open(fresh, b"place") == b"fresh"
    assert not opens(old, fresh, b"place")
    assert not opens(new, kept, b"place")


def test_signatures_and_fingerprints_of_the_old_key_count_while_it_is_in_the_ring() -> None:
    old, both, new = KeyRing([FIRST]), KeyRing([FIRST, SECOND]), KeyRing([SECOND])
    signature = old.sign(b"cookie")
    assert both.verify(b"cookie", signature)
    assert not new.verify(b"cookie", signature)
    assert new.verify(b"cookie", both.sign(b"cookie"))
    assert both.blinds(b"number") == [*old.blinds(b"number"), *new.blinds(b"number")]


@pytest.mark.parametrize("signature", [b"", b"\0" * 16, b"\0" * 15, b"\0" * 17])
def test_a_wrong_signature_is_refused_whatever_its_length(signature: bytes) -> None:
    assert not KeyRing([FIRST]).verify(b"text", signature)


def test_a_signature_is_of_the_whole_text() -> None:
    ring = KeyRing([FIRST])
    assert not ring.verify(b"text!", ring.sign(b"text"))
    assert not ring.verify(b"", ring.sign(b"text"))


def test_boxes_signatures_and_fingerprints_of_existing_stores_still_count() -> None:
    ring = KeyRing([FIRST])
    assert ring.open(OLD_BOX, b"space/card/1") == b'{"name":"card"}'
    assert ring.verify(b"text", OLD_SIGNATURE)
    assert ring.blinds(b"text") == [OLD_FINGERPRINT]


def test_a_key_of_one_purpose_is_of_no_use_for_another() -> None:
    ring = KeyRing([FIRST])
    assert len({ring.sign(b"x"), ring.blinds(b"x")[0][:16], ring.ids[0], FIRST[:16]}) == 4


# The file


def test_a_new_ring_reads_back_and_no_two_are_alike() -> None:
    texts = {new_ring() for _ in range(10)}
    assert len({read_ring(text).ids[0] for text in texts}) == 10


def test_a_ring_is_made_once_readable_by_its_owner_only(tmp_path: Path) -> None:
    path = tmp_path / "data" / "keys.json"
    first = ring_at(path)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert ring_at(path).ids == first.ids
    assert [file.name for file in path.parent.iterdir()] == ["keys.json"]


def test_of_many_that_make_a_ring_at_once_all_hold_the_one_that_is_kept(tmp_path: Path) -> None:
    for attempt in range(30):
        path = tmp_path / f"{attempt}.json"
        with ThreadPoolExecutor(8) as threads:
            rings = list(threads.map(ring_at, [path] * 8))
        assert {ring.ids[0] for ring in rings} == {ring_at(path).ids[0]}


def test_an_existing_ring_is_never_written_again(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text("damaged")
    with pytest.raises(KeysUnreadable):
        ring_at(path)
    assert path.read_text() == "damaged"


KEY = b64encode(FIRST).decode()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        "{}",
        "7",
        b"\xff\xfe",
        json.dumps({"format": "karman-keys/1"}),
        json.dumps({"format": "karman-keys/1", "keys": []}),
        json.dumps({"format": "karman-keys/1", "keys": None}),
        json.dumps({"format": "karman-keys/1", "keys": KEY}),
        json.dumps({"format": "karman-keys/1", "keys": [7]}),
        json.dumps({"format": "karman-keys/1", "keys": ["!" + KEY]}),
        json.dumps({"format": "karman-keys/1", "keys": [KEY[:-8]]}),
        json.dumps({"format": "karman-keys/1", "keys": [KEY, ""]}),
        json.dumps({"format": "karman-keys/2", "keys": [KEY]}),
        json.dumps({"format": "karman-keys/1", "keys": [KEY]})[:-5],
    ],
)
def test_a_ring_that_is_not_whole_is_told_so_and_never_half_read(text: str | bytes) -> None:
    with pytest.raises(KeysUnreadable) as told:
        read_ring(text)
    assert KEY[:8] not in str(told.value)


def test_a_guess_at_no_account_costs_what_one_at_an_account_does() -> None:
    async def hashed() -> str:
        return await Passwords().hash("correct horse battery staple")

    assert extract_parameters(NOBODYS) == extract_parameters(asyncio.run(hashed()))
