"""Holds who may import whom (docs/architecture.md), read from the source without importing anything."""

import ast
import re
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
PACKAGE = "aggregator"
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)

BASE = {
    *("blobs", "codes", "crew", "crypto", "db", "errors", "http", "images", "jobs", "limits", "settings", "uploads"),
    *("mail", "migrations", "outbound", "schema", "shell", "sqlite", "store", "turns"),
}
CHAIN = ("__main__", "backup", "checkup", "app", "intake", "partners", "merchants", "catalog", "sync", "accounts")
MAY_IMPORT = {name: {*CHAIN[place + 1 :], *BASE} for place, name in enumerate(CHAIN)}
for above_recognition in CHAIN[: CHAIN.index("merchants") + 1]:
    MAY_IMPORT[above_recognition] |= {"recognition"}
MAY_IMPORT |= {"recognition": {"codes", "errors", "images", "settings"}}
MAY_IMPORT |= {name: BASE - {name} for name in BASE}
"""First-level name -> the first-level names it may import beside itself."""


@dataclass
class Module:
    name: str
    imports: set[str]
    hidden: set[str]

    @property
    def part(self) -> str:
        return first_level(self.name)


def first_level(name: str) -> str:
    return name.split(".")[1] if "." in name else "__init__"


def read_modules(root: Path) -> dict[str, Module]:
    """Every module below `root`, with the names of ours that it imports; `hidden` are those inside a function."""
    paths = {module_name(root, path): path for path in root.rglob("*.py")}
    return {name: read_module(name, path, set(paths)) for name, path in paths.items()}


def module_name(root: Path, path: Path) -> str:
    parts = [PACKAGE, *path.relative_to(root).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def read_module(name: str, path: Path, known: set[str]) -> Module:
    everywhere, in_functions = statements(path.read_text(encoding="utf-8"))
    context = name if path.name == "__init__.py" else name.rpartition(".")[0]
    return Module(name, set(imported(everywhere, context, known)), set(imported(in_functions, context, known)))


@cache
def statements(source: str) -> tuple[list[ast.AST], list[ast.AST]]:
    """All import statements of a source, and those inside a function."""
    tree = ast.parse(source)
    functions = [node for node in ast.walk(tree) if isinstance(node, FUNCTIONS)]
    return imports_under([tree]), imports_under(functions)


def imports_under(nodes: Iterable[ast.AST]) -> list[ast.AST]:
    return [found for node in nodes for found in ast.walk(node) if isinstance(found, ast.Import | ast.ImportFrom)]


def imported(nodes: Iterable[ast.AST], context: str, known: set[str]) -> Iterator[str]:
    """The modules of ours that import statements name, relative ones resolved against `context`."""
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if is_ours(alias.name))
        elif isinstance(node, ast.ImportFrom):
            source = absolute(node, context)
            if is_ours(source):
                yield from (
                    f"{source}.{alias.name}" if f"{source}.{alias.name}" in known else source for alias in node.names
                )


def absolute(node: ast.ImportFrom, context: str) -> str:
    if not node.level:
        return node.module or ""
    parents = context.split(".")
    base = parents[: len(parents) - node.level + 1]
    return ".".join([*base, node.module] if node.module else base)


def is_ours(name: str) -> bool:
    return name == PACKAGE or name.startswith(f"{PACKAGE}.")


def violations(root: Path) -> list[str]:
    """One sentence for everything that the table, or the rule against cycles and hidden imports, does not allow."""
    modules = read_modules(root)
    found = [
        f"{part} is not in the table" for part in sorted({m.part for m in modules.values()} - {"__init__", *MAY_IMPORT})
    ]
    for module in modules.values():
        found += [f"{module.name} imports {name} inside a function" for name in sorted(module.hidden)]
        found += [
            f"{module.name} may not import {name}" for name in sorted(module.imports) if not may_import(module, name)
        ]
    return found + [f"cycle: {' -> '.join(cycle)}" for cycle in cycles(modules)]


