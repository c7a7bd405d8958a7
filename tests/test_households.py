"""Households: people let others in, cards go in and out with everything of theirs, whoever leaves takes along what they
brought, and nobody gets more than they were given.
"""

import io
import json
import uuid
import zipfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from aggregator.jobs import now_ms
from tests.answers import assert_problem
from tests.service import PASSWORD, Person, Running, ServiceOptions, client, running, uuid7
from tests.stores import Kept, Rows

WEEK_MS = 7 * 86_400_000
AT = "2026-01-01T00:00:00Z"


def call(person: Person, method: str, path: str, body: dict[str, Any] | None = None) -> httpx.Response:
    return person.http.request(method, path, params={"account": person.account}, json=body)


def make(person: Person, name: str = "Дом", own_name: str = "Анна") -> str:
    answer = call(person, "POST", "/api/households", {"name": name, "own_name": own_name})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["space"])


def invite(owner: Person, space: str, role: str = "member") -> str:
    answer = call(owner, "POST", f"/api/households/{space}/invitations", {"role": role})
    assert answer.status_code == 201, answer.text
    return str(answer.json()["token"])


def join(guest: Person, token: str, own_name: str = "Борис") -> httpx.Response:
    return call(guest, "POST", "/api/invitations/join", {"token": token, "own_name": own_name})


def look(browser: httpx.Client, token: str) -> httpx.Response:
    return browser.post("/api/invitations/look", json={"token": token})


def leave(person: Person, space: str, who: Person | None = None) -> httpx.Response:
    return call(person, "DELETE", f"/api/households/{space}/members/{(who or person).account}")


def rows(person: Person, space: str) -> dict[str, Any]:
    """What stands in a space by key, as a fresh device gets it."""
    return {op["key"]: op["value"] for op in person.pull()["patch"] if op["op"] == "put" and op["space"] == space}


def cards(person: Person, space: str) -> dict[str, Any]:
    return {key.removeprefix("card/"): body for key, body in rows(person, space).items() if key.startswith("card/")}


def people(person: Person, space: str) -> dict[str, str]:
    return {one["name"]: one["role"] for one in rows(person, space)["about"]["members"]}


def picture_of(person: Person, space: str, id: str) -> httpx.Response:
    return person.http.get(f"/api/pictures/{space}/{id}", params={"account": person.account})


def code_of(result: dict[str, Any]) -> str:
    return str(result["problem"]["code"]) if result["status"] == "refused" else "applied"


@dataclass
class Home:
    """A household of an owner, somebody who may edit and somebody who may look."""

    space: str
    owner: Person
    member: Person
    viewer: Person


@pytest.fixture
def home(service: Running) -> Iterator[Home]:
    with ExitStack() as stack:
        owner, member, viewer = (stack.enter_context(Person.signed_up(service.url)) for _ in range(3))
        space = make(owner)
        assert join(member, invite(owner, space), "Борис").json() == {"space": space}
        assert join(viewer, invite(owner, space, "viewer"), "Вера").json() == {"space": space}
        yield Home(space, owner, member, viewer)


# ---------------------------------------------------------------- letting in


def test_an_invitation_says_who_invites_to_what_before_anybody_joins(service: Running, person: Person) -> None:
    space = make(person, "Наша семья", "Анна")
    person.push("card.keep", space=space, id=uuid7(), card={"name": "Магнит"})
    token = invite(person, space, "viewer")
    with client(service.url) as nobody:
        said = look(nobody, token).json()
    assert said.pop("expires_at") > AT
    assert said == {"household": "Наша семья", "by": "Анна", "role": "viewer", "members": 1, "cards": 1}


def test_everybody_in_a_household_pulls_who_is_in_it_and_what_it_is_called(home: Home) -> None:
    everybody = {"Анна": "owner", "Борис": "member", "Вера": "viewer"}
    assert [people(one, home.space) for one in (home.owner, home.member, home.viewer)] == [everybody] * 3
    cookie = home.viewer.pull()["cookie"]
    assert call(home.owner, "PATCH", f"/api/households/{home.space}", {"name": "Дача"}).status_code == 204
    [told] = home.viewer.pull(cookie)["patch"]
    assert (told["key"], told["value"]["name"]) == ("about", "Дача")


