"""A bound on the CPU time of one step, for a process that does nothing but read photos.

Decoders and engines are C code that nothing interrupts, and there are pictures made to keep them busy for minutes. The
kernel ends the process where one does, which costs no more than a new one.
"""

import signal
from collections.abc import Iterator
from contextlib import contextmanager


class Leash:
    """Slack until it is tied, so that whoever else reads a photo is never ended by it."""

    def __init__(self) -> None:
        self._is_tied = False

    def tie(self) -> None:
        """From now on this process ends (SIGPROF) where a bounded step takes too much."""
        signal.signal(signal.SIGPROF, signal.SIG_DFL)
        self._is_tied = True

    @contextmanager
    def within(self, cpu_s: float) -> Iterator[None]:
        """Let the block take so many seconds of CPU, of all threads together."""
        if not self._is_tied:
            yield
            return
        signal.setitimer(signal.ITIMER_PROF, cpu_s)
        try:
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)


LEASH = Leash()
