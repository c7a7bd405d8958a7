"""Push, pull and live as devices meet them."""

import json
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from tests.service import Person, code, uuid7


def problem(answer: httpx.Response) -> str:
    return str(answer.json()["code"])


def test_a_kept_card_is_on_a_second_device_with_every_field(person: Person) -> None:
    fields: dict[str, Any] = {
        "name": "Пятёрочка",
        "merchant": "pyaterochka",
        "number": "7789 0012 3412",
        "codes": [code(), {**code("abc", "qr_code"), "encoding": "utf-8", "gs1": True}],
        "pin": "0000",
        "note": "мамина\nкарта",
        "colour": "#e30613",
        "favourite": True,
        "group": "еда",
        "valid_from": "2026-01-01",
        "expires_on": "2028-02-29",
        "balance": {"value": -5, "unit": "RUB"},
    }
    card_id = person.keep(**fields)
    with person.another_device() as other:
        kept = other.cards()[card_id]
    assert {name: kept[name] for name in fields} == fields
    assert kept["created_at"].endswith("Z")


def test_edits_of_different_fields_on_two_devices_both_last(person: Person) -> None:
    card_id = person.keep()
    with person.another_device() as other:
        other.push("card.set", id=card_id, fields={"note": "из второго"})
    person.push("card.set", id=card_id, fields={"number": "1234"})
    kept = person.cards()[card_id]
    assert (kept["note"], kept["number"]) == ("из второго", "1234")


def test_null_clears_a_field_and_the_name_stays(person: Person) -> None:
    card_id = person.keep(note="прочь", favourite=True)
    person.push("card.set", id=card_id, fields={"note": None, "favourite": None})
    assert set(person.cards()[card_id]) == {"name", "created_at"}
    refused = person.push("card.set", id=card_id, fields={"name": None})
    assert refused["status"] == "refused"
    assert refused["problem"]["errors"][0]["pointer"] == "/fields/name"


def test_a_pull_with_a_cookie_brings_only_what_changed_since(person: Person) -> None:
    person.keep()
    before = person.pull(client=person.client)
    second = person.keep(name="Лента")
    after = person.pull(before["cookie"], person.client)
    assert [change["key"] for change in after["patch"]] == [f"card/{second}"]
    assert after["last"] == 2
    assert person.pull(after["cookie"], person.client)["patch"] == []


def test_old_state_and_patch_equal_a_fresh_pull(person: Person) -> None:
    ids = [person.keep(name=f"Карта {number}") for number in range(5)]
    first = person.pull()
    state = {put["key"]: put["value"] for put in first["patch"] if put["op"] == "put"}
    person.push("card.bin", id=ids[0])
    person.push("card.set", id=ids[1], fields={"note": "новая"})
    person.keep(name="Шестая")
    for change in person.pull(first["cookie"])["patch"]:
        state[change["key"]] = change["value"]
    assert state == {f"card/{card_id}": body for card_id, body in person.cards().items()}


def test_an_unreadable_cookie_is_answered_with_everything_from_the_start(person: Person) -> None:
    card_id = person.keep()
    cookie = person.pull()["cookie"]
    for broken in ("", "x", "Ж" * 3, cookie[:-4] + "AAAA", cookie * 200):
        patch = person.pull(broken)["patch"]
        assert patch[0] == {"op": "clear"}
        assert [change["key"] for change in patch[1:]] == [f"card/{card_id}"]


def test_the_same_batch_again_tells_the_same_outcomes_and_changes_nothing(person: Person) -> None:
    card_id = uuid7()
    batch = [
        person.mutation("card.keep", id=card_id, card={"name": "Магнит"}),
        person.mutation("card.set", id=card_id, fields={"number": "9" * 5_000}),
        person.mutation("card.use", id=card_id, use=uuid7(), at="2026-01-01T00:00:00Z"),
    ]
    first = person.send(batch).json()
    assert [result["status"] for result in first["results"]] == ["applied", "refused", "applied"]
    state = person.pull()
    assert person.send(batch).json() == first
    assert person.pull() == state