def test_an_invitation_lets_one_account_in_once_and_its_answer_may_be_lost(home: Home, stranger: Person) -> None:
    token = invite(home.owner, home.space)
    assert join(stranger, token, "Гоша").json() == join(stranger, token, "Гоша").json() == {"space": home.space}
    assert list(people(stranger, home.space)) == ["Анна", "Борис", "Вера", "Гоша"]
    leave(stranger, home.space)
    assert_problem(join(stranger, token, "Гоша"), 404, "invitation-gone")
    with Person.signed_up(str(stranger.http.base_url)) as another:
        assert_problem(join(another, token), 404, "invitation-gone")
        assert_problem(look(another.http, token), 404, "invitation-gone")


def test_of_two_who_join_at_once_by_one_link_one_gets_in(home: Home, service: Running) -> None:
    token = invite(home.owner, home.space)
    with ExitStack() as stack:
        guests = [stack.enter_context(Person.signed_up(service.url)) for _ in range(4)]
        with ThreadPoolExecutor(4) as threads:
            answers = list(threads.map(lambda one: join(one, token).status_code, guests))
    assert sorted(answers) == [200, 404, 404, 404]
    assert len(rows(home.owner, home.space)["about"]["members"]) == 4


def test_an_invitation_withdrawn_made_up_or_used_by_its_maker_lets_nobody_in(home: Home, stranger: Person) -> None:
    token = invite(home.owner, home.space)
    assert_problem(join(home.owner, token), 409, "already-in")
    assert_problem(join(home.viewer, token), 409, "already-in")
    path = f"/api/households/{home.space}/invitations"
    [listed] = call(home.owner, "GET", path).json()["invitations"]
    assert call(home.owner, "DELETE", f"{path}/{listed['id']}").status_code == 204
    assert_problem(call(home.owner, "DELETE", f"{path}/{listed['id']}"), 404, "not-found")
    assert call(home.owner, "GET", path).json() == {"invitations": []}
    for wrong in (token, token[:-1], "x", "0" * 64):
        assert_problem(join(stranger, wrong), 404, "invitation-gone")
        assert_problem(look(stranger.http, wrong), 404, "invitation-gone")


def test_an_invitation_ends_with_its_week_and_with_whoever_made_it(options: ServiceOptions) -> None:
    with running(options) as own, ExitStack() as stack:
        owner, member, guest = (stack.enter_context(Person.signed_up(own.url)) for _ in range(3))
        space = make(owner)
        join(member, invite(owner, space))
        late, of_somebody_gone = invite(owner, space), invite(owner, space)
        hashes = [row[0] for row in Rows(options).sql("SELECT token_hash FROM invitation")]
        assert not {late, of_somebody_gone} & set(hashes)
        Rows(options).sql(f"UPDATE invitation SET expires_ms = {now_ms()} WHERE token_hash = '{hashes[0]}'")
        Rows(options).sql(f"UPDATE invitation SET expires_ms = {now_ms() - 1}  WHERE used_by IS NULL")
        assert_problem(join(guest, late), 404, "invitation-gone")
        Rows(options).sql(f"UPDATE invitation SET expires_ms = {now_ms() + WEEK_MS}")
        assert leave(owner, space).status_code == 204
        assert_problem(join(guest, of_somebody_gone), 404, "invitation-gone")


# ---------------------------------------------------------------- moving


def test_a_card_moves_in_and_out_with_its_picture_uses_and_fields(home: Home, red_picture: bytes) -> None:
    owner, space = home.owner, home.space
    shown, _ = owner.upload(red_picture)
    card, use = owner.keep(front=shown, note="моя", merchant="magnit", expires_on="2027-01-01"), uuid7()
    owner.push("card.use", id=card, use=use, at=AT)
    before, cookies = owner.cards()[card], (owner.pull()["cookie"], home.viewer.pull()["cookie"])
    assert code_of(owner.push("card.move", id=card, to=space)) == "applied"
    assert (owner.cards(), cards(owner, space)) == ({}, {card: {**before, "brought_by": owner.account}})
    assert picture_of(home.viewer, space, shown).status_code == 200
    assert {op["op"] for op in owner.pull(cookies[0])["patch"]} == {"del", "put"}
    assert [op["key"] for op in home.viewer.pull(cookies[1])["patch"]] == [f"card/{card}"]
    assert code_of(home.member.push("card.use", space=space, id=card, use=use, at=AT)) == "applied"
    assert cards(owner, space)[card]["uses"] == 1, "the use has come along, and counts once"
    assert code_of(owner.push("card.move", space=space, id=card, to=owner.space)) == "applied"
    assert (owner.cards(), cards(owner, space)) == ({card: before}, {})
    assert picture_of(owner, owner.space, shown).status_code == 200


