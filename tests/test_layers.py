"""The import rules of docs/architecture.md, read from the source: who may import whom, what core must not touch, and sizes."""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent / "agent" / "forewarn"

LAYERS: tuple[frozenset[str], ...] = (
    frozenset({"cli"}),
    frozenset({"app"}),
    frozenset({"web", "runtime", "probers", "steps", "transports", "store", "config"}),
    frozenset({"ports", "reach"}),
    frozenset({"core"}),
    frozenset({"model"}),
)
"""From the top down. A part imports what lies below it, and itself."""

FRIENDS = {("reach", "ports"), ("ports", "reach")}
"""Neighbours in one layer that may know each other; the seven never do."""

STAGES = frozenset({"detect", "impact", "respond", "tell", "learn"})
"""Parts of core that import the model only; all else in core (flow, engine, work, show ...) joins them."""

NOT_IN_CORE = frozenset(
    [
        "asyncio",
        "concurrent",
        "ctypes",
        "fcntl",
        "glob",
        "http",
        "io",
        "locale",
        "logging",
        "multiprocessing",
        "os",
        "pathlib",
        "psutil",
        "queue",
        "random",
        "re2",
        "resource",
        "secrets",
        "select",
        "selectors",
        "shutil",
        "signal",
        "socket",
        "sqlite3",
        "ssl",
        "structlog",
        "subprocess",
        "sys",
        "tempfile",
        "threading",
        "time",
        "urllib",
        "uuid",
    ]
)
"""Modules that reach the world, a clock or chance. What core needs of them is handed in."""

PURE = ("urllib.parse.",)
"""Of those packages, modules that only take texts apart."""

CLOCKS = frozenset({("datetime", "now"), ("datetime", "utcnow"), ("datetime", "today"), ("date", "today")})
WORLD_CALLS = frozenset({"open", "input", "print", "exec", "eval", "__import__"})

ONLY_IN = {"paramiko": "reach/ssh.py", "elasticsearch": "probers/elastic_ask.py"}
"""Packages that one module alone may import."""

MODULE_LINES, FUNCTION_LINES = 400, 60


def imports(tree: ast.Module, path: str) -> Iterator[tuple[int, str]]:
    """Line and full name of everything that a module imports, at its top or later; `path` is relative to the package."""
    package = ["forewarn", *Path(path).parent.parts]
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, name.name) for name in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{source}.{name.name}") for name in node.names)


def part(parts: list[str]) -> str:
    """The layer's part that a module below `forewarn` belongs to: `core` for core/tell/words.py, `ports` for ports.py."""
    return parts[0].removesuffix(".py")


def direction(mine: str, theirs: str) -> str | None:
    """Why `mine` may not import `theirs`; None if it may."""
    depth = {name: level for level, layer in enumerate(LAYERS) for name in layer}
    if mine not in depth or theirs not in depth or mine == theirs or (mine, theirs) in FRIENDS:
        return None
    if depth[theirs] == depth[mine]:
        return f"{mine} and {theirs} never import each other"
    return f"{mine} lies below {theirs}" if depth[theirs] < depth[mine] else None


def import_faults(tree: ast.Module, path: str) -> Iterator[str]:
    mine = Path(path).parts
    for line, name in imports(tree, path):
        top, *below = name.split(".")
        where = f"{path}:{line} imports {name}: "
        if top in ONLY_IN and path != ONLY_IN[top]:
            yield where + f"only {ONLY_IN[top]} may"
        if part(list(mine)) in ("core", "model") and top in NOT_IN_CORE and not name.startswith(PURE):
            yield where + "core and model touch no world, clock or chance"
        if top != "forewarn" or not below:
            continue
        if why := direction(part(list(mine)), part(below)):
            yield where + why
        elif mine[0] == "core" and mine[1] in STAGES and below[0] == "core" and below[1:2] != [mine[1]]:
            yield where + f"the stage {mine[1]} imports the model only"


def call_faults(tree: ast.Module, path: str) -> Iterator[str]:
    """Clocks, files and prints in core and model."""
    if part(list(Path(path).parts)) not in ("core", "model"):
        return
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        if isinstance(called, ast.Name) and called.id in WORLD_CALLS:
            yield f"{path}:{node.lineno} calls {called.id}(): core and model only compute"
        if isinstance(called, ast.Attribute) and isinstance(called.value, ast.Name) and (called.value.id, called.attr) in CLOCKS:
            yield f"{path}:{node.lineno} reads a clock: `now` is handed in"


def is_table(tree: ast.Module) -> bool:
    """Whether a script made the module and nobody reads it: values only, no code."""
    made = (ast.get_docstring(tree) or "").startswith("Made by scripts/")
    return made and all(isinstance(node, ast.Expr | ast.Assign | ast.AnnAssign | ast.ImportFrom) for node in tree.body)


def size_faults(tree: ast.Module, path: str, text: str) -> Iterator[str]:
    lines = len(text.splitlines())
    if lines > MODULE_LINES and not is_table(tree):
        yield f"{path} has {lines} lines, at most {MODULE_LINES}: look for the second subject"
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            length = (node.end_lineno or node.lineno) - node.lineno + 1
            if length > FUNCTION_LINES:
                yield f"{path}:{node.lineno} {node.name} has {length} lines, at most {FUNCTION_LINES}: a decision and its I/O are mixed"


