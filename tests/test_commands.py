"""What an operator types, and what is said to them: in one line, in words, and with nothing done by halves."""

import re
import signal
import socket
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import httpx
import pytest

from aggregator.crypto import new_ring, read_ring
from tests.launcher import Ended, ended, start_anew
from tests.service import Person, Running, ServiceOptions, running, start
from tests.shapes import shape_of
from tests.stores import Rows, returned, ring_of, rotated, with_ring

ENDS_IN_S = 20


def run(options: ServiceOptions, name: str, *arguments: str) -> Ended:
    """Run a command to its end."""
    return ended(options.words(name, *arguments), options.env())


def ended_of(own: Running) -> int:
    """How a service that was told to end did so."""
    own.process.communicate(timeout=ENDS_IN_S)
    assert own.process.returncode is not None
    return own.process.returncode


@pytest.fixture
def embedded(tmp_path: Path) -> ServiceOptions:
    """An empty data folder."""
    return ServiceOptions(tmp_path / "data")


@pytest.fixture
def taken_port() -> Iterator[int]:
    """A port somebody listens on."""
    with closing(socket.socket()) as holder:
        holder.bind(("127.0.0.1", 0))
        holder.listen()
        yield holder.getsockname()[1]


# serve


def test_with_port_0_the_real_address_is_printed_and_nothing_else(embedded: ServiceOptions) -> None:
    process = start_anew(embedded.words("serve", "--port", "0"), embedded.env())
    try:
        assert process.stdout is not None
        address = process.stdout.readline()
        assert re.fullmatch(r"http://localhost:[1-9]\d*\n", address)
        assert httpx.get(f"{address.strip()}/api/health").json() == {"status": "ok"}
    finally:
        process.terminate()
        rest, errors = process.communicate(timeout=ENDS_IN_S)
    assert (rest, errors) == ("", "")


def test_told_to_end_it_ends_within_seconds_and_lets_go_of_open_streams(options: ServiceOptions) -> None:
    own = start(options)
    with (
        Person.signed_up(own.url) as person,
        person.http.stream("GET", "/api/sync/live", params={"account": person.account}) as live,
    ):
        lines = live.iter_lines()
        next(lines)
        own.process.send_signal(signal.SIGTERM)
        list(lines)
    assert ended_of(own) in {0, -signal.SIGTERM}
    assert own.logged() == ""


def test_interrupted_from_the_keyboard_it_ends_without_a_trace(embedded: ServiceOptions) -> None:
    own = start(embedded)
    own.process.send_signal(signal.SIGINT)
    ended_of(own)
    assert own.logged() == ""


def test_what_was_kept_is_there_after_a_restart(options: ServiceOptions) -> None:
    with running(options) as own, Person.signed_up(own.url) as person:
        card_id = person.keep()
        own.process.terminate()
        own.process.wait(ENDS_IN_S)
    with running(options) as own, returned(person, own.url) as later:
        assert list(later.cards()) == [card_id]


# keys


def test_a_printed_ring_can_be_used(embedded: ServiceOptions) -> None:
    ended = run(embedded, "keys")
    assert (ended.status, ended.errors) == (0, "")
    assert len(read_ring(ended.said).ids) == 1
    assert run(embedded, "keys").said != ended.said
    assert not embedded.data.exists()
    with running(replace(embedded, environment={"KARMAN_KEYS": ended.said})) as own:
        assert httpx.get(f"{own.url}/api/health").status_code == 200
    assert not (embedded.data / "keys.json").exists()