def test_what_was_queued_before_a_move_follows_the_card(home: Home, red_picture: bytes) -> None:
    owner, space = home.owner, home.space
    card = owner.keep()
    with owner.another_device() as away:
        added, _ = away.upload(red_picture)
        queued = [
            away.mutation("card.set", id=card, fields={"note": "из кармана", "back": added}),
            away.mutation("card.use", id=card, use=uuid7(), at=AT),
            away.mutation("card.keep", id=card, card={"name": "Ещё раз"}),
            away.mutation("card.move", id=card, to=space),
            away.mutation("card.bin", id=card),
        ]
        owner.push("card.move", id=card, to=space)
        results = away.send(queued).json()["results"]
    assert [code_of(result) for result in results] == ["applied"] * 5
    kept = cards(home.viewer, space)[card]
    assert (kept["name"], kept["note"], kept["uses"], "binned_at" in kept) == ("Магнит", "из кармана", 1, True)
    assert picture_of(home.viewer, space, added).status_code == 200
    assert owner.cards() == {}


def test_a_whole_life_in_one_batch_keeps_its_order(home: Home, red_picture: bytes) -> None:
    owner, space = home.owner, home.space
    shown, _ = owner.upload(red_picture)
    card, use = uuid7(), uuid7()
    batch = [
        owner.mutation("card.keep", id=card, card={"name": "Лента", "front": shown}),
        owner.mutation("card.use", id=card, use=use, at=AT),
        owner.mutation("card.move", id=card, to=space),
        owner.mutation("card.use", space=space, id=card, use=use, at=AT),
        owner.mutation("card.set", id=card, fields={"note": "вслед"}),
        owner.mutation("card.move", space=space, id=card, to=owner.space),
        owner.mutation("card.move", id=card, to=space),
    ]
    assert [code_of(result) for result in owner.send(batch).json()["results"]] == ["applied"] * 7
    kept = cards(home.member, space)[card]
    assert (kept["note"], kept["uses"], owner.cards()) == ("вслед", 1, {})
    assert picture_of(home.member, space, shown).status_code == 200


def test_an_edit_does_not_follow_to_where_its_author_may_not_go_or_only_look(home: Home, stranger: Person) -> None:
    owner, space = home.owner, home.space
    card = owner.keep()
    owner.push("card.move", id=card, to=space)
    queued = home.member.mutation("card.set", space=space, id=card, fields={"note": "поздно"})
    owner.push("card.move", space=space, id=card, to=owner.space)
    assert [code_of(result) for result in home.member.send([queued]).json()["results"]] == ["card-moved"]
    other = make(stranger, "Другой дом")
    join(owner, invite(stranger, other, "viewer"))
    assert code_of(owner.push("card.move", id=card, to=other)) == "view-only"
    assert set(owner.cards()) == {card}


def test_only_who_brought_a_card_takes_it_out_and_the_owner_what_nobody_there_brought(home: Home) -> None:
    space, card = home.space, home.member.keep()
    home.member.push("card.move", id=card, to=space)
    for thief in (home.owner, home.viewer):
        refused = thief.push("card.move", space=space, id=card, to=thief.space)
        assert code_of(refused) == ("view-only" if thief is home.viewer else "not-yours")
    leave(home.member, space)
    assert code_of(home.owner.push("card.move", space=space, id=card, to=home.owner.space)) == "applied"


def test_a_card_moves_into_no_space_but_ones_own_and_not_over_another(home: Home, stranger: Person) -> None:
    owner = home.owner
    card = owner.keep()
    for nowhere in (stranger.space, home.member.space, str(uuid.uuid4())):
        assert code_of(owner.push("card.move", id=card, to=nowhere)) == "not-found"
    assert code_of(stranger.push("card.move", space=home.space, id=card, to=stranger.space)) == "not-found"
    home.member.push("card.keep", space=home.space, id=card, card={"name": "Под тем же именем"})
    assert code_of(owner.push("card.move", id=card, to=home.space)) == "card-exists"
    assert set(owner.cards()) == {card}