def faults(path: str, text: str) -> list[str]:
    tree = ast.parse(text, path)
    return [*import_faults(tree, path), *call_faults(tree, path), *size_faults(tree, path, text)]


MODULES = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.rglob("*.py") if "shipped" not in path.parts)


@pytest.mark.parametrize("path", MODULES)
def test_module_keeps_the_rules(path):
    assert faults(path, (ROOT / path).read_text("utf-8")) == []


def test_every_part_has_its_place():
    """A new package must be put into the table, or the rules would not hold for it."""
    known = frozenset().union(*LAYERS)
    found = {part(list(Path(path).parts)) for path in MODULES}
    assert found - known <= {"__init__", "__main__"}
    assert {"core", "model", "store", "ports"} <= found


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        ("store/a.py", "from forewarn.web.app import x", "store and web never import each other"),
        ("probers/a.py", "def f():\n    import forewarn.config.load", "probers and config never import each other"),
        ("runtime/a.py", "from ..store import samples", "runtime and store never import each other"),
        ("runtime/a.py", "from forewarn import store", "runtime and store never import each other"),
        ("store/a.py", "import forewarn.app.daemon", "store lies below app"),
        ("ports.py", "from forewarn.store.samples import SqliteSamples", "ports lies below store"),
        ("app/a.py", "if TYPE_CHECKING:\n    from forewarn.cli import main", "app lies below cli"),
        ("model/a.py", "from forewarn.core.work import State", "model lies below core"),
        ("core/engine.py", "from forewarn.ports import Clock", "core lies below ports"),
        ("core/tell/a.py", "from forewarn.core.respond.dues import x", "the stage tell imports the model only"),
        ("core/tell/a.py", "from forewarn.core.work import Work", "the stage tell imports the model only"),
        ("core/tell/a.py", "from ..detect import x", "the stage tell imports the model only"),
        ("core/tell/a.py", "from forewarn.core import work", "the stage tell imports the model only"),
        ("core/work.py", "import os.path", "touch no world, clock or chance"),
        ("core/tell/a.py", "from urllib.request import urlopen", "touch no world, clock or chance"),
        ("core/detect/a.py", "from time import monotonic", "touch no world, clock or chance"),
        ("model/a.py", "def f():\n    from random import choice", "touch no world, clock or chance"),
        ("model/a.py", "from pathlib import Path", "touch no world, clock or chance"),
        ("core/flow/a.py", "at = datetime.now(UTC)", "reads a clock"),
        ("core/flow/a.py", "day = date.today()", "reads a clock"),
        ("core/flow/a.py", "text = open('x').read()", "calls open()"),
        ("steps/a.py", "import paramiko", "only reach/ssh.py may"),
        ("probers/b.py", "from elasticsearch import AsyncElasticsearch", "only probers/elastic_ask.py may"),
        ("web/a.py", "x = 1\n" * 401, "has 401 lines, at most 400"),
        ("web/a.py", '"""Made by scripts/x.py."""\ndef f(): ...\n' + "x = 1\n" * 400, "has 402 lines, at most 400"),
        ("web/a.py", "class A:\n    async def f(self):\n" + "        x = 1\n" * 60, "f has 61 lines, at most 60"),
    ],
)
def test_a_module_that_breaks_a_rule_is_named(path, text, said):
    found = faults(path, text)
    assert len(found) == 1
    assert found[0].startswith(path) and said in found[0]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("cli/a.py", "from forewarn.app.daemon import run\nimport os, time\nprint(time.time())"),
        ("app/a.py", "from forewarn.store.samples import SqliteSamples\nfrom forewarn.web.app import make"),
        ("store/a.py", "from forewarn.ports import Ledger\nfrom forewarn.core.work import State\nfrom . import codec"),
        ("store/a.py", "from forewarn import __version__"),
        ("reach/ssh.py", "import paramiko\nfrom forewarn.ports import Clock"),
        ("core/engine.py", "from forewarn.core.tell.words import render\nfrom forewarn.core.flow import pages"),
        ("core/flow/a.py", "from forewarn.core.tell import words\nfrom forewarn.core.detect.threshold import step"),
        ("core/tell/a.py", "from forewarn.core.tell.words import render\nfrom . import words\nfrom forewarn.model.text import Say"),
        (
            "core/tell/a.py",
            "import re, json, math, bisect, statistics, hashlib\nfrom datetime import datetime\nfrom zoneinfo import ZoneInfo",
        ),
        ("core/tell/a.py", "later = self.clock.now()\nwork.open('x')"),
        ("web/a.py", "x = 1\n" * 400),
        ("web/a.py", '"""Made by scripts/x.py."""\n' + "x = 1\n" * 500),
        ("web/a.py", "def f():\n" + "    x = 1\n" * 59),
    ],
)
def test_a_module_that_keeps_them_is_left_alone(path, text):
    assert faults(path, text) == []


def test_no_two_files_of_tests_bear_one_name():
    """pytest imports a file of tests by its bare name here, and refuses to collect the second one that bears it."""
    names = Counter(path.name for path in Path(__file__).parent.rglob("test_*.py"))
    assert {name for name, times in names.items() if times > 1} == set()
