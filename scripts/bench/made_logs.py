"""Logs of which every line's template is known, made from the logging calls of installed Python packages.

Nobody looked at these systems while masks were made: a package is a system, a call of its source a template, and its arguments are
filled by what they are called (a host, a path, a name, a list, an object). How many different values an argument takes is drawn:
one to forty. Where it takes one or two, no counting can find it, so that nobody reaches 1. Seeded by the package's name.
"""

from __future__ import annotations

import ast
import re
import site
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import NamedTuple

LINES, MOST_TEMPLATES, FEWEST_TEMPLATES = 2000, 150, 25
LEVELS = frozenset({"debug", "info", "warning", "warn", "error", "critical", "exception"})
_PLACE = re.compile(r"%[-+# 0-9.]*([srdifgxX])")
_NAMES = [
    "alice",
    "bob",
    "carol",
    "dave",
    "erin",
    "frank",
    "grace",
    "heidi",
    "ivan",
    "judy",
    "mallory",
    "niaj",
    "olivia",
    "peggy",
    "rupert",
    "sybil",
    "root",
    "backup",
    "deploy",
    "jenkins",
]
_HOSTS = ["web", "db", "cache", "mail", "shop", "api", "auth", "queue", "node", "edge", "proxy"]
_WORDS = [
    "alpha",
    "beta",
    "gamma",
    "delta",
    "main",
    "default",
    "primary",
    "eth0",
    "session",
    "orders",
    "invoice",
    "users",
    "items",
    "config",
    "cart",
    "search",
    "index",
    "worker",
    "daily",
    "weekly",
    "report",
    "sync",
    "export",
    "import",
    "billing",
    "ledger",
    "metrics",
    "events",
    "audit",
    "archive",
    "static",
    "media",
]
_CLASSES = [
    "Client",
    "Server",
    "Session",
    "Handler",
    "Manager",
    "Connection",
    "Worker",
    "Task",
    "Request",
    "Response",
    "Queue",
    "Channel",
    "Parser",
    "Reader",
    "Writer",
]
_ERRORS = ("Connection refused", "No such file or directory", "timed out", "[Errno 111] Connection refused", "Broken pipe")
VARY = (1, 2, 4, 8, 16, 40)


class Call(NamedTuple):
    """What stands between the arguments, and what each argument is called."""

    fixed: tuple[str, ...]
    arguments: tuple[str, ...]


def systems() -> Iterator[tuple[str, list[str], list[int]]]:
    """A package's name, its lines, and the template of each."""
    found: dict[str, dict[tuple[str, ...], Call]] = {}
    for root in (Path(ast.__file__).parent, *map(Path, site.getsitepackages())):
        for file in sorted(root.rglob("*.py")):
            if root != Path(site.getsitepackages()[0]) and "site-packages" in file.parts:
                continue
            for call in _calls(file.read_text("utf-8", "replace")):
                found.setdefault(file.relative_to(root).parts[0], {})[call.fixed] = call
    for package, calls in sorted(found.items()):
        if len(calls) >= FEWEST_TEMPLATES:
            yield package, *_lines(package, list(calls.values()))


def _lines(package: str, calls: list[Call]) -> tuple[list[str], list[int]]:
    r = Random(package)
    r.shuffle(calls)
    calls = calls[:MOST_TEMPLATES]
    vary = [[r.choice(VARY) for _ in call.arguments] for call in calls]
    chosen = r.choices(range(len(calls)), [1 / (at + 1) ** 1.1 for at in range(len(calls))], k=LINES)
    lines = []
    for number in chosen:
        call = calls[number]
        values = [_value(name.lower(), r, most) for name, most in zip(call.arguments, vary[number], strict=True)]
        lines.append(" ".join("".join(map("".join, zip(call.fixed, (*values, ""), strict=True))).split()))
    return lines, chosen


def _calls(source: str) -> Iterator[Call]:
    if not any(f".{level}(" in source for level in LEVELS):
        return
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError):
        return
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in LEVELS and node.args:
            call = _call(node.args[0], node.args[1:])
            text = " ".join(call.fixed) if call else ""
            if call and "\n" not in text.strip() and len(re.findall(r"[A-Za-z]{2,}", text)) >= 2:
                yield call


def _call(form: ast.expr, given: list[ast.expr]) -> Call | None:
    if isinstance(form, ast.BinOp) and isinstance(form.op, ast.Mod):
        form, given = form.left, form.right.elts if isinstance(form.right, ast.Tuple) else [form.right]
    if isinstance(form, ast.Constant) and isinstance(form.value, str):
        kinds = _PLACE.findall(form.value)
        names = [_name(one, kind) for one, kind in zip(given, kinds, strict=False)]
        return Call(tuple(_PLACE.split(form.value)[::2]), tuple(names)) if len(given) == len(kinds) else None
    if not isinstance(form, ast.JoinedStr):
        return None
    fixed, names = [""], []
    for part in form.values:
        if isinstance(part, ast.Constant):
            fixed[-1] += str(part.value)
        elif isinstance(part, ast.FormattedValue):
            names.append(_name(part.value, "s"))
            fixed.append("")
    return Call(tuple(fixed), tuple(names))


def _name(argument: ast.expr, kind: str) -> str:
    return {"s": "", "r": ""}.get(kind, "count ") + ast.unparse(argument)


def _value(name: str, r: Random, most: int) -> str:
    """What an argument of such a name may hold."""

    def one(words: list[str] | tuple[str, ...]) -> str:
        return words[r.randrange(min(len(words), most))]

    def named(*parts: str) -> bool:
        return any(part in name for part in parts)

    if named("count", "len(", "num", "size", "port", "pid", "status", "code", "attempt"):
        return str(r.randrange(10 ** r.randint(1, 5)))
    if named("time", "delay", "secs", "elapsed", "duration"):
        return f"{r.random() * 100:.2f}"
    if named("url", "uri"):
        return f"https://{one(_HOSTS)}{r.randrange(9)}.example.com/{one(_WORDS)}/{r.randrange(999)}"
    if named("path", "file", "dir"):
        return f"/{r.choice(('var', 'srv', 'home'))}/{one(_WORDS)}/{one(_NAMES)}.{r.choice(('txt', 'py', 'log', 'conf'))}"
    if named("host", "addr", "server", "peer"):
        return r.choice(
            (f"10.0.{r.randrange(255)}.{r.randrange(255)}", f"{one(_HOSTS)}-{r.randrange(20)}", f"{one(_HOSTS)}.example.com")
        )
    if named("user"):
        return one(_NAMES)
    if named("uuid", "token", "key", "hash", "digest"):
        return r.choice((f"{r.getrandbits(128):032x}", f"{r.getrandbits(32):08x}-{r.getrandbits(16):04x}"))
    if name in {"e", "err", "exc", "ex", "error", "exception", "reason", "msg", "message"}:
        return one(_ERRORS)
    if named("list") or (name.endswith("s") and not named("class")):
        return repr([one(_WORDS) for _ in range(r.randrange(4))])
    if named("repr") or name in {"self", "obj", "conn", "request", "response", "task", "future"}:
        return f"<{one(_CLASSES)} object at 0x7f{r.getrandbits(40):010x}>"
    if named("type", "class", "cls"):
        return one(_CLASSES)
    if named("version"):
        return f"{r.randrange(5)}.{r.randrange(20)}.{r.randrange(9)}"
    return r.choice(("True", "False")) if named("is_", "bool", "enabled", "flag") else one(_WORDS)