def test_a_repeat_may_come_together_with_what_is_new(person: Person) -> None:
    card_id = uuid7()
    first = person.mutation("card.keep", id=card_id, card={"name": "Магнит"})
    person.send([first])
    answer = person.send([first, person.mutation("card.set", id=card_id, fields={"note": "да"})])
    assert [result["id"] for result in answer.json()["results"]] == [1, 2]
    assert person.cards()[card_id]["note"] == "да"


def test_another_body_under_a_used_id_is_a_fork_and_nothing_is_applied(person: Person) -> None:
    card_id = person.keep()
    forked = [
        {"id": 1, "name": "card.bin", "args": {"space": person.space, "id": card_id}},
        {"id": 2, "name": "card.set", "args": {"space": person.space, "id": card_id, "fields": {"note": "нет"}}},
    ]
    answer = person.send(forked)
    assert (answer.status_code, problem(answer)) == (409, "client-forked")
    assert set(person.cards()[card_id]) == {"name", "created_at"}


@pytest.mark.parametrize("ids", [[2], [1, 3], [1, 2, 2], [2, 1]])
def test_a_gap_in_ids_is_told_with_the_expected_one_and_nothing_is_applied(person: Person, ids: list[int]) -> None:
    batch = [
        {"id": number, "name": "card.keep", "args": {"space": person.space, "id": uuid7(), "card": {"name": "Магнит"}}}
        for number in ids
    ]
    answer = person.send(batch)
    assert (answer.status_code, problem(answer)) == (409, "gap")
    assert answer.json()["expected"] == next(
        want for want, have in zip([1, 2, 3], [*ids, 0], strict=False) if want != have
    )
    assert person.cards() == {}


def test_an_unknown_mutator_stops_the_batch_there_and_keeps_what_stood_before(person: Person) -> None:
    card_id = uuid7()
    batch = [
        person.mutation("card.keep", id=card_id, card={"name": "Магнит"}),
        person.mutation("card.teleport", id=card_id),
        person.mutation("card.bin", id=card_id),
    ]
    answer = person.send(batch)
    assert (answer.status_code, problem(answer), answer.json()["id"]) == (409, "upgrade-needed", 2)
    assert "binned_at" not in person.cards()[card_id]
    assert person.pull(client=person.client)["last"] == 1
    assert person.send(batch[:1]).json()["results"] == [{"id": 1, "status": "applied"}]


def test_a_mutation_that_names_a_missing_picture_waits_for_the_upload(person: Person, red_picture: bytes) -> None:
    card_id, picture = uuid7(), uuid7()
    batch = [person.mutation("card.keep", id=card_id, card={"name": "Магнит", "front": picture})]
    answer = person.send(batch)
    assert (answer.status_code, problem(answer)) == (409, "picture-missing")
    assert person.cards() == {}
    person.upload(red_picture, picture)
    assert person.send(batch).json()["results"] == [{"id": 1, "status": "applied"}]
    assert person.cards()[card_id]["front"] == picture


def test_a_refusal_blocks_nothing_after_it(person: Person) -> None:
    gone, card_id = uuid7(), uuid7()
    answer = person.send(
        [
            person.mutation("card.set", id=gone, fields={"note": "?"}),
            person.mutation("card.keep", id=card_id, card={"name": "Магнит"}),
        ]
    )
    refused, applied = answer.json()["results"]
    assert (refused["status"], refused["problem"]["code"]) == ("refused", "card-gone")
    assert applied["status"] == "applied"
    assert list(person.cards()) == [card_id]


def test_keeping_an_id_the_space_has_changes_nothing_even_from_the_bin(person: Person) -> None:
    card_id = person.keep(note="первая")
    person.push("card.bin", id=card_id)
    before = person.cards()
    assert person.push("card.keep", id=card_id, card={"name": "Другая"})["status"] == "applied"
    assert person.cards() == before


