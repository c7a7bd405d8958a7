"""The page for a shop's developer says what is true: its commands run in their order, its code verifies, its examples
are what is sent.
"""

import json
import re
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import pytest

from aggregator.partners.api import SCOPES
from aggregator.partners.event_routes import AnyEvent
from aggregator.partners.events import BODIES, PING
from tests.receivers import Hooked, Receiver, receiver
from tests.service import Person, ServiceOptions, running

REPOSITORY = Path(__file__).resolve().parent.parent
PAGE = (REPOSITORY / "docs" / "partner-api.md").read_text(encoding="utf-8")
PARTS = re.compile(r"^```(\w+)\n(.*?)^```$|^<!-- (\w+)(?:: (\w+))? -->$", re.MULTILINE | re.DOTALL)
NUMBER, END = "7789001234567", "--- end of a block ---"


@dataclass(frozen=True)
class Part:
    """A fenced block (`kind` is its language), or something that the reader does between two."""

    kind: str
    text: str


def parts() -> list[Part]:
    return [Part(found[1] or found[3], found[2] or found[4] or "") for found in PARTS.finditer(PAGE)]


def of_kind(kind: str) -> list[str]:
    return [part.text for part in parts() if part.kind == kind]


class Shell:
    """A bash that ends at the first command that fails, as a reader would."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self._process = process

    def run(self, block: str) -> str:
        """What a block prints."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"{block}\necho; echo '{END}'\n")
        self._process.stdin.flush()
        said = []
        while (line := self._process.stdout.readline()) != f"{END}\n":
            # A bash that has ended says nothing for ever.
            assert line, f"{block}\n{''.join(said)}"
            said.append(line)
        return "".join(said)


@contextmanager
def shell(environment: dict[str, str]) -> Iterator[Shell]:
    command = ["bash", "-euo", "pipefail"]
    process = subprocess.Popen(
        command, cwd=REPOSITORY, env=environment, text=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        yield Shell(process)
    finally:
        process.kill()
        process.communicate()


def connects(person: Person) -> str:
    """Keeps the shop's card on a phone and taps Connect."""
    card = person.keep(merchant="magnit", number=NUMBER)
    body = {"space": person.space, "card": card, "policy": "open"}
    answer = person.http.post("/api/links", params={"account": person.account}, json=body)
    assert answer.status_code == 201, answer.text
    return card


def shown(person: Person, card: str, main: int) -> None:
    """Waits until the phone shows the balance."""
    until = time.monotonic() + 60
    while time.monotonic() < until:
        found = [put["value"] for put in person.pull()["patch"] if put.get("key") == f"live/{card}"]
        if found and found[0].get("balance", {}).get("main") == main:
            return
        time.sleep(0.05)
    raise AssertionError(f"The phone does not show {main}.")


def walked(url: str, environment: dict[str, str], server: Receiver, person: Person) -> tuple[list[str], dict[str, Any]]:
    """What each command on the page says, and the webhook that was made on the way."""
    said, card = [], ""
    with shell(environment) as bash:
        for part in parts():
            if part.kind == "bash":
                block = part.text.replace("http://localhost:8000", url)
                said.append(bash.run(block.replace("https://shop.example/karman", server.url())))
            elif part.kind == "phone":
                card = connects(person)
            elif part.kind == "shown":
                shown(person, card, int(part.text))
        return said, json.loads(bash.run('echo "$HOOKED"'))


def test_every_command_on_the_page_does_what_it_says(embedded: ServiceOptions) -> None:
    with receiver() as server:
        options = embedded.plus("--private-hosts", server.host)
        with running(options) as service, Person.signed_up(service.url) as person:
            environment = {**options.env(), "KARMAN_DATA": str(options.data)}
            said, hook = walked(service.url, environment, server, person)
        pinged = server.take()
    words = "\n".join(said)
    for expected in ("It is magnit.", '"main": 300', '{"status":"stored"}', "link.created", '"code": "invalid"'):
        assert expected in words
    checks = re.findall(r"^(ok|FAIL) +(\w+):", words, re.MULTILINE)
    # Our receiver takes everything; how quickly is the machine's affair.
    assert {name for ok, name in checks if ok == "FAIL"} - {"quick"} == {"forged"}
    assert len(checks) == 6
    codes = re.findall(r'"code":"(\d{6})"', words)
    assert len(codes) == 2
    assert codes[0] == codes[1]
    verifies([ping for ping in pinged if ping.path == "/karman"], hook["secret"])


def verifies(pinged: list[Hooked], secret: str) -> None:
    """The page's code takes what we have sent just now, and neither what is forged nor what is old."""
    right, again, forged, old = pinged
    for verify in (in_python, in_node):
        assert [verify(secret, ping) for ping in (right, again, forged, old)] == [True, True, False, False]


def in_python(secret: str, ping: Hooked) -> bool:
    [code] = of_kind("python")
    names: dict[str, Any] = {}
    exec(code, names)
    try:
        names["verify"](secret, ping.headers, ping.body)
    except ValueError:
        return False
    return True


def in_node(secret: str, ping: Hooked) -> bool:
    [code] = of_kind("js")
    call = f"verify({json.dumps(secret)}, {json.dumps(ping.headers)}, {json.dumps(ping.body.decode())});"
    command = ["node", "--input-type=module", "--eval", f"{code}\n{call}"]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("example", of_kind("json"))
def test_every_example_is_an_event_as_it_is_sent(example: str) -> None:
    event = msgspec.json.decode(example, type=AnyEvent)
    assert msgspec.to_builtins(event) == json.loads(example)


def test_the_page_names_every_kind_of_event_and_scope() -> None:
    assert {json.loads(example)["type"] for example in of_kind("json")} == set(BODIES) - {PING}
    assert all(f"`{scope}`" in PAGE for scope in SCOPES)