def may_import(module: Module, name: str) -> bool:
    part = first_level(name)
    if module.part == "__init__":
        return False
    return part in {module.part, "__init__"} or part in MAY_IMPORT.get(module.part, {part})


def cycles(modules: dict[str, Module]) -> Iterator[list[str]]:
    """A cycle among the modules themselves, and one among the names at each level above them."""
    depth = max(name.count(".") for name in modules) + 1
    for level in range(2, depth + 1):
        graph: dict[str, set[str]] = {}
        for module in modules.values():
            here = shortened(module.name, level)
            graph.setdefault(here, set()).update({shortened(name, level) for name in module.imports} - {here})
        try:
            TopologicalSorter(graph).prepare()
        except CycleError as error:
            yield error.args[1]


def shortened(name: str, level: int) -> str:
    return ".".join(name.split(".")[:level])


def test_every_import_goes_the_way_the_architecture_says_and_no_cycle_hides_anywhere() -> None:
    assert violations(REPOSITORY / PACKAGE) == []


def test_the_architecture_page_draws_the_same_table() -> None:
    page = (REPOSITORY / "docs" / "architecture.md").read_text(encoding="utf-8")
    drawing = re.search(r"Who may import whom.*?```\n(.*?)```", page, re.DOTALL)
    assert drawing is not None
    chain, recognition = drawing[1].strip().splitlines()[:2]
    drawn = [re.findall(r"\w+", re.sub(r"\(.*?\)", "", step)) for step in chain.split("->")]
    assert [step[0] for step in drawn[:-1]] == list(CHAIN)
    assert set(drawn[-1]) == BASE
    assert set(re.findall(r"\w+", recognition.rpartition("->")[2])) == MAY_IMPORT["recognition"]


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A copy of the source to spoil."""
    return Path(shutil.copytree(REPOSITORY / PACKAGE, tmp_path / PACKAGE, ignore=shutil.ignore_patterns("data")))


@pytest.mark.parametrize(
    ("file", "line", "sentence"),
    [
        (
            "sync/spoilt.py",
            "from aggregator.catalog import cards",
            "aggregator.sync.spoilt may not import aggregator.catalog",
        ),
        ("sync/spoilt.py", "from ..catalog import models", "aggregator.sync.spoilt may not import aggregator.catalog"),
        ("recognition/spoilt.py", "import aggregator.db", "aggregator.recognition.spoilt may not import aggregator.db"),
        ("catalog/spoilt.py", "from aggregator.recognition import reading", "may not import aggregator.recognition"),
        ("accounts/spoilt.py", "import aggregator.sync as other", "aggregator.accounts.spoilt may not import"),
        ("blobs.py", "from aggregator.accounts import models", "aggregator.blobs may not import aggregator.accounts"),
        ("__init__.py", "from aggregator import db", "aggregator may not import aggregator.db"),
        ("extra.py", "", "extra is not in the table"),
        ("extra/inner.py", "", "extra is not in the table"),
        ("sync/spoilt.py", "def f():\n    from aggregator import db", "imports aggregator.db inside a function"),
        ("sync/spoilt.py", "class C:\n    async def f(self):\n        import aggregator.db", "inside a function"),
        (
            "sync/spoilt.py",
            "if TYPE_CHECKING:\n    from aggregator import catalog",
            "may not import aggregator.catalog",
        ),
        ("errors.py", "from aggregator import settings, blobs", "cycle: "),
    ],
)
def test_a_planted_violation_is_found(tree: Path, file: str, line: str, sentence: str) -> None:
    path = tree / file
    path.parent.mkdir(exist_ok=True)
    with path.open("a", encoding="utf-8") as source:
        source.write(f"\n{line}\n")
    assert any(sentence in found for found in violations(tree))


def test_a_cycle_between_two_modules_of_one_package_is_found(tree: Path) -> None:
    (tree / "sync" / "one.py").write_text("from aggregator.sync import two\n")
    (tree / "sync" / "two.py").write_text("from .one import thing\n")
    assert [found for found in violations(tree) if found.startswith("cycle")] != []
