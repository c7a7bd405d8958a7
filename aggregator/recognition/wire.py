"""What the pool and its processes tell each other: frames of a length (4 bytes, big-endian) and MessagePack.

The first frame a process sends is empty and says that it is warm; after that each Request gets one Answer, and before
it, where it asks for them, a Progress for every step.
"""

import struct
from collections.abc import Iterator

import msgspec

from aggregator.recognition.reading import Reading

_HEADER_BYTES = 4


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


WARM = struct.pack(">I", 0)
"""The frame that a process sends first."""


def packed(message: Request | Progress | Answer) -> bytes:
    """A message as a frame."""
    body = msgspec.msgpack.encode(message)
    return struct.pack(">I", len(body)) + body


def as_request(body: bytes) -> Request:
    """What the pool asks."""
    return msgspec.msgpack.decode(body, type=Request)


def as_news(body: bytes) -> Progress | Answer:
    """What a process tells."""
    news: Progress | Answer = msgspec.msgpack.decode(body, type=Progress | Answer)
    return news


class Frames:
    """The bodies of frames that arrive in pieces."""

    def __init__(self) -> None:
        self._received = bytearray()

    def after(self, data: bytes) -> Iterator[bytes]:
        """The bodies that are whole with these bytes."""
        self._received += data
        while len(self._received) >= _HEADER_BYTES:
            end = _HEADER_BYTES + int(struct.unpack_from(">I", self._received)[0])
            if len(self._received) < end:
                return
            with memoryview(self._received) as view:
                body = bytes(view[_HEADER_BYTES:end])
            del self._received[:end]
            yield body
