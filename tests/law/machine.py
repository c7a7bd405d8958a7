"""Histories as Hypothesis makes them, on one server and one process of devices."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from tests.law import devices
from tests.law.network import FATES, Network
from tests.law.world import History, Keeps

STEPS = 40
Step = Coroutine[Any, Any, None]
Act = Callable[[History, int, int, str], Step]
Rare = Callable[[History, int], Step]


def _on_card(verb: Callable[[History, int, int], Step]) -> Act:
    return lambda history, device, card, fate: verb(history, device, card)


def _on_device(verb: Callable[[History, int], Step]) -> Act:
    return lambda history, device, card, fate: verb(history, device)


def _exchange(path: str, *, badly: bool = True) -> Act:
    return lambda history, device, card, fate: history.exchange(device, path, fate if badly else "")


def _busy(path: str) -> Act:
    """An edit, and at once an exchange that goes wrong."""

    async def act(history: History, device: int, card: int, fate: str) -> None:
        await VERBS[card % len(VERBS)](history, device, card)
        await history.exchange(device, path, fate)

    return act


async def purged(history: History, number: int) -> None:
    await history.purge(500 if number % 3 == 0 else 31)


async def _meet_stranger(history: History, number: int) -> None:
    await (history.mix_up(number) if len(history.people) > 1 else history.arrive())


async def restored(history: History, number: int) -> None:
    await (history.restore() if history.backups else history.back_up())


async def _restart(history: History, number: int) -> None:
    await history.restart()


VERBS = (History.write, History.write_wrongly, History.use, History.bin, History.take_back, History.write)
# What happens all the time, as often as it stands here.
ACTS: tuple[Act, ...] = (
    _on_device(History.keep),
    *[_on_card(History.write)] * 5,
    _on_card(History.write_wrongly),
    *[_on_card(History.use)] * 2,
    *[_on_card(History.bin)] * 2,
    _on_card(History.take_back),
    *[_on_card(History.move)] * 3,
    *[_exchange("push", badly=False)] * 4,
    *[_exchange("push")] * 2,
    *[_busy("push")] * 5,
    *[_busy("pull")] * 3,
    *[_on_device(History.exchange_at_once)] * 3,
    *[_on_device(History.late)] * 2,
    _on_device(History.start_again),
)
# What happens in some histories only, so that those see more of it.
RARE: tuple[Rare, ...] = (
    History.copy,
    History.sign_in,
    History.revoke,
    History.found,
    _meet_stranger,
    purged,
    restored,
    _restart,
)
NUMBER = st.integers(0, 7)


@dataclass
class Tally:
    """What was run: the steps of each history, and what broke the law, its story as a note. With `enough` broken ones
    the rest is left out.
    """

    enough: int = 1
    steps: list[int] = field(default_factory=list)
    broken: list[Exception] = field(default_factory=list)

    @property
    def is_over(self) -> bool:
        """Whether enough is known."""
        return len(self.broken) >= self.enough


@dataclass
class Bench:
    """Where histories happen; `rare` is what may happen there."""

    runner: asyncio.Runner
    server: Keeps
    network: Network
    devices: devices.Devices
    rare: tuple[Rare, ...] = RARE
    tally: Tally = field(default_factory=Tally)


class Histories(RuleBasedStateMachine):
    """One instance is one history."""

    bench: ClassVar[Bench]

    def __init__(self) -> None:
        super().__init__()
        self.bench.network.forget()
        self.history = History(self.bench.server, self.bench.network, self.bench.devices)
        self.story: list[str] = []
        self.is_broken = self.bench.tally.is_over
        if not self.is_broken:
            self.bench.tally.steps.append(0)

    def do(self, work: Step) -> None:
        """Go on, unless the history is broken already."""
        if self.is_broken:
            work.close()
            return
        told = {name: value for name, value in work.cr_frame.f_locals.items() if name not in {"self", "history"}}
        self.story.append(f"{work.__qualname__}({', '.join(map(repr, told.values()))})")
        try:
            self.bench.runner.run(work)
        except Exception as error:
            self.is_broken = True
            error.add_note("\n".join(self.story))
            self.bench.tally.broken.append(error)

    def step(self, work: Step) -> None:
        """A step that counts."""
        if not self.is_broken:
            self.bench.tally.steps[-1] += 1
        self.do(work)

    @initialize()
    def begin(self) -> None:
        # In turn and not by chance, so that every two of them meet.
        number, rare = len(self.bench.tally.steps), self.bench.rare
        self.climate = [rare[number % len(rare)], rare[number // len(rare) % len(rare)]]
        self.do(self.history.begin())

    @rule(act=st.sampled_from(ACTS), device=NUMBER, card=NUMBER, fate=st.sampled_from(FATES))
    def act(self, act: Act, device: int, card: int, fate: str) -> None:
        self.step(act(self.history, device, card, fate))

    @rule(which=st.integers(0, 5), number=NUMBER, act=st.sampled_from(ACTS), fate=st.sampled_from(FATES))
    def rarely(self, which: int, number: int, act: Act, fate: str) -> None:
        if which < len(self.climate):
            self.step(self.climate[which](self.history, number))
        else:
            self.step(act(self.history, number, which, fate))

    def teardown(self) -> None:
        self.do(self.history.end())


@contextmanager
def bench(server: Keeps, program: Path, rare: tuple[Rare, ...] = RARE) -> Iterator[Bench]:
    """A bench with an open server and running devices; closes both."""
    with asyncio.Runner() as runner:
        stack = AsyncExitStack()
        runner.run(server.open())
        stack.push_async_callback(server.close)
        network = Network(server)
        running = runner.run(stack.enter_async_context(devices.running(program, network.carry)))
        try:
            yield Bench(runner, server, network, running, rare)
        finally:
            runner.run(stack.aclose())


def tell(bench: Bench, story: Callable[[History], Awaitable[None]]) -> None:
    """One history as it is written; raises Broken."""
    history = History(bench.server, bench.network, bench.devices)
    bench.network.forget()

    async def told() -> None:
        await history.begin()
        await story(history)
        await history.end()

    bench.runner.run(told())


def run(bench: Bench, histories: int, *, enough: int = 1, derandomize: bool = True) -> Tally:
    """Run so many histories, the same ones every time unless told otherwise, and give what was run."""
    bench.tally = Tally(enough)
    machine = type("Machine", (Histories,), {"bench": bench})
    chosen = settings(
        max_examples=histories,
        # The beginning is one of Hypothesis's steps.
        stateful_step_count=STEPS + 1,
        phases=(Phase.generate,),
        database=None,
        deadline=None,
        derandomize=derandomize,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=chosen, _min_steps=STEPS)
    return bench.tally
