"""Nothing acknowledged is lost: the service and its database are killed in the middle of a stream of pushes, and what
devices were told stays true.
"""

import asyncio
import itertools
import random
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image

from aggregator import db
from tests import inside
from tests.answers import assert_problem
from tests.samples import encoded
from tests.servers import PostgresServer, S3Server, free_ports, postgres
from tests.service import Person, Running, ServiceOptions, client, running, start, uuid7
from tests.stores import Kept, Rows

Mutation = dict[str, Any]

DEVICES = 3
MOST_AT_ONCE = 500
PATIENCE_S = 120


@dataclass
class Device:
    """A device that pushes without end and remembers exactly what it was told."""

    person: Person
    counted: str = field(default_factory=uuid7)
    batches: list[list[Mutation]] = field(default_factory=list)
    told: dict[int, dict[str, Any]] = field(default_factory=dict)
    pending: list[Mutation] = field(default_factory=list)
    pictures: dict[str, bytes] = field(default_factory=dict)
    refused: list[httpx.Response] = field(default_factory=list)

    def work(self, stop: threading.Event) -> None:
        """Push until told to stop or until nobody answers; what was under way stays pending."""
        try:
            while not stop.is_set():
                self.step()
        except httpx.TransportError:
            return

    def step(self) -> None:
        """One upload now and then, and one batch, which is sent again as it was if it was refused."""
        if len(self.batches) % 10 == 0:
            self.upload()
        self.pending = self.pending or self.batch()
        answer = self.person.send(self.pending)
        if answer.status_code == 200:
            self.told |= {result["id"]: result for result in answer.json()["results"]}
            self.batches.append(self.pending)
            self.pending = []
        else:
            self.refused.append(answer)

    def upload(self) -> None:
        picture = encoded(Image.new("RGB", (16, 16), (random.randrange(256), 0, 0)), "PNG")
        name, answer = self.person.upload(picture)
        if answer.status_code == 201:
            self.pictures[name] = picture
        else:
            self.refused.append(answer)

    def batch(self) -> list[Mutation]:
        """A new card, a use, an edit, and an edit of a card that nobody has."""
        make = self.person.mutation
        front = {"front": random.choice(list(self.pictures))} if self.pictures else {}
        card = {"name": "Магнит", "note": "ж" * random.randrange(500), **front}
        return [
            make("card.keep", id=uuid7() if self.batches else self.counted, card=card),
            make("card.use", id=self.counted, use=uuid7(), at="2026-01-01T00:00:00Z"),
            make("card.set", id=self.counted, fields={"number": str(self.person.next_id)}),
            make("card.set", id=uuid7(), fields={"note": "?"}),
        ]

    def sent(self) -> Iterator[Mutation]:
        return itertools.chain(*self.batches, self.pending)

    def expected(self, last: int) -> tuple[set[str], int, str]:
        """What the wallet must be once everything up to `last` was applied once: cards, uses, number."""
        done = [mutation for mutation in self.sent() if mutation["id"] <= last]
        cards = {mutation["args"]["id"] for mutation in done if mutation["name"] == "card.keep"}
        uses = sum(mutation["name"] == "card.use" for mutation in done)
        [*_, number] = ["", *(mutation["args"]["fields"].get("number", "") for mutation in done[2::4])]
        return cards, uses, number

    def assert_kept(self) -> None:
        """Everything acknowledged is there once, and nothing is half there."""
        last = self.person.pull(client=self.person.client)["last"]
        assert max(self.told, default=0) <= last <= self.person.next_id - 1
        cards = self.person.cards()
        kept = cards.get(self.counted, {})
        assert (set(cards), kept.get("uses", 0), kept.get("number", "")) == self.expected(last)
        shown = {*self.pictures, *(card["front"] for card in cards.values() if "front" in card)}
        for picture in random.sample(sorted(shown), min(len(shown), 8)):
            self.assert_served(picture)

    def assert_served(self, picture: str) -> None:
        path = f"/api/pictures/{self.person.space}/{picture}"
        assert self.person.http.get(path, params={"account": self.person.account}).status_code == 200

    def assert_replayed(self) -> None:
        """All is told again as it was, and what was under way comes to one outcome, however often it is sent."""
        if self.pending:
            first = self.person.send(self.pending).json()["results"]
            assert [result["status"] for result in first] == ["applied"] * 3 + ["refused"]
            self.told |= {result["id"]: result for result in first}
        everything = list(self.sent())
        for begin in range(0, len(everything), MOST_AT_ONCE):
            part = everything[begin : begin + MOST_AT_ONCE]
            assert self.person.send(part).json()["results"] == [self.told[mutation["id"]] for mutation in part]


