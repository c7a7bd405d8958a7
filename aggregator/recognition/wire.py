"""What the pool and its processes tell each other: frames of a length (4 bytes, big-endian) and MessagePack.

The first frame a process sends is empty and says that it is warm; after that each Request gets one Answer, and before
it, where it asks for them, a Progress for every step.
"""

import struct

import msgspec

from aggregator.recognition.reading import Reading

HEADER_BYTES = 4


class Request(msgspec.Struct, frozen=True):
    """The photos of one card; `by_steps`: tell what is known after every step."""

    photos: list[bytes]
    by_steps: bool = False


class Progress(msgspec.Struct, frozen=True, tag=True):
    """What has been read once a step is done with a photo."""

    step: str
    reading: Reading


class Done(msgspec.Struct, frozen=True, tag=True):
    """What was read."""

    reading: Reading


class Refused(msgspec.Struct, frozen=True, tag=True):
    """A Problem of the photo's own."""

    status: int
    code: str
    detail: str


class Failed(msgspec.Struct, frozen=True, tag=True):
    """Our own mistake, or no memory left; `trace` is for the log."""

    trace: str


class Answer(msgspec.Struct, frozen=True, tag=True):
    """`worn`: this process ends now, and another should take its place."""

    outcome: Done | Refused | Failed
    worn: bool


def frame(body: bytes) -> bytes:
    """`body` with its length in front."""
    return struct.pack(">I", len(body)) + body


def frame_size(header: bytes | bytearray) -> int:
    """How many bytes follow a header."""
    size: int = struct.unpack_from(">I", header)[0]
    return size
