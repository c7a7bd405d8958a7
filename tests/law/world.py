"""A history: the devices of two people, their network and their server, and the verbs that histories are made of."""

import asyncio
import itertools
import json
import uuid
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from tests.law.book import Body, Book, Timeline, demand
from tests.law.devices import Devices
from tests.law.network import Network, Serves
from tests.law.server import Answer, Ask
from tests.service import PASSWORD

# One field for each device of a person to write.
FIELDS = ("note", "group", "pin", "number", "name")
TOO_LONG = "x" * 2_001
ROUNDS = 8
MOST_PURGES, MOST_RESTORES = 3, 2


class Keeps(Serves, Protocol):
    """A server with all that may happen to it."""

    async def open(self) -> None:
        """Start."""

    async def close(self) -> None:
        """Stop."""

    async def restart(self) -> None:
        """Stop and start."""

    async def purge(self, days: int) -> None:
        """Empty bins as if it were so many days later."""

    async def backup(self) -> Path:
        """Back the store up."""

    async def restore(self, file: Path) -> None:
        """Put a backup in the store's place."""


@dataclass
class Phone:
    """A device of a person's that is signed in; `field` is what it writes."""

    name: str
    field: str
    person: "Person"


@dataclass
class Person:
    """Somebody with devices. `cookie` is of a session beside the devices, `household` their second space, if any."""

    email: str
    account: str
    cookie: str
    book: Book
    phones: list[Phone] = field(default_factory=list)
    signed_in: int = 0
    household: str = ""


@dataclass
class Backup:
    """A backup, and where everybody's books were then."""

    file: Path
    timelines: dict[str, Timeline]