def test_a_device_that_tells_again_what_a_restore_has_lost_undoes_nothing_that_another_has_said(person: Person) -> None:
    card_id = person.keep(note="после")
    seen = next(op["version"] for op in person.pull()["patch"] if op["op"] == "put")
    assert person.push("card.keep", id=card_id, base=0, card={"name": "Магнит", "note": "после"})["status"] == "applied"
    for late in (
        person.push("card.keep", id=card_id, base=0, card={"name": "Магнит", "note": "до"}),
        person.push("card.set", id=card_id, base=seen - 1, fields={"note": "до"}),
    ):
        assert late["problem"]["code"] == "changed-since-restore"
    assert person.cards()[card_id]["note"] == "после"
    assert person.push("card.set", id=card_id, base=seen, fields={"note": "да"})["status"] == "applied"


def test_an_edit_of_a_binned_card_lands_in_the_bin_with_it_and_restore_brings_both_back(person: Person) -> None:
    card_id = person.keep()
    person.push("card.bin", id=card_id)
    person.push("card.set", id=card_id, fields={"note": "в корзине"})
    assert person.cards()[card_id]["binned_at"]
    person.push("card.restore", id=card_id)
    kept = person.cards()[card_id]
    assert "binned_at" not in kept
    assert kept["note"] == "в корзине"


def test_a_use_counts_once_and_the_latest_time_wins_but_never_the_future(person: Person) -> None:
    card_id, use = person.keep(), uuid7()
    person.push("card.use", id=card_id, use=use, at="2026-03-01T12:00:00+03:00")
    person.push("card.use", id=card_id, use=use, at="2026-04-01T12:00:00+03:00")
    person.push("card.use", id=card_id, use=uuid7(), at="2026-02-01T12:00:00Z")
    kept = person.cards()[card_id]
    assert (kept["uses"], kept["last_used_at"]) == (2, "2026-03-01T09:00:00Z")
    person.push("card.use", id=card_id, use=uuid7(), at="2999-01-01T00:00:00Z")
    assert person.cards()[card_id]["last_used_at"] < "2999"


def test_a_use_sent_twice_in_one_batch_counts_once(person: Person) -> None:
    card_id, use = person.keep(), uuid7()
    person.send([person.mutation("card.use", id=card_id, use=use, at="2026-03-01T12:00:00Z") for _ in range(3)])
    assert person.cards()[card_id]["uses"] == 1


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("number", "4" * 5_000),
        ("number", "12\u000034"),
        ("number", "12\u202e34"),
        ("name", "   "),
        ("name", "\u0007"),
        ("note", "a\u0000b"),
        ("colour", "red"),
        ("expires_on", "2026-02-30"),
        ("expires_on", "20260201"),
        ("merchant", "../etc"),
        ("balance", {"value": 1.5, "unit": "points"}),
        ("balance", {"value": 1, "unit": "gold"}),
        ("front", "not a uuid"),
        ("uses", 7),
        ("binned_at", "2026-01-01T00:00:00Z"),
    ],
)
def test_a_field_that_cannot_be_kept_is_refused_by_name_and_the_card_stays_as_it_was(
    person: Person, field: str, value: Any
) -> None:
    card_id = person.keep()
    before = person.cards()
    result = person.push("card.set", id=card_id, fields={field: value})
    assert result["status"] == "refused"
    assert result["problem"]["code"] == "invalid"
    assert field in str(result["problem"]["errors"])
    assert person.cards() == before


@pytest.mark.parametrize("name", ["🛒 Лента", "سوق", "שוק", "ИП «Ромашка» №1", "👩‍👩‍👧"])
def test_emoji_and_right_to_left_names_are_kept_as_typed(person: Person, name: str) -> None:
    card_id = person.keep(name=name)
    assert person.cards()[card_id]["name"] == name


