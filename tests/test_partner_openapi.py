"""What the partner API says of itself is what it does, and every problem has a page."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from aggregator.partners.events import BODIES
from aggregator.partners.problem_texts import PAGES
from tests import partners
from tests.answers import assert_problem
from tests.partners import Shop
from tests.service import Running, client

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parent / "aggregator"
CODE = re.compile(r"[a-z]+(-[a-z]+)*")


@cache
def trees() -> dict[str, ast.AST]:
    """Every module, parsed."""
    return {str(path): ast.parse(path.read_text(encoding="utf-8")) for path in ROOT.rglob("*.py")}


@cache
def problems() -> frozenset[str]:
    """The names of all problems' classes, those that modules make of others included."""
    classes = [node for tree in trees().values() for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    found = {"Problem"}
    while more := {one.name for one in classes if {*map(name_of, one.bases)} & found} - found:
        found |= more
    return frozenset(found)


def name_of(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def codes_in(tree: ast.AST) -> Iterator[str]:
    """The codes that a module answers: what it says to a problem's class, or to its own base in one."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            named = name_of(node.func)
            if named in problems() or named == "__init__":
                place = 1 if named == "Invalid" else 0
                yield from texts([*node.args[place : place + 1], *(k.value for k in node.keywords if k.arg == "code")])
            yield from (code for k in node.keywords if k.arg == "problems" for code in texts([k.value]))


def texts(nodes: list[ast.expr]) -> Iterator[str]:
    for node in nodes:
        yield from (
            one.value
            for one in ast.walk(node)
            if isinstance(one, ast.Constant) and isinstance(one.value, str) and CODE.fullmatch(one.value)
        )


def test_every_code_that_is_answered_has_a_page() -> None:
    used = {code: name for name, tree in trees().items() for code in codes_in(tree)}
    assert {"idempotency-key-reused", "scope-missing", "no-programme", "link-spent", "too-many-requests"} <= used.keys()
    assert {code: name for code, name in used.items() if code not in PAGES} == {}


def test_a_page_says_in_ones_language_what_a_problem_means(site: Running) -> None:
    with client(site.url) as http:
        for wish, language in (
            ("ru-RU,ru;q=0.9,en;q=0.8", "ru"),
            ("de,en;q=0.5,ru;q=0.1", "en"),
            ("", "en"),
            ("q=;", "en"),
        ):
            page = http.get("/problems/scope-missing", headers={"Accept-Language": wish})
            assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
            assert f'<html lang="{language}">' in page.text
            assert ("Токен" in page.text) == (language == "ru")
            assert "<script" not in page.text
        assert_problem(http.get("/problems/<script>"), 404, "not-found")
        everything = http.get("/problems").text
        assert all(f'href="/problems/{code}"' in everything for code in PAGES)


def test_the_description_is_whole_and_asked_for_again_in_few_bytes(site: Running) -> None:
    with client(site.url) as http:
        answer = http.get("/partner/v1/openapi.json")
        again = http.get("/partner/v1/openapi.json", headers={"If-None-Match": answer.headers["etag"]})
    assert (again.status_code, again.text) == (304, "")
    # Python's own end of a text, which is a letter to whoever else reads a pattern.
    assert r"\\Z" not in answer.text
    told = answer.json()
    assert told["openapi"] == "3.1.0"
    assert told["webhooks"].keys() == BODIES.keys()
    operations = [operation for path in told["paths"].values() for operation in path.values()]
    assert len({operation["operationId"] for operation in operations}) == len(operations)
    for name in references(told):
        assert resolved(told, name) is not None, name


def references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        yield from [value["$ref"]] if isinstance(value.get("$ref"), str) else []
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from references(one)


def resolved(told: dict[str, Any], name: str) -> Any:
    found: Any = told
    for part in name.removeprefix("#/").split("/"):
        found = found.get(part, {})
    return found or None


@pytest.fixture
def shop(site: Running) -> Iterator[Shop]:
    with partners.shop(site, "--sandbox") as found:
        said = {"name": {"en": "Shop"}, "policies": ["challenge", "code"]}
        assert found.call("PUT", "/programme", said).status_code == 200
        yield found


def test_the_service_does_what_its_description_says(site: Running, shop: Shop, is_proof: bool, tmp_path: Path) -> None:
    """Schemathesis asks for every operation, in every way that it knows, with right data and with wrong."""
    few = ["--phases", "fuzzing", "--max-examples", "2", "--seed", "1"]
    many = ["--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "150"]
    command = [
        *(str(Path(sys.executable).with_name("schemathesis")), "--config-file", str(TESTS / "schemathesis.toml")),
        *("run", f"{site.url}/partner/v1/openapi.json"),
        *("--url", f"{site.url}/partner/v1"),
        # It would end the token that everything else is asked with.
        *("--exclude-path", "/secrets/revoke", "--checks", "all", "--continue-on-failure"),
        *(many if is_proof else few),
    ]
    credentials = {"SHOP_URL": site.url, "SHOP_ID": shop.id, "SHOP_SECRET": shop.secret}
    environment = {**os.environ, **credentials, "PYTHONPATH": str(TESTS.parent)}
    ended = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stdout[-8_000:] + ended.stderr[-2_000:]
    cases = re.search(r"(\d+) generated", ended.stdout)
    assert cases is not None
    assert int(cases[1]) >= (5_000 if is_proof else 50)
