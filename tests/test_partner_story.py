"""A program that knows only what is documented connects a shop, from its first token to the end of its last link."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from tests.partners import introduced
from tests.receivers import SCRIPTS
from tests.service import ServiceOptions, running

Process = subprocess.Popen[str]


@contextmanager
def outsider() -> Iterator[tuple[Process, str]]:
    """The program, and where it listens for webhooks."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    process = subprocess.Popen(["node", "shop.mjs"], cwd=SCRIPTS, text=True, **pipes)  # type: ignore[call-overload]
    try:
        yield process, process.stdout.readline().strip()
    finally:
        process.kill()
        process.communicate()


def its_day(process: Process, told: dict[str, str]) -> Any:
    """What the program says came of it."""
    said, errors = process.communicate(json.dumps(told) + "\n", timeout=240)
    assert process.returncode == 0, errors
    return json.loads(said)


def test_an_outside_program_goes_the_whole_way_from_its_first_token_to_its_last_link(options: ServiceOptions) -> None:
    with outsider() as (process, address):
        allowed = replace(options, environment={**options.environment, "KARMAN_PRIVATE_HOSTS": address})
        with running(allowed) as service:
            shop_id, secret = introduced(service.options, "Лавка", "--slug", "magnit", "--open")
            told = {"service": service.url, "id": shop_id, "secret": secret, "slug": "magnit"}
            day = its_day(process, told)
    assert day["shown"] == {"open": 10, "challenge": 20, "code": 30}
    assert day["offers"] == dict.fromkeys(day["shown"], "Coffee for a point")
    assert day["told"] == [
        ["link.created", "open", None],
        ["link.challenge", None, None],
        ["link.created", "challenge", None],
        ["link.created", "code", None],
        ["link.ended", "open", "shop"],
        ["link.ended", "challenge", "reissue"],
        ["link.ended", "code", "holder"],
    ]