def test_a_code_keeps_the_bytes_it_was_decoded_with(person: Person) -> None:
    odd = {"format": "qr_code", "text": "\u001d01\u0000é", "raw": "HTAxAP+A", "encoding": "iso-8859-1"}
    card_id = person.keep(codes=[odd])
    assert person.cards()[card_id]["codes"] == [odd]


def test_what_two_devices_send_at_once_is_ordered_without_a_lost_version(person: Person) -> None:
    with person.another_device() as other:
        writers = [threading.Thread(target=lambda who=who: [who.keep() for _ in range(15)]) for who in (person, other)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
    versions = sorted(change["version"] for change in person.pull()["patch"] if change["op"] == "put")
    assert versions == list(range(1, 31))


def test_a_poke_reaches_an_open_stream_when_another_device_pushes(person: Person) -> None:
    with (
        person.another_device() as other,
        other.http.stream("GET", "/api/sync/live", params={"account": other.account}) as live,
    ):
        lines = live.iter_lines()
        assert next(lines).startswith("retry")
        person.keep()
        assert (
            next(line for line in lines if line.startswith("data:"))
            == f'data: {{"space":"{person.space}","version":1}}'
        )


def test_revoking_a_device_closes_its_stream_and_tells_it_to_wipe(person: Person) -> None:
    with (
        person.another_device() as other,
        other.http.stream("GET", "/api/sync/live", params={"account": other.account}) as live,
    ):
        assert person.http.delete(f"/api/devices/{other.device}").status_code == 204
        list(live.iter_lines())
        told = other.http.get("/api/sync/pull", params={"account": other.account})
    assert (told.status_code, problem(told)) == (401, "device-revoked")


def test_a_refused_or_replayed_push_pokes_nobody(person: Person) -> None:
    with (
        person.another_device() as other,
        other.http.stream("GET", "/api/sync/live", params={"account": other.account}) as live,
    ):
        lines = live.iter_lines()
        next(lines)
        person.push("card.set", id=uuid7(), fields={"note": "?"})
        card_id = person.keep()
        person.http.delete(f"/api/devices/{other.device}")
        pokes = [line for line in lines if line.startswith("data:")]
    assert pokes == [f'data: {{"space":"{person.space}","version":1}}']
    assert card_id


@pytest.mark.parametrize("call", ["pull", "push", "live", "picture"])
def test_a_call_for_another_account_than_the_session_reads_and_writes_nothing(
    person: Person, stranger: Person, call: str
) -> None:
    params = {"account": stranger.account}
    answer = {
        "pull": lambda: person.http.get("/api/sync/pull", params=params),
        "push": lambda: person.http.post("/api/sync/push", params=params, json={"client": uuid7(), "mutations": []}),
        "live": lambda: person.http.get("/api/sync/live", params=params),
        "picture": lambda: person.http.put(f"/api/pictures/{stranger.space}/{uuid7()}", params=params, content=b"x"),
    }[call]()
    assert (answer.status_code, problem(answer)) == (409, "other-account")


def test_a_cookie_of_another_account_is_told_apart(person: Person, stranger: Person) -> None:
    cookie = stranger.pull()["cookie"]
    answer = person.http.get("/api/sync/pull", params={"account": person.account, "cookie": cookie})
    assert (answer.status_code, problem(answer)) == (409, "other-account")


@pytest.mark.parametrize(
    ("body", "status", "pointer"),
    [
        (b"{", 400, None),
        (b'{"client":"x","mutations":[]}', 422, "/client"),
        (b'{"mutations":[]}', 422, "/client"),
        (
            b'{"client":"0190b0b0-0000-7000-8000-000000000000","mutations":[{"id":0,"name":"a","args":{}}]}',
            422,
            "/mutations/0/id",
        ),
        (
            b'{"client":"0190b0b0-0000-7000-8000-000000000000","mutations":[{"id":1,"args":{}}]}',
            422,
            "/mutations/0/name",
        ),
        (b'{"client":"0190b0b0-0000-7000-8000-000000000000","mutations":[],"more":1}', 422, None),
        (
            b'{"client":"0190b0b0-0000-7000-8000-000000000000","mutations":[{"id":1,"name":"a","args":{"x":'
            + b"[" * 100_000,
            400,
            None,
        ),
    ],
)
def test_a_body_that_is_no_batch_is_refused_with_the_field_named(
    person: Person, body: bytes, status: int, pointer: str | None
) -> None:
    headers = {"Content-Type": "application/json"}
    answer = person.http.post("/api/sync/push", params={"account": person.account}, content=body, headers=headers)
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["request_id"] == answer.headers["x-request-id"]
    if pointer:
        assert answer.json()["errors"][0]["pointer"] == pointer


def test_a_missing_argument_is_refused_by_name(person: Person) -> None:
    result = person.push("card.bin")
    assert result["problem"]["errors"] == [{"pointer": "/id", "detail": "Object missing required field `id`"}]


def test_a_large_pull_is_the_same_compressed_and_not(person: Person) -> None:
    for number in range(20):
        person.keep(name=f"Карта {number}", note="длинная заметка о карте")
    plain = person.http.get(
        "/api/sync/pull", params={"account": person.account}, headers={"Accept-Encoding": "identity"}
    )
    packed = person.http.get("/api/sync/pull", params={"account": person.account}, headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert int(packed.headers["content-length"]) < int(plain.headers["content-length"]) / 2
    assert packed.json()["patch"] == plain.json()["patch"]


def test_a_wrong_space_is_as_unknown_as_a_random_one(person: Person, stranger: Person) -> None:
    results = [
        person.push("card.keep", space=space, id=uuid7(), card={"name": "Магнит"})
        for space in (stranger.space, str(uuid.uuid4()))
    ]
    assert results[0]["problem"] == results[1]["problem"]
    assert results[0]["problem"]["code"] == "not-found"
    assert stranger.cards() == {}


@pytest.mark.parametrize("fields", [{"merchant": "magnit\n"}, {"colour": "#e30613\n"}, {"merchant": "a" * 80 + "\n"}])
def test_a_line_end_behind_a_good_value_is_refused_and_blocks_nothing(person: Person, fields: dict[str, str]) -> None:
    card_id = person.keep()
    assert person.push("card.set", id=card_id, fields=fields)["problem"]["code"] == "invalid"
    assert person.push("card.set", id=card_id, fields={"note": "да"})["status"] == "applied"


@pytest.mark.parametrize("depth", [100, 880, 971, 5_000])
def test_arguments_that_nest_deeply_are_refused_and_never_our_mistake(person: Person, depth: int) -> None:
    args = b'{"space":"%b","id":%b}' % (person.space.encode(), b"[" * depth + b"]" * depth)
    body = b'{"client":"%b","mutations":[{"id":1,"name":"card.bin","args":%b}]}' % (person.client.encode(), args)
    headers = {"Content-Type": "application/json"}
    answer = person.http.post("/api/sync/push", params={"account": person.account}, content=body, headers=headers)
    assert answer.status_code in {200, 400, 422}
    assert person.cards() == {}


def test_a_device_revoked_while_its_push_was_still_arriving_writes_nothing(person: Person) -> None:
    with person.another_device() as lost:
        batch = {"client": lost.client, "mutations": [lost.mutation("card.keep", id=uuid7(), card={"name": "Магнит"})]}
        body = json.dumps(batch).encode()

        def slowly() -> Iterator[bytes]:
            yield body[:10]
            assert person.http.delete(f"/api/devices/{lost.device}").status_code == 204
            yield body[10:]

        headers = {"Content-Type": "application/json"}
        told = lost.http.post("/api/sync/push", params={"account": lost.account}, content=slowly(), headers=headers)
    assert (told.status_code, problem(told)) == (401, "device-revoked")
    assert person.cards() == {}


def test_asking_only_for_the_head_of_the_live_stream_is_answered_at_once(person: Person) -> None:
    assert person.http.head("/api/sync/live", params={"account": person.account}).status_code == 200