def test_a_viewer_looks_and_shows_and_changes_nothing(home: Home, red_picture: bytes) -> None:
    viewer, space = home.viewer, home.space
    card = home.owner.keep()
    home.owner.push("card.move", id=card, to=space)
    own = viewer.keep()
    before = rows(viewer, space)
    tried = [
        viewer.push("card.set", space=space, id=card, fields={"note": "?"}),
        viewer.push("card.bin", space=space, id=card),
        viewer.push("card.keep", space=space, id=uuid7(), card={"name": "?"}),
        viewer.push("card.move", id=own, to=space),
    ]
    assert [code_of(result) for result in tried] == ["view-only"] * 4
    upload = viewer.http.put(
        f"/api/pictures/{space}/{uuid7()}", params={"account": viewer.account}, content=red_picture
    )
    assert_problem(upload, 403, "view-only")
    assert rows(viewer, space) == before
    assert code_of(viewer.push("card.use", space=space, id=card, use=uuid7(), at=AT)) == "applied"


# ---------------------------------------------------------------- leaving


def test_whoever_leaves_takes_copies_of_what_they_brought_and_sees_nothing_more(home: Home, red_picture: bytes) -> None:
    member, space = home.member, home.space
    shown, _ = member.upload(red_picture)
    card = member.keep(front=shown, note="моя")
    member.push("card.move", id=card, to=space)
    home.owner.push("card.keep", space=space, id=uuid7(), card={"name": "Чужая"})
    with member.another_device() as other:
        cookie = other.pull()["cookie"]
        assert leave(member, space).status_code == 204
        patch = other.pull(cookie)["patch"]
        queued = other.push("card.set", space=space, id=card, fields={"note": "поздно"})
    assert {"op": "clear", "space": space} in patch
    [(copy, body)] = member.cards().items()
    assert (body["note"], body["front"], "brought_by" in body, copy == card) == ("моя", shown, False, False)
    assert picture_of(member, member.space, shown).status_code == 200
    assert code_of(queued) == "not-found"
    assert_problem(picture_of(member, space, shown), 404, "not-found")
    with zipfile.ZipFile(io.BytesIO(member.http.get("/api/account/export").content)) as archive:
        assert space not in "".join(archive.namelist())
        assert json.loads(archive.read("households.json")) == []
    assert "Борис" not in people(home.owner, space)
    assert "brought_by" not in cards(home.owner, space)[card]
    assert picture_of(home.viewer, space, shown).status_code == 200
    assert_problem(leave(member, space), 404, "not-found")


def test_an_owner_removes_others_and_nobody_else_does(home: Home) -> None:
    for other in (home.member, home.viewer):
        assert_problem(leave(other, home.space, home.owner), 403, "owners-only")
    assert leave(home.owner, home.space, home.viewer).status_code == 204
    assert people(home.owner, home.space) == {"Анна": "owner", "Борис": "member"}
    assert rows(home.viewer, home.space) == {}


def test_an_owners_going_hands_the_household_on_to_who_may_edit_it_longest(home: Home, stranger: Person) -> None:
    join(stranger, invite(home.owner, home.space), "Гоша")
    leave(home.member, home.space)
    assert leave(home.owner, home.space).status_code == 204
    assert people(stranger, home.space) == {"Вера": "viewer", "Гоша": "owner"}
    assert call(stranger, "PATCH", f"/api/households/{home.space}", {"name": "Мой"}).status_code == 204
    leave(stranger, home.space)
    assert people(home.viewer, home.space) == {"Вера": "owner"}