def test_a_ring_may_come_from_a_file_that_the_environment_names(options: ServiceOptions, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text(new_ring() + "\n")
    environment = {name: value for name, value in options.environment.items() if name != "KARMAN_KEYS"}
    from_file = replace(options, environment={**environment, "KARMAN_KEYS_FILE": str(secret)})
    assert run(from_file, "migrate").status == 0
    secret.write_text(new_ring())
    assert "was sealed with the key" in run(from_file, "migrate").line


def test_a_store_sealed_with_other_keys_is_refused_in_one_line_and_stays_as_it_is(options: ServiceOptions) -> None:
    with running(options) as own, Person.signed_up(own.url) as person:
        card_id = person.keep()
    right, before = ring_of(options), shape_of(Rows(options))
    other = with_ring(options, ring_of(with_ring(options, {**right, "keys": rotated_keys(options)[-1:]})))
    for name in ("serve", "migrate"):
        ended = run(other, name, "--port", "0")
        assert ended.status == 1
        assert "was sealed with the key" in ended.line
        assert not any(key in ended.line for key in right["keys"])
    assert shape_of(Rows(options)) == before
    with running(with_ring(options, right)) as own, returned(person, own.url) as later:
        assert list(later.cards()) == [card_id]


def rotated_keys(options: ServiceOptions) -> list[str]:
    """The keys of the ring and one more, the ring staying as it is."""
    before = ring_of(options)
    keys = ring_of(rotated(options))["keys"]
    with_ring(options, before)
    return list(keys)


def test_a_rotated_ring_serves_and_from_then_on_both_keys_are_needed(options: ServiceOptions) -> None:
    first = ring_of(options) if options.environment else None
    with running(options) as own, Person.signed_up(own.url) as person:
        old = person.keep()
        first = first or ring_of(options)
    both = rotated(options)
    with running(both) as own, returned(person, own.url) as later:
        new = later.keep()
        assert set(later.cards()) == {old, new}
    keys = ring_of(both)["keys"]
    for lacking in (keys[:1], keys[1:]):
        assert "was sealed with the key" in run(with_ring(both, {**first, "keys": lacking}), "serve").line


def test_a_lost_key_file_is_named_and_no_new_one_is_made_in_its_place(embedded: ServiceOptions) -> None:
    run(embedded, "migrate")
    kept = (embedded.data / "keys.json").rename(embedded.data / "backup")
    for name in ("serve", "migrate"):
        line = run(embedded, name).line
        assert "keys.json is missing" in line
        assert "backup" in line
    assert not (embedded.data / "keys.json").exists()
    kept.rename(embedded.data / "keys.json")
    assert run(embedded, "migrate").status == 0


def test_a_damaged_key_file_is_named_and_left_alone(embedded: ServiceOptions) -> None:
    embedded.data.mkdir()
    (embedded.data / "keys.json").write_text("{")
    assert "damaged" in run(embedded, "serve").line
    assert (embedded.data / "keys.json").read_text() == "{"


# migrate


def test_migrating_twice_says_the_same_and_changes_nothing(options: ServiceOptions) -> None:
    first = run(options, "migrate")
    before = shape_of(Rows(options))
    assert first == run(options, "migrate")
    assert (first.status, first.errors) == (0, "")
    assert shape_of(Rows(options)) == before


# check


def found(ended: Ended) -> dict[str, str]:
    """What the check found of each part: ok, missing or FAILS."""
    lines = [line.split(maxsplit=1) for line in ended.said.splitlines()]
    return {rest.partition(":")[0]: mark for mark, rest in lines}


def test_the_check_says_of_every_part_whether_it_works(unshaped: ServiceOptions) -> None:
    options = unshaped.reading()
    ended = run(options, "check")
    assert (ended.status, ended.errors) == (0, "")
    parts = found(ended)
    assert parts.keys() == {"rows and keys", "pictures", "recognition", "print", "web app", "address", "mail"}
    assert (parts["rows and keys"], parts["pictures"], parts["address"], parts["mail"]) == (
        "ok",
        "ok",
        "missing",
        "missing",
    )
    assert "0001_initial" in ended.said
    run(options, "migrate")
    again = run(options, "check", "--public-url", "https://karman.example")
    assert (again.status, found(again)["address"]) == (0, "ok")
    assert "opens with these keys" in again.said


def test_the_check_says_what_is_missing_and_what_to_do(embedded: ServiceOptions, tmp_path: Path) -> None:
    ended = run(embedded, "check", "--web", str(tmp_path / "nowhere"))
    assert ended.status == 0
    assert found(ended)["web app"] == "missing"
    assert "make build" in ended.said
    assert "--public-url https://" in ended.said


@pytest.mark.parametrize(
    ("part", "environment"),
    [
        (
            "rows and keys",
            {"KARMAN_DATABASE": "postgres://postgres:hunter2@127.0.0.1:1/karman", "KARMAN_KEYS": new_ring()},
        ),
        ("pictures", {"KARMAN_BLOBS": "s3://key:hunter2@127.0.0.1:1/bucket"}),
        ("rows and keys", {"KARMAN_KEYS": "{"}),
    ],
)
def test_the_check_fails_for_a_part_that_does_not_answer_and_tells_no_secret(
    embedded: ServiceOptions, part: str, environment: dict[str, str]
) -> None:
    ended = run(replace(embedded, environment=environment), "check")
    assert ended.status == 1
    assert "Traceback" not in ended.errors
    assert found(ended)[part] == "FAILS"
    assert [other for other, mark in found(ended).items() if mark == "FAILS"] == [part]
    assert "hunter2" not in ended.said + ended.errors


def test_the_check_fails_for_keys_that_do_not_open_the_store(embedded: ServiceOptions) -> None:
    run(embedded, "migrate")
    (embedded.data / "keys.json").write_text(new_ring())
    ended = run(embedded, "check")
    assert (ended.status, found(ended)["rows and keys"]) == (1, "FAILS")
    assert "was sealed with the key" in ended.said


def test_the_check_fails_for_a_data_folder_that_cannot_be_one(tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("")
    ended = run(ServiceOptions(file / "data"), "check")
    assert ended.status == 1
    assert {mark for part, mark in found(ended).items() if part in {"rows and keys", "pictures"}} == {"FAILS"}


# Options that cannot be


@pytest.mark.parametrize(
    ("option", "value", "named"),
    [
        ("port", "eighty", "--port"),
        ("port", "70000", "--port"),
        ("port", "-1", "--port"),
        ("workers", "-1", "--workers"),
        ("queue", "many", "--queue"),
        ("limit-scale", "0", "--limit-scale"),
        ("database", "mysql://localhost/karman", "--database"),
        ("database", "postgres://localhost/karman", "KARMAN_KEYS"),
        ("blobs", "http://localhost/bucket", "--blobs"),
        ("blobs", "s3://localhost/bucket", "s3://key:secret@host:port/bucket"),
        ("public-url", "karman.example", "--public-url"),
        ("public-url", "ftp://karman.example", "--public-url"),
        ("public-url", "https://", "--public-url"),
        ("public-url", "https://karman.example/wallet", "--public-url"),
        ("host", "no.such.host.invalid", "no.such.host.invalid"),
    ],
)
def test_an_option_that_cannot_be_is_named_in_one_line(
    embedded: ServiceOptions, option: str, value: str, named: str
) -> None:
    plain = ServiceOptions(embedded.data, arguments=())
    ended = run(plain, "serve", f"--{option}", value)
    assert ended.status == 1
    assert named in ended.line


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({"KARMAN_PORT": "eighty"}, "--port"),
        ({"KARMAN_KEYS_FILE": "/nowhere/keys"}, "KARMAN_KEYS_FILE"),
        ({"KARMAN_KEYS": "nonsense"}, "damaged"),
        ({"KARMAN_DATABASE": "postgres://u:hunter2@127.0.0.1:port/x", "KARMAN_KEYS": new_ring()}, "--database"),
        ({"KARMAN_DATABASE": "postgres://u:hunter2@127.0.0.1:1/x", "KARMAN_KEYS": new_ring()}, "cannot be opened"),
        ({"KARMAN_DATABASE": "postgres://u:hunter2@127.0.0.1:1/x?speed=11", "KARMAN_KEYS": new_ring()}, "--database"),
    ],
    ids=["number", "no file", "no ring", "no port", "nobody answers", "unknown word"],
)
def test_a_setting_from_the_environment_that_cannot_be_is_named_in_one_line_without_its_secret(
    embedded: ServiceOptions, environment: dict[str, str], named: str
) -> None:
    ended = run(ServiceOptions(embedded.data, (), environment), "serve")
    assert ended.status == 1
    assert named in ended.line
    assert "hunter2" not in ended.line


