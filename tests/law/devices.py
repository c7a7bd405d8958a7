"""Many devices, running the shipped queue and store in one Node process, driven over lines of JSON."""

import asyncio
import itertools
import json
import subprocess
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

WEB = Path(__file__).resolve().parents[2] / "web"
LINE_LIMIT = 16_000_000

Carry = Callable[[dict[str, Any]], Awaitable[dict[str, Any]]]
"""Takes a device's request and gives the line that answers it."""


class DeviceFailed(AssertionError):
    """A verb that must not fail has failed on a device."""


def bundled(folder: Path) -> Path:
    """The program of the devices, made of the sources of the page."""
    target = folder / "devices.mjs"
    bundler = WEB / "node_modules" / ".bin" / "rolldown"
    command = [bundler, "tests/devices.ts", "--file", target, "--platform", "node"]
    subprocess.run(command, cwd=WEB, check=True, capture_output=True, timeout=120)
    return target


class Devices:
    """The process. `carry` brings requests to a server; it may be changed at any time."""

    def __init__(self, process: Process, carry: Carry) -> None:
        self.carry = carry
        self._process = process
        self._numbers = itertools.count(1)
        self._calls: dict[int, asyncio.Future[Any]] = {}
        self._requests: set[asyncio.Task[None]] = set()

    async def do(self, device: str, verb: str, *args: Any) -> Any:
        """Let a device do something and give what it says; raises DeviceFailed."""
        number = next(self._numbers)
        self._calls[number] = asyncio.get_running_loop().create_future()
        self._say({"call": number, "device": device, "do": verb, "args": args})
        return await self._calls[number]

    async def listen(self) -> None:
        """Hear the process out until it ends."""
        assert self._process.stdout is not None
        while line := await self._process.stdout.readline():
            word = json.loads(line)
            if "done" in word:
                self._settle(word)
            else:
                request = asyncio.create_task(self._answer(word))
                self._requests.add(request)
                request.add_done_callback(self._requests.discard)
        for call in self._calls.values():
            call.set_exception(DeviceFailed("The process of the devices has ended."))

    def _settle(self, word: dict[str, Any]) -> None:
        call = self._calls.pop(word["done"])
        if "error" in word:
            call.set_exception(DeviceFailed(word["error"]))
        else:
            call.set_result(word["value"])

    async def _answer(self, request: dict[str, Any]) -> None:
        self._say({"answer": request["fetch"], **await self.carry(request)})

    def _say(self, word: dict[str, Any]) -> None:
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(word).encode() + b"\n")


@asynccontextmanager
async def running(program: Path, carry: Carry) -> AsyncIterator[Devices]:
    """The process, which ends with the block."""
    process = await asyncio.create_subprocess_exec("node", program, stdin=PIPE, stdout=PIPE, limit=LINE_LIMIT)
    devices = Devices(process, carry)
    listening = asyncio.create_task(devices.listen())
    try:
        yield devices
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
        await listening
