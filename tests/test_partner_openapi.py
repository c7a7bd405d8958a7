"""What the partner API says of itself is what it does, and every problem has a page."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import httpx
import pytest

from aggregator.partners.problem_texts import PAGES
from tests.partners import Open, opened
from tests.service import Running, ServiceOptions, client

ROOT = Path(__file__).resolve().parent.parent / "aggregator"
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