def wait_for(condition: Any, what: str) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not condition():
        assert time.monotonic() < deadline, what
        time.sleep(0.005)


@contextmanager
def working(devices: Sequence[Device]) -> Iterator[threading.Event]:
    """The devices push inside the block; setting the event, or leaving the block, stops them."""
    stop = threading.Event()
    threads = [threading.Thread(target=device.work, args=(stop,)) for device in devices]
    for thread in threads:
        thread.start()
    try:
        yield stop
    finally:
        stop.set()
        for thread in threads:
            thread.join(PATIENCE_S)
            assert not thread.is_alive()


def acknowledged(devices: list[Device]) -> int:
    return sum(len(device.told) for device in devices)


def assert_no_row_without_its_bytes(options: ServiceOptions) -> None:
    keys = Kept(options).all().keys()
    for space_id, picture_id in Rows(options).sql("SELECT CAST(space_id AS text), CAST(id AS text) FROM picture"):
        assert any(key.startswith(f"pictures/{space_id}/{picture_id}-") for key in keys)


@pytest.fixture
def rounds(is_proof: bool) -> int:
    """How often a process is killed."""
    return 10 if is_proof else 2


def test_a_service_killed_amid_pushes_keeps_what_it_acknowledged_and_nothing_twice(
    options: ServiceOptions, rounds: int
) -> None:
    [port] = free_ports(1)
    own = start(options, port)
    devices = [Device(Person.signed_up(own.url)) for _ in range(DEVICES)]
    try:
        for _ in range(rounds):
            kill_amid_work(own, devices)
            own = start(options, port)
            for device in devices:
                device.assert_kept()
            assert_no_row_without_its_bytes(options)
        for device in devices:
            device.assert_replayed()
            device.assert_kept()
    finally:
        own.kill()
        for device in devices:
            device.person.http.close()
    if not Rows(options).database:
        assert Rows(options).sql("PRAGMA integrity_check") == [("ok",)]


def kill_amid_work(own: Running, devices: list[Device]) -> None:
    """Kill the service at a random moment after it has acknowledged something to each device."""
    before = [len(device.told) for device in devices]
    with working(devices):
        wait_for(lambda: all(len(d.told) > old for d, old in zip(devices, before, strict=True)), "Nobody was answered.")
        time.sleep(random.random() / 2)
        own.kill()


def test_a_database_killed_amid_pushes_is_an_outage_of_503s_and_nothing_more(
    tmp_path: Path, s3_server: S3Server
) -> None:
    with postgres() as server:
        options = ServiceOptions.on_servers(tmp_path, server.create_database(), s3_server.create_bucket())
        with running(options) as own:
            devices = [Device(Person.signed_up(own.url)) for _ in range(DEVICES)]
            for _ in range(2):
                outage(server, devices)
                for device in devices:
                    device.assert_kept()
            for device in devices:
                device.assert_replayed()
                device.assert_kept()
                device.person.http.close()
            assert own.process.poll() is None
        for device in devices:
            for answer in device.refused:
                assert_problem(answer, 503, "store-unavailable")
                assert int(answer.headers["retry-after"]) >= 1


def outage(server: PostgresServer, devices: list[Device]) -> None:
    """The database is killed amid work and comes back once every device has met that; all of them go on."""
    with working(devices):
        wait_for(lambda: all(device.told for device in devices), "Nobody was answered.")
        met = [len(device.refused) for device in devices]
        server.kill()
        wait_for(
            lambda: all(len(d.refused) > old for d, old in zip(devices, met, strict=True)), "Nobody met the outage."
        )
        server.start()
        told = [len(device.told) for device in devices]
        wait_for(lambda: all(len(d.told) > old for d, old in zip(devices, told, strict=True)), "Nobody came back.")


# ---------------------------------------------------------------- one of two processes


