"""Two processes of one service on one PostgreSQL."""

from collections.abc import Iterator

import pytest

from tests.service import Person, Running, ServiceOptions, running

# SQLite is for one process.
pytestmark = pytest.mark.parametrize("profile", ["grown"], indirect=True)


@pytest.fixture
def two(options: ServiceOptions) -> Iterator[tuple[Running, Running]]:
    with running(options) as one, running(options) as other:
        yield one, other


def test_a_push_to_one_process_pokes_a_stream_held_by_the_other(two: tuple[Running, Running]) -> None:
    one, other = two
    with Person.signed_up(one.url) as person:
        params = {"account": person.account}
        with person.at(other.url) as elsewhere, elsewhere.http.stream("GET", "/api/sync/live", params=params) as live:
            lines = live.iter_lines()
            next(lines)
            person.keep()
            told = next(line for line in lines if line.startswith("data:") and '"version":1' in line)
            assert person.space in told


def test_a_device_revoked_at_one_process_loses_its_stream_at_the_other(two: tuple[Running, Running]) -> None:
    one, other = two
    with Person.signed_up(one.url) as person, person.another_device() as lost, lost.at(other.url) as elsewhere:
        with elsewhere.http.stream("GET", "/api/sync/live", params={"account": lost.account}) as live:
            person.http.delete(f"/api/devices/{lost.device}")
            list(live.iter_lines())
        answer = elsewhere.http.get("/api/sync/pull", params={"account": lost.account})
        assert answer.json()["code"] == "device-revoked"


def test_a_card_kept_at_one_process_is_pulled_from_the_other(two: tuple[Running, Running]) -> None:
    one, other = two
    with Person.signed_up(one.url) as person, person.at(other.url) as elsewhere:
        card_id = person.keep(name="Лента")
        assert elsewhere.cards()[card_id]["name"] == "Лента"