@dataclass
class History:
    """One history. Indices are taken modulo what there is, so that any number names something."""

    server: Keeps
    network: Network
    devices: Devices
    people: list[Person] = field(default_factory=list)
    backups: list[Backup] = field(default_factory=list)
    purges: int = 0
    restarts: int = 0
    _names: Iterator[int] = field(default_factory=lambda: itertools.count(1))

    async def begin(self) -> None:
        """One person with two cards on three devices."""
        await self.devices.do("", "forgetAll")
        await self.arrive()
        for _ in range(2):
            await self.keep(0)
        await self.exchange_at_once(0)
        for _ in range(2):
            await self.sign_in(0)
        await self.exchange_at_once(0)

    async def arrive(self) -> None:
        """Somebody signs up, and has a device; not after a backup, which would undo it."""
        if self.backups:
            return
        email = f"{uuid.uuid4().hex}@example.org"
        made = await self._post("/api/accounts", {"email": email, "password": PASSWORD, "device": "witness"})
        person = Person(email, made.json()["account"]["id"], made.cookie, Book())
        self.network.books[person.account] = person.book
        self.people.append(person)
        await self.sign_in(len(self.people) - 1)

    async def sign_in(self, index: int) -> None:
        """A new device of a person's, while there is a field for it to write."""
        person = self.people[index % len(self.people)]
        if person.signed_in == len(FIELDS):
            return
        phone = self._new_phone(person)
        await self.devices.do(phone.name, "start")
        await self.devices.do(phone.name, "signIn", phone.person.email)

    def _new_phone(self, person: Person) -> Phone:
        phone = Phone(f"{person.account[:8]}.{next(self._names)}", FIELDS[person.signed_in], person)
        person.signed_in += 1
        person.phones.append(phone)
        return phone

    @property
    def phones(self) -> list[Phone]:
        """All devices that nobody has revoked."""
        return [phone for person in self.people for phone in person.phones if phone.name not in person.book.revoked]

    def phone(self, index: int) -> Phone:
        """One of them."""
        return self.phones[index % len(self.phones)]

    # ------------------------------------------------------------ what people do

    async def keep(self, device: int) -> None:
        """A person keeps a card."""
        phone = self.phone(device)
        card = await self.devices.do(phone.name, "keep", {"name": "Магнит"})
        phone.person.book.keep(phone.name, card)

    async def write(self, device: int, card: int) -> None:
        """A person sets a field."""
        phone = self.phone(device)
        value = f"{phone.name}.{next(self._names)}"
        if found := await self.devices.do(phone.name, "edit", "set", card, {phone.field: value}):
            phone.person.book.write(phone.name, found, value)

    async def write_wrongly(self, device: int, card: int) -> None:
        """A person sets a field to what the server refuses."""
        phone = self.phone(device)
        value = f"{phone.name}.{next(self._names)}{TOO_LONG}"
        if await self.devices.do(phone.name, "edit", "set", card, {phone.field: value}):
            phone.person.book.mistake(phone.name, value)

    async def use(self, device: int, card: int) -> None:
        """A person shows a card at a till."""
        phone = self.phone(device)
        if found := await self.devices.do(phone.name, "edit", "use", card):
            phone.person.book.use(found)

    async def move(self, device: int, card: int) -> None:
        """A person moves a card into their household, or back; nothing where they have none."""
        await self.devices.do(self.phone(device).name, "move", card)

    async def found(self, index: int) -> None:
        """A person makes a household, once; not after a backup, which would undo it."""
        person = self.people[index % len(self.people)]
        if person.household or self.backups:
            return
        names = {"name": "Дом", "own_name": "Анна"}
        made = await self._post(f"/api/households?account={person.account}", names, person.cookie)
        person.household = made.json()["space"]
        await self.exchange_at_once(self.people.index(person))

    async def bin(self, device: int, card: int) -> None:
        """A person deletes a card."""
        await self.devices.do(self.phone(device).name, "edit", "bin", card)

    async def take_back(self, device: int, card: int) -> None:
        """A person takes a card out of the bin."""
        await self.devices.do(self.phone(device).name, "edit", "restore", card)

    # ------------------------------------------------------------ what devices do

    async def exchange(self, device: int, path: str, fate: str) -> None:
        """A device pushes and pulls, and something may happen to one of its calls."""
        phone = self.phone(device)
        if fate:
            self.network.fates[phone.name, path] = fate
        report = await self._exchanged(phone)
        self.network.fates.pop((phone.name, path), None)
        if not fate and not report["offline"] and not report["waiting"]:
            await self._compare(phone)
        phone.person.book.judge_server(await self._truth(phone.person))

    async def exchange_at_once(self, index: int) -> None:
        """All devices of a person push and pull at the same time."""
        person = self.people[index % len(self.people)]
        mine = [phone for phone in self.phones if phone.person is person]
        with person.book.at_once():
            await asyncio.gather(*(self._exchanged(phone) for phone in mine))

    async def _exchanged(self, phone: Phone) -> Body:
        report = await self.devices.do(phone.name, "exchange")
        if report["signedOut"]:
            # Its session is of a time that a restore has undone.
            await self.devices.do(phone.name, "signIn", phone.person.email)
            report = await self.devices.do(phone.name, "exchange")
        demand("problem" not in report and not report["signedOut"], f"{phone.name} is stuck: {report}")
        return dict(report)

    async def start_again(self, device: int) -> None:
        """A device's page is closed and opened."""
        await self.devices.do(self.phone(device).name, "start")

    async def copy(self, device: int) -> None:
        """A device's whole profile is copied to another, session included: from now on there are two of it."""
        original = self.phone(device)
        if original.person.signed_in == len(FIELDS):
            return
        original.person.book.copy((await self.devices.do(original.name, "look"))["queue"])
        fork = self._new_phone(original.person)
        self.network.cookies[fork.name] = self.network.cookies[original.name]
        await self.devices.do(fork.name, "copy", original.name)

    async def revoke(self, device: int) -> None:
        """A device, and every copy of it, is signed out from elsewhere; it wipes itself at its next call. One stays."""
        lost = self.phone(device)
        cookie = self.network.cookies[lost.name]
        mine = [phone for phone in self.phones if phone.person is lost.person]
        copies = [phone for phone in mine if self.network.cookies[phone.name] == cookie]
        if len(copies) == len(mine):
            return
        found = (await self._get("/api/devices", cookie)).json()
        if "devices" not in found:
            # A restore has undone its session; it will sign in again.
            return
        [current] = [device["id"] for device in found["devices"] if device["current"]]
        gone = await self.server.ask(Ask("DELETE", f"/api/devices/{current}", cookie=lost.person.cookie))
        demand(gone.status == 204, f"a device was revoked with {gone.status}")
        for phone in copies:
            phone.person.book.revoke(phone.name)
            await self._wiped(phone)

    async def _wiped(self, phone: Phone) -> None:
        report = await self.devices.do(phone.name, "exchange")
        demand(report["signedOut"], f"{phone.name} was revoked and goes on")
        left = await self.devices.do(phone.name, "wiped")
        demand(left == [f"{phone.name}-guest"], f"{phone.name} was revoked and still holds {left}")

    async def mix_up(self, device: int) -> None:
        """A device meets another account's session, as when somebody else has signed in beside it."""
        phone = self.phone(device)
        [stranger] = [person for person in self.people if person is not phone.person]
        own = self.network.cookies[phone.name]
        self.network.cookies[phone.name] = stranger.cookie
        report = await self.devices.do(phone.name, "exchange")
        demand(report["signedOut"], f"{phone.name} went on with another account's session")
        self.network.cookies[phone.name] = own
        await self.devices.do(phone.name, "start")

    # ------------------------------------------------------------ what happens to the server

    async def late(self, index: int) -> None:
        """A request that was given up long ago arrives."""
        if self.network.late:
            await self.network.deliver_late(index % len(self.network.late))

    async def purge(self, days: int) -> None:
        """Bins are emptied, and tombstones that are old enough go; now and then."""
        if self.purges == MOST_PURGES:
            return
        self.purges += 1
        before = [await self._truth(person) for person in self.people]
        await self.server.purge(days)
        for person, cards in zip(self.people, before, strict=True):
            after = await self._truth(person)
            gone = cards.keys() - after.keys()
            demand(all("binned_at" in cards[card] for card in gone), "a card that was not in the bin was purged")
            demand(not any("binned_at" in body for body in after.values()), "a card outstayed its time in the bin")
            person.book.purge(gone)

    async def restart(self) -> None:
        """The service stops and starts; once."""
        if self.restarts:
            return
        self.restarts += 1
        await self.server.restart()

    async def back_up(self) -> None:
        """The store is backed up."""
        timelines = {person.account: person.book.snapshot() for person in self.people}
        self.backups.append(Backup(await self.server.backup(), timelines))

    async def restore(self) -> None:
        """The backup takes the store's place, twice at most. No call outlives that: the service is down meanwhile."""
        [backup] = self.backups
        if self.people[0].book.restores == MOST_RESTORES:
            return
        await self.server.restore(backup.file)
        self.network.late.clear()
        for person in self.people:
            person.book.restore(backup.timelines[person.account])

    # ------------------------------------------------------------ what must be true

    async def end(self) -> None:
        """Everything that was on its way arrives, every device keeps a last card, all come to rest, and the law is held
        against what is there.
        """
        while self.network.late:
            await self.network.deliver_late(0)
        for device in range(len(self.phones)):
            await self.keep(device)
        await self._rest()
        for person in self.people:
            phones = [phone for phone in self.phones if phone.person is person]
            looks = {phone.name: await self._compare(phone) for phone in phones}
            person.book.judge(await self._truth(person), {name: look["refusals"] for name, look in looks.items()})

    async def _rest(self) -> None:
        """Until a whole round brings nothing new."""
        before: Sequence[Any] = []
        for _ in range(ROUNDS):
            reports = [await self._exchanged(phone) for phone in self.phones]
            now = [await self._pulled(person) for person in self.people]
            if now == before and not any(report["waiting"] for report in reports):
                return
            before = now
        demand(False, "the devices never came to rest")

    async def _compare(self, phone: Phone) -> Body:
        """What a device holds and shows must be what a new one would get."""
        look = dict(await self.devices.do(phone.name, "look"))
        patch = await self._pulled(phone.person)
        rows, fresh = _sorted(look["rows"], "put"), _sorted(patch, "put")
        demand(rows == fresh, f"{phone.name} holds {rows} and a fresh device {fresh}")
        # A device is not told when the server drops a tombstone.
        dead, fresh = _sorted(look["tombstones"], "del"), _sorted(patch, "del")
        demand(all(one in dead for one in fresh), f"{phone.name} knows of {dead} and a fresh device of {fresh}")
        demand(not look["queue"], f"{phone.name} still has {look['queue']}")
        demand(look["shown"] == look["cards"], f"{phone.name} shows {look['shown']} and holds {look['cards']}")
        return look

    async def _truth(self, person: Person) -> dict[str, Body]:
        """The cards as a fresh device gets them."""
        patch = await self._pulled(person)
        cards = [one for one in patch if one["op"] == "put" and one["key"].startswith("card/")]
        found = {one["key"].removeprefix("card/"): one["value"] for one in cards}
        demand(len(found) == len(cards), f"a card is in two spaces: {cards}")
        return found

    async def _pulled(self, person: Person) -> list[Body]:
        answer = await self._get(f"/api/sync/pull?account={person.account}", person.cookie)
        demand(answer.status == 200, f"a fresh pull was answered {answer.status} {answer.body[:200]!r}")
        return list(answer.json()["patch"])

    async def _get(self, url: str, cookie: str) -> Answer:
        return await self.server.ask(Ask("GET", url, cookie=cookie))

    async def _post(self, url: str, body: Body, cookie: str = "") -> Answer:
        answer = await self.server.ask(Ask("POST", url, json.dumps(body).encode(), cookie))
        demand(answer.status == 201, f"{url} was answered {answer.status} {answer.body[:200]!r}")
        return answer


def _sorted(operations: Iterable[Body], op: str) -> list[Body]:
    """The operations of a kind, rows being puts and tombstones dels, in the order of their places."""
    of_kind = [{**one, "op": op} for one in operations if one.get("op", op) == op]
    return sorted(of_kind, key=lambda one: (one["space"], one["key"]))