def test_an_owner_gives_roles_and_may_hand_the_household_on(home: Home) -> None:
    path = f"/api/households/{home.space}/members"
    give = lambda who, role, by=home.owner: call(by, "PATCH", f"{path}/{who.account}", {"role": role})  # noqa: E731
    card = home.owner.keep()
    home.owner.push("card.move", id=card, to=home.space)
    assert give(home.member, "viewer").status_code == 204
    refused = home.member.push("card.bin", space=home.space, id=card)
    assert code_of(refused) == "view-only"
    assert_problem(give(home.owner, "viewer"), 409, "owner-stays")
    assert_problem(give(home.member, "member", by=home.member), 403, "owners-only")
    assert give(home.viewer, "owner").status_code == 204
    assert people(home.viewer, home.space) == {"Анна": "member", "Борис": "viewer", "Вера": "owner"}
    assert_problem(give(home.member, "member"), 403, "owners-only")


@pytest.fixture
def own(options: ServiceOptions) -> Iterator[Running]:
    with running(options) as found:
        yield found


def test_the_last_ones_going_empties_the_space_and_they_take_everything_along(
    own: Running, options: ServiceOptions, red_picture: bytes
) -> None:
    with Person.signed_up(own.url) as owner, Person.signed_up(own.url) as member:
        space = make(owner)
        join(member, invite(owner, space))
        shown, _ = member.upload(red_picture)
        card = member.keep(name="От Бориса", front=shown)
        member.push("card.move", id=card, to=space)
        leave(member, space)
        assert leave(owner, space).status_code == 204
        assert [body["name"] for body in owner.cards().values()] == ["От Бориса"]
        assert picture_of(owner, owner.space, shown).status_code == 200
        left = Rows(options)
        assert {table: left.count(table, f"space_id = '{space}'") for table in ("entry", "picture", "member")} == {
            "entry": 0,
            "picture": 0,
            "member": 0,
        }
        assert left.count("space", f"id = '{space}'") == left.count("invitation") == left.count("gone_space") == 0
        assert not [blob for blob in Kept(options).all() if space in blob]


def test_a_deleted_account_leaves_its_households_to_the_others_and_nothing_of_itself(
    own: Running, options: ServiceOptions
) -> None:
    with Person.signed_up(own.url) as owner, Person.signed_up(own.url) as member:
        space, alone = make(owner), make(owner, "Никого")
        join(member, invite(owner, space))
        invite(owner, alone)
        card = owner.keep()
        owner.push("card.move", id=card, to=space)
        cookie = member.pull()["cookie"]
        gone = owner.http.request("DELETE", "/api/account", json={"password": PASSWORD})
        assert gone.status_code == 204
        assert people(member, space) == {"Борис": "owner"}
        assert "brought_by" not in cards(member, space)[card]
        assert {op["key"] for op in member.pull(cookie)["patch"]} == {"about", f"card/{card}"}
        everything = Rows(options)
        assert everything.count("invitation") == everything.count("space", f"id = '{alone}'") == 0


def test_an_export_holds_the_households_cards_and_the_names_of_its_people(home: Home) -> None:
    card = home.owner.keep()
    home.owner.push("card.move", id=card, to=home.space)
    with zipfile.ZipFile(io.BytesIO(home.viewer.http.get("/api/account/export").content)) as archive:
        [told] = json.loads(archive.read("households.json"))
        assert [one["name"] for one in told["members"]] == ["Анна", "Борис", "Вера"]
        assert [one["id"] for one in json.loads(archive.read(f"cards/{home.space}.json"))] == [card]


# ---------------------------------------------------------------- live


@contextmanager
def listening(person: Person) -> Iterator[Callable[[], dict[str, Any]]]:
    """An open stream; what it gives waits for the next poke."""
    with person.http.stream("GET", "/api/sync/live", params={"account": person.account}, timeout=30) as stream:
        lines = stream.iter_lines()
        next(lines)

        def poke() -> dict[str, Any]:
            return next(json.loads(line.removeprefix("data: ")) for line in lines if line.startswith("data: "))

        yield poke


def test_an_open_stream_hears_of_a_household_from_joining_to_leaving(home: Home, stranger: Person) -> None:
    with stranger.another_device() as phone, listening(phone) as poke:
        join(stranger, invite(home.owner, home.space), "Гоша")
        assert poke()["space"] == home.space
        card = home.owner.keep()
        home.owner.push("card.move", id=card, to=home.space)
        moved = poke()
        assert moved["space"] == home.space
        leave(stranger, home.space)
        assert poke() == {"space": home.space, "version": moved["version"] + 1}
        home.owner.push("card.bin", space=home.space, id=card)
        stranger.keep()
        assert poke()["space"] == stranger.space, "and nothing of the household any more"


