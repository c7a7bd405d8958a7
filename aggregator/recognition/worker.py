"""One recognition process: answers one request after the other over a socket until its parent is gone.

Started by the pool as `python -m aggregator.recognition.worker`; `wire` says what the two tell each other.
"""

import argparse
import ctypes
import faulthandler
import importlib
import os
import resource
import signal
import socket
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from aggregator.errors import Problem
from aggregator.recognition import pipeline, wire
from aggregator.recognition.leash import LEASH
from aggregator.recognition.pipeline import Tell
from aggregator.recognition.reading import Reading

Reader = Callable[[Sequence[bytes], Tell], Reading]

_C_LIBRARY = ctypes.CDLL(None)
# The kernel's number for "tell me when my parent dies" (prctl(2)).
_PR_SET_PDEATHSIG = 1
# A process that has read this many photos and is larger than it may be gives way to a fresh one.
_PHOTOS_BEFORE_RETIRING = 20
_PIECE_BYTES = 1 << 20


def main() -> None:
    """Read requests until the socket closes."""
    options = _options()
    _die_with(options.parent)
    _hush_libraries()
    resource.setrlimit(resource.RLIMIT_DATA, (options.memory_bytes, options.memory_bytes))
    reader = _load(options.reader)
    LEASH.tie()
    pipeline.warm()
    with socket.socket(fileno=options.socket) as pool:
        pool.sendall(wire.WARM)
        if reader is pipeline.read_with_text:
            # Only now: a server that starts need not wait for it, and a photo that comes meanwhile can.
            pipeline.warm_text()
        _serve(pool, reader, options.resident_bytes)


def _serve(pool: socket.socket, reader: Reader, resident_bytes: int) -> None:
    done = 0
    for request in _requests(pool):
        outcome = _outcome(reader, request, pool)
        done += len(request.photos)
        worn = isinstance(outcome, wire.Failed) or (done >= _PHOTOS_BEFORE_RETIRING and _resident() > resident_bytes)
        pool.sendall(wire.packed(wire.Answer(outcome, worn)))
        if worn:
            return
        # Tens of megabytes, and as much that was freed and is still this process's, need not wait for the next card.
        del request, outcome
        _give_back()


def _requests(pool: socket.socket) -> Iterator[wire.Request]:
    """What is asked, until the other side closes."""
    frames = wire.Frames()
    while data := pool.recv(_PIECE_BYTES):
        yield from map(wire.as_request, frames.after(data))


def _outcome(reader: Reader, request: wire.Request, pool: socket.socket) -> wire.Done | wire.Refused | wire.Failed:
    def tell(step: str, reading: Reading) -> None:
        if request.by_steps:
            pool.sendall(wire.packed(wire.Progress(step, reading)))

    try:
        return wire.Done(reader(request.photos, tell))
    except Problem as problem:
        return wire.Refused(problem.status, problem.code, problem.detail)
    except Exception:
        return wire.Failed(traceback.format_exc())


def _die_with(parent: int) -> None:
    """Ask to be killed with the parent; where the system cannot promise it, the closed socket ends the process."""
    if sys.platform == "linux":
        _C_LIBRARY.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit("the pool was gone before this process was ready")


def _hush_libraries() -> None:
    """Keep standard error for ourselves: zbar would write a line there for every odd bar of a noisy photo."""
    sys.stderr = os.fdopen(os.dup(2), "w", buffering=1)
    os.dup2(os.open(os.devnull, os.O_WRONLY), 2)
    faulthandler.enable()


def _load(name: str) -> Reader:
    """A reader by its `module:function`."""
    module, _, function = name.partition(":")
    reader: Reader = getattr(importlib.import_module(module), function)
    return reader


def _give_back() -> None:
    """Return freed memory to the system, where its C library keeps it (glibc)."""
    if trim := getattr(_C_LIBRARY, "malloc_trim", None):
        trim(0)


def _resident() -> int:
    """Bytes of memory in use now; 0 where the system does not say."""
    try:
        pages = Path("/proc/self/statm").read_text().split()[1]
    except OSError:
        return 0
    return int(pages) * resource.getpagesize()


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("--socket", type=int, required=True)
    parser.add_argument("--parent", type=int, required=True)
    parser.add_argument("--reader", required=True)
    parser.add_argument("--memory-bytes", type=int, required=True)
    parser.add_argument("--resident-bytes", type=int, required=True)
    return parser.parse_args()


if __name__ == "__main__":
    main()