def test_a_database_that_does_not_exist_or_is_not_safe_enough_is_named(options: ServiceOptions, profile: str) -> None:
    if profile == "embedded":
        pytest.skip("SQLite makes its own")
    database = options.environment["KARMAN_DATABASE"]
    plain = replace(options, environment={**options.environment, "KARMAN_DATABASE": f"{database}?sslmode=disable"})
    assert run(plain, "migrate").status == 0
    safe = replace(options, environment={**options.environment, "KARMAN_DATABASE": f"{database}?sslmode=require"})
    assert "SSL" in run(safe, "migrate").line
    address = options.environment["KARMAN_DATABASE"].rpartition("/")[0] + "/nowhere"
    ended = run(replace(options, environment={**options.environment, "KARMAN_DATABASE": address}), "serve")
    assert (ended.status, "nowhere" in ended.line) == (1, True)


def test_a_port_that_is_taken_is_told_in_one_line(embedded: ServiceOptions, taken_port: int) -> None:
    ended = run(embedded, "serve", "--port", str(taken_port))
    assert ended.status == 1
    assert f"--port {taken_port}: Address already in use" in ended.line


def test_an_unknown_command_or_option_is_told_with_what_there_is(embedded: ServiceOptions) -> None:
    ended = run(embedded, "fly")
    assert ended.status == 2
    for name in ("serve", "check", "migrate", "keys"):
        assert name in ended.errors
    assert run(embedded, "serve", "--speed", "11").status == 2


def test_help_has_a_line_on_every_command_and_setting(embedded: ServiceOptions) -> None:
    ended = run(embedded, "serve", "--help")
    assert ended.status == 0
    for option in ("--data", "--host", "--port", "--database", "--blobs", "--keys", "--public-url", "--trusted-proxy"):
        assert option in ended.said