@pytest.mark.parametrize("profile", ["grown"], indirect=True)
def test_a_stream_held_by_another_process_hears_of_joining_and_nothing_after_leaving(options: ServiceOptions) -> None:
    with running(options) as one, running(options) as other, ExitStack() as stack:
        owner, guest = (stack.enter_context(Person.signed_up(one.url)) for _ in range(2))
        space = make(owner)
        poke = stack.enter_context(listening(stack.enter_context(guest.at(other.url))))
        join(guest, invite(owner, space))
        assert poke()["space"] == space
        leave(owner, space, guest)
        assert poke()["space"] == space
        call(owner, "PATCH", f"/api/households/{space}", {"name": "Дача"})
        guest.keep()
        assert poke()["space"] == guest.space


# ---------------------------------------------------------------- nothing is lost, whatever comes between

FIELD_OF = ("note", "group", "pin", "number")
"""The field that only one device writes, so that what it wrote last must be there."""
REFUSALS = {"not-found", "card-moved", "view-only", "not-yours"}

Spot = tuple[str, str]
"""A space and a key in it."""


def is_card(spot: Spot) -> bool:
    return spot[1].startswith("card/")


@dataclass
class Device:
    """A phone that queues what it does over what it last pulled, and now and then sends it and pulls."""

    who: Person
    wrote: str
    cookie: str = ""
    pulled: dict[Spot, dict[str, Any]] = field(default_factory=dict)
    seen: dict[Spot, dict[str, Any]] = field(default_factory=dict)
    queue: list[dict[str, Any]] = field(default_factory=list)

    def cards(self) -> list[Spot]:
        """Where the cards are as far as this device knows, in an order that does not change."""
        return sorted((spot for spot in self.seen if is_card(spot)), key=lambda spot: self.seen[spot]["name"])

    def do(self, name: str, spot: Spot, **args: Any) -> None:
        self.queue.append(self.who.mutation(name, space=spot[0], id=spot[1].removeprefix("card/"), **args))

    def exchange(self, *, twice: bool = False) -> list[tuple[dict[str, Any], str]]:
        """Send what is queued, a second time where the answer was lost, and pull; what came of each mutation."""
        sent, self.queue = self.queue, []
        answers = [self.who.send(sent) for _ in range(2 if twice else 1)] if sent else []
        results = answers[-1].json()["results"] if answers else []
        assert all(answer.json()["results"] == results for answer in answers)
        answer = self.who.pull(self.cookie)
        self.cookie = answer["cookie"]
        for op in answer["patch"]:
            self._patch(op)
        self.seen = dict(self.pulled)
        return [(mutation, code_of(result)) for mutation, result in zip(sent, results, strict=True)]

    def _patch(self, op: dict[str, Any]) -> None:
        if op["op"] == "clear":
            gone = op.get("space")
            self.pulled = {spot: body for spot, body in self.pulled.items() if gone not in (None, spot[0])}
        elif op["op"] == "del":
            self.pulled.pop((op["space"], op["key"]), None)
        else:
            self.pulled[op["space"], op["key"]] = op["value"]


