"""Starts the service's commands as processes of their own: as an operator does or, once `load_once` was called, as
forks of one process that has loaded the service (`multiprocessing`'s fork server), which saves most of the start.
"""

import ctypes
import multiprocessing
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from threading import Event, Thread
from typing import TextIO

from argon2 import PasswordHasher

from aggregator import app
from aggregator.__main__ import main
from aggregator.accounts import passwords

PR_SET_PDEATHSIG = 1

_forks = multiprocessing.get_context("forkserver")
_loaded = Event()


def load_once() -> None:
    """From now on every command is a fork.

    A fork does what `python -m aggregator` does, but for what is dear and asked of hardly any: passwords cost next to
    nothing, and the search is not warmed up before somebody searches.
    """
    _forks.set_forkserver_preload(["tests.preloaded"])
    _loaded.set()


def die_with_parent() -> None:
    """Let the kernel end this process when the one that started it ends."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def launch(words: Sequence[str], environment: Mapping[str, str], errors: Path | None = None) -> "Started":
    """Start one of the service's commands in exactly this environment; `errors` is the file that stderr is added to."""
    return (_fork if _loaded.is_set() else start_anew)(words, environment, errors)


def start_anew(words: Sequence[str], environment: Mapping[str, str], errors: Path | None = None) -> "Started":
    """The same as an operator would."""
    command = [sys.executable, "-m", "aggregator", *words]
    with errors.open("a") if errors else nullcontext(subprocess.PIPE) as err:
        return subprocess.Popen(
            command, env=environment, stdout=subprocess.PIPE, stderr=err, text=True, preexec_fn=die_with_parent
        )


def _fork(words: Sequence[str], environment: Mapping[str, str], errors: Path | None) -> "Forked":
    said, out = _forks.Pipe(duplex=False)
    complaints, err = _forks.Pipe(duplex=False)
    process = _forks.Process(target=_become, args=(list(words), dict(environment), out, err, errors), daemon=True)
    process.start()
    out.close()
    err.close()
    return Forked(process, _reader(said), _reader(complaints))


def _become(
    words: list[str], environment: dict[str, str], out: Connection, err: Connection, errors: Path | None
) -> None:
    die_with_parent()
    os.environ.clear()
    os.environ.update(environment)
    os.dup2(out.fileno(), 1)
    os.dup2(os.open(errors, os.O_WRONLY | os.O_APPEND | os.O_CREAT) if errors else err.fileno(), 2)
    out.close()
    err.close()
    app.WARM_AFTER_S = 3_600
    passwords.HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    sys.exit(main(words))


def _reader(pipe: Connection) -> TextIO:
    with pipe:
        return os.fdopen(os.dup(pipe.fileno()), encoding="utf-8")


@dataclass
class Forked:
    """A forked command, to be used like `subprocess.Popen`."""

    process: BaseProcess
    stdout: TextIO
    stderr: TextIO
    _heard: list[str] = field(default_factory=lambda: ["", ""])
    _ears: list[Thread] = field(default_factory=list)

    @property
    def pid(self) -> int:
        """Its number."""
        assert self.process.pid is not None
        return self.process.pid

    @property
    def returncode(self) -> int | None:
        """How it ended: minus the signal's number where a signal ended it; None while it runs."""
        return self.process.exitcode

    def poll(self) -> int | None:
        """The same."""
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.send_signal(signal.SIGKILL)

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended and give its exit status; raises subprocess.TimeoutExpired."""
        self.process.join(timeout)
        if self.returncode is None:
            raise subprocess.TimeoutExpired("aggregator", timeout or 0)
        return self.returncode

    def communicate(self, timeout: float | None = None) -> tuple[str, str]:
        """What it said and complained about until it ended; raises subprocess.TimeoutExpired."""
        if not self._ears:
            self._ears = [Thread(target=self._hear, args=(place,), daemon=True) for place in (0, 1)]
            for ear in self._ears:
                ear.start()
        self.wait(timeout)
        for ear in self._ears:
            ear.join()
        said, complaints = self._heard
        return said, complaints

    def _hear(self, place: int) -> None:
        with (self.stdout, self.stderr)[place] as pipe:
            self._heard[place] = pipe.read()


Started = Forked | subprocess.Popen[str]
"""A command that runs."""


@dataclass(frozen=True)
class Ended:
    """What a command said and how it ended."""

    status: int
    said: str
    errors: str

    @property
    def line(self) -> str:
        """The one line of complaint."""
        assert self.said == ""
        assert self.errors.count("\n") == 1, self.errors
        return self.errors.strip()


def ended(words: Sequence[str], environment: Mapping[str, str], timeout: float = 120) -> Ended:
    """Run a command to its end."""
    started = launch(words, environment)
    said, errors = started.communicate(timeout)
    assert started.returncode is not None
    return Ended(started.returncode, said, errors)
