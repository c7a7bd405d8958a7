"""Files that were pictures once: cut off, with bits turned over, made up, or announcing sizes they do not have."""

import random
import struct
import zlib
from collections.abc import Callable, Iterator, Mapping

from aggregator import images
from tests import samples

CARD = samples.card("ean_13", "4607001234562", size=(420, 265))
KINDS = ("JPEG", "PNG", "WEBP", "GIF", *(("HEIF",) if images.HEIC else ()))
WHOLE: Mapping[str, bytes] = {kind: samples.encoded(CARD, kind) for kind in KINDS}


def cut_off(dice: random.Random, kind: str) -> bytes:
    """The beginning of a picture."""
    return WHOLE[kind][: dice.randrange(len(WHOLE[kind]))]


def bits_turned(dice: random.Random, kind: str) -> bytes:
    """A picture with one to eight wrong bits, half of the time among the first hundred bytes."""
    data = bytearray(WHOLE[kind])
    for _ in range(dice.randint(1, 8)):
        data[dice.randrange(dice.choice((100, len(data))))] ^= 1 << dice.randrange(8)
    return bytes(data)


def made_up(dice: random.Random, kind: str) -> bytes:
    """Random bytes, mostly behind a true beginning."""
    return WHOLE[kind][: dice.choice((0, 16, 40, 200))] + dice.randbytes(dice.randrange(20_000))


def announcing(dice: random.Random, kind: str) -> bytes:
    """A picture whose header says that it is of another size: a little larger, or far larger than anything."""
    sizes = (CARD.width + 1, 2_000, 12_000, 16_383, 60_000)
    return SIZED[kind](bytearray(WHOLE[kind]), dice.choice(sizes), dice.choice(sizes))


def _sized_jpeg(data: bytearray, width: int, height: int) -> bytes:
    place = data.index(b"\xff\xc0")
    data[place + 5 : place + 9] = struct.pack(">HH", height, width)
    return bytes(data)


def _sized_png(data: bytearray, width: int, height: int) -> bytes:
    data[16:24] = struct.pack(">II", width, height)
    data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    return bytes(data)


def _sized_webp(data: bytearray, width: int, height: int) -> bytes:
    data[26:30] = struct.pack("<HH", width & 0x3FFF, height & 0x3FFF)
    return bytes(data)


def _sized_gif(data: bytearray, width: int, height: int) -> bytes:
    data[6:10] = struct.pack("<HH", width, height)
    frame = data.index(b"\x2c", 13 + 3 * 2 ** ((data[10] & 7) + 1))
    data[frame + 5 : frame + 9] = struct.pack("<HH", width, height)
    return bytes(data)


def _sized_heif(data: bytearray, width: int, height: int) -> bytes:
    place = data.index(b"ispe") + 8
    data[place : place + 8] = struct.pack(">II", width, height)
    return bytes(data)


SIZED: Mapping[str, Callable[[bytearray, int, int], bytes]] = {
    "JPEG": _sized_jpeg,
    "PNG": _sized_png,
    "WEBP": _sized_webp,
    "GIF": _sized_gif,
    "HEIF": _sized_heif,
}


def files(seed: int, rounds: Mapping[Callable[[random.Random, str], bytes], int]) -> Iterator[bytes]:
    """So many of each damage to each format, the same for the same seed."""
    dice = random.Random(seed)
    for damage, count in rounds.items():
        for kind in KINDS:
            for _ in range(count):
                yield damage(dice, kind)