@dataclass
class Town:
    """Two people with two phones each, and a household that one of them made."""

    devices: list[Device]
    picture: bytes
    space: str
    wrote: dict[Spot, str] = field(default_factory=dict)
    kept: dict[str, str] = field(default_factory=dict)
    refused: set[str] = field(default_factory=set)
    count: int = 0

    def act(self, verb: str, device: Device, pick: int) -> None:
        getattr(self, verb)(device, pick)

    def keep(self, device: Device, pick: int) -> None:
        self.count += 1
        name, id, who = f"Карта {self.count}", uuid7(), device.who
        homes = [who.space, *({self.space} & {space for space, _ in device.seen})]
        space = homes[pick % len(homes)]
        shown = uuid7()
        uploaded = who.http.put(f"/api/pictures/{space}/{shown}", params={"account": who.account}, content=self.picture)
        if uploaded.status_code == 201:
            device.do("card.keep", (space, f"card/{id}"), card={"name": name, "front": shown})
            device.seen[space, f"card/{id}"] = {"name": name}

    def edit(self, device: Device, pick: int) -> None:
        if places := device.cards():
            self.count += 1
            device.do("card.set", places[pick % len(places)], fields={device.wrote: str(self.count)})

    def move(self, device: Device, pick: int) -> None:
        if places := device.cards():
            place = places[pick % len(places)]
            to = self.space if place[0] == device.who.space else device.who.space
            device.do("card.move", place, to=to)
            device.seen[to, place[1]] = device.seen.pop(place)

    def exchange(self, device: Device, pick: int) -> None:
        for mutation, outcome in device.exchange(twice=pick % 3 == 0):
            args = mutation["args"]
            if outcome != "applied":
                # What builds upon a refused edit may find no card.
                assert outcome in REFUSALS or args["id"] in self.refused, (mutation, outcome)
                self.refused.add(args["id"])
            elif "card" in args:
                self.kept[args["card"]["name"]] = device.who.account
            elif "fields" in args:
                self.wrote[args["id"], device.wrote] = args["fields"][device.wrote]

    def part(self, device: Device, pick: int) -> None:
        leave(device.who, self.space)

    def come_back(self, device: Device, pick: int) -> None:
        """By an invitation of whoever is in; where nobody is, a new household is made."""
        me = device.who
        inside = [one.who for one in self.devices if (self.space, "about") in fresh(one.who)]
        if not inside:
            self.space = make(me, own_name=own_name(me))
        elif me.account not in {one.account for one in inside}:
            join(me, invite(inside[0], self.space, ("member", "viewer")[pick % 2]), own_name(me))

    def settle(self) -> None:
        for device in self.devices * 2:
            self.exchange(device, 0)


def own_name(person: Person) -> str:
    return person.account[:8]


def fresh(person: Person) -> dict[Spot, dict[str, Any]]:
    """Everything that a new device of theirs gets."""
    return {(op["space"], op["key"]): op["value"] for op in person.pull()["patch"] if op["op"] == "put"}


VERBS = ("keep", "edit", "move", "exchange", "part", "come_back")
steps = st.lists(st.tuples(st.sampled_from(VERBS), st.integers(0, 3), st.integers(0, 9)), min_size=12, max_size=40)


def test_moves_and_leavings_amid_queued_edits_lose_nothing(
    service: Running, red_picture: bytes, is_proof: bool
) -> None:
    # Without shrinking: every try is a day of two people over HTTP.
    @settings(max_examples=100 if is_proof else 5, phases=(Phase.reuse, Phase.generate))
    @given(steps)
    def law(history: list[tuple[str, int, int]]) -> None:
        with ExitStack() as stack:
            one, other = (stack.enter_context(Person.signed_up(service.url)) for _ in range(2))
            phones = [
                one,
                stack.enter_context(one.another_device()),
                other,
                stack.enter_context(other.another_device()),
            ]
            space = make(one, own_name=own_name(one))
            join(other, invite(one, space), own_name(other))
            devices = [Device(who, wrote) for who, wrote in zip(phones, FIELD_OF, strict=True)]
            town = Town(devices, red_picture, space)
            town.settle()
            for device in devices:
                town.keep(device, 0)
                town.keep(device, 1)
                town.exchange(device, 0)
            for verb, phone, pick in history:
                town.act(verb, devices[phone], pick)
            town.settle()
            assert_nothing_lost(town)
            for who in (one, other):
                leave(who, town.space)
            town.settle()
            assert_nothing_lost(town)

    law()


def assert_nothing_lost(town: Town) -> None:
    held = {device.who.account: fresh(device.who) for device in town.devices}
    everything = [body for places in held.values() for body in places.values()]
    for device in town.devices:
        assert device.seen == held[device.who.account], "old state and patches are a fresh pull"
        names = {body["name"] for spot, body in device.seen.items() if is_card(spot)}
        assert {name for name, keeper in town.kept.items() if keeper == device.who.account} <= names
        for spot, body in device.seen.items():
            if is_card(spot):
                assert picture_of(device.who, spot[0], body["front"]).status_code == 200, "its photo has come along"
    for (_, wrote), value in town.wrote.items():
        assert any(body.get(wrote) == value for body in everything), "what was acknowledged is there"