@dataclass
class Roaming(Device):
    """A device between two processes: whenever the one it speaks to dies, it turns to the other. Beside its pushes it
    holds the live stream, and notes the pokes it hears.
    """

    pair: list[str] = field(default_factory=list)
    heard: int = 0
    breaks: int = 0

    def work(self, stop: threading.Event) -> None:
        """Push until told to stop, whoever answers."""
        while not stop.is_set():
            try:
                self.step()
            except httpx.TransportError:
                self.turn()

    def turn(self) -> None:
        """The other process, on the same session."""
        old, here = self.person.http, str(self.person.http.base_url).rstrip("/")
        other = next(url for url in self.pair if url != here)
        self.person.http = client(other, cookies=dict(old.cookies))
        old.close()

    def listen(self, stop: threading.Event) -> None:
        """Hold the stream until told to stop, at either process in turn; each break is noted."""
        for url in itertools.cycle(self.pair):
            if stop.is_set():
                return
            with suppress(httpx.TransportError), self.person.at(url).http as http:
                self.hear(http, stop)
            self.breaks += 1
            time.sleep(0.05)

    def hear(self, http: httpx.Client, stop: threading.Event) -> None:
        """One stream, until it breaks."""
        with http.stream("GET", "/api/sync/live", params={"account": self.person.account}) as live:
            for line in live.iter_lines():
                self.heard += line.startswith("data:")
                if stop.is_set():
                    return


@contextmanager
def listening(devices: list[Roaming]) -> Iterator[None]:
    """The devices hold their streams inside the block; a last push lets each of them end."""
    stop = threading.Event()
    threads = [threading.Thread(target=device.listen, args=(stop,)) for device in devices]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for device, thread in zip(devices, threads, strict=True):
            while thread.is_alive():
                device.step()
                thread.join(0.1)


def kill_one_of(pair: list[Running], index: int, options: ServiceOptions, devices: list[Roaming]) -> None:
    """Kill it amid work, let everybody go on with the other, and start it again."""
    told = [len(device.told) for device in devices]
    wait_for(lambda: all(len(d.told) > old for d, old in zip(devices, told, strict=True)), "Nobody was answered.")
    time.sleep(random.random() / 4)
    pair[index].kill()
    told, heard = [len(device.told) for device in devices], [device.heard for device in devices]
    wait_for(lambda: all(len(d.told) > old for d, old in zip(devices, told, strict=True)), "Nobody went on.")
    wait_for(lambda: all(d.heard > old for d, old in zip(devices, heard, strict=True)), "A stream did not come back.")
    pair[index] = start(options, int(pair[index].url.rpartition(":")[2]))


def test_one_of_two_processes_killed_amid_pushes_loses_and_doubles_nothing_and_streams_come_back(
    tmp_path: Path, postgres_server: PostgresServer, s3_server: S3Server, is_proof: bool
) -> None:
    options = ServiceOptions.on_servers(tmp_path, postgres_server.create_database(), s3_server.create_bucket())
    pair = [start(options) for _ in range(2)]
    urls = [process.url for process in pair]
    devices = [Roaming(Person.signed_up(urls[turn % 2]), pair=urls) for turn in range(DEVICES)]
    try:
        with listening(devices):
            for turn in range(20 if is_proof else 1):
                with working(devices):
                    kill_one_of(pair, turn % 2, options, devices)
                for device in devices:
                    device.assert_kept()
            assert all(device.breaks for device in devices)
        for device in devices:
            device.assert_replayed()
            device.assert_kept()
            assert not device.refused
    finally:
        for process in pair:
            process.kill()
        for device in devices:
            device.person.http.close()


def test_the_service_writes_through_to_the_disk(options: ServiceOptions) -> None:
    async def settings() -> dict[str, Any]:
        async with inside.opened(options):
            if db.is_sqlite():
                names = ("synchronous", "journal_mode", "foreign_keys")
                return {name: (await db.fetch(f"PRAGMA {name}"))[0][0] for name in names}
            names = ("synchronous_commit", "fsync", "full_page_writes")
            return {name: (await db.fetch(f"SHOW {name}"))[0][0] for name in names}

    sqlite = {"synchronous": 2, "journal_mode": "wal", "foreign_keys": 1}
    grown = {"synchronous_commit": "on", "fsync": "on", "full_page_writes": "on"}
    assert asyncio.run(settings()) == (grown if Rows(options).database else sqlite)


def test_the_connection_that_reads_beside_a_commit_cannot_write(tmp_path: Path) -> None:
    async def story() -> None:
        async with db.connected(inside.service(ServiceOptions(tmp_path)).settings, ["aggregator.store"]) as store:
            assert [tuple(row) for row in await store.read("PRAGMA query_only")] == [(1,)]

    asyncio.run(story())
