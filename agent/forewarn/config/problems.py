"""How everything that is wrong in a set of files is gathered, so that people get all of it at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import ParamSpec, TypeVar

from forewarn.config.files import Document, Path, path_text
from forewarn.model.errors import Problem

P = ParamSpec("P")
T = TypeVar("T")
LONGEST = 400  # characters of one sentence


class Wrong(ValueError):
    """A value that can't be read: what is wrong with it, and what would be right."""

    def __init__(self, what: str, right: str | None = None) -> None:
        super().__init__(f"{what}; {right}" if right else what)
        self.what = what
        self.right = right


class Problems:
    """Collects; nothing stops at the first. `incomplete` names the kinds of thing (probe, service ...) of which a file
    could not be read: a name that is missing there is not reported as unknown elsewhere."""

    def __init__(self) -> None:
        self._found: dict[Problem, None] = {}
        self._missing: set[Problem] = set()
        self.incomplete: set[str] = set()

    def unread(self, *kinds: str) -> bool:
        """Whether of these kinds of thing something could not be read, a whole file or one of them."""
        return any(one.startswith(tuple(f"{kind} " for kind in kinds)) or one in kinds for one in self.incomplete)

    def __len__(self) -> int:
        return len(self._found)

    def all(self) -> tuple[Problem, ...]:
        """Each once, in the order of files and lines. What is wrong with a value that is missing goes unsaid: that it is
        missing has been said."""
        places = {_place(problem) for problem in self._missing}
        told = (problem for problem in self._found if problem in self._missing or _place(problem) not in places)
        return tuple(sorted(told, key=lambda problem: (problem.file, problem.line)))

    def put(self, problem: Problem) -> None:
        self._found[problem] = None

    def add(self, doc: Document, path: Path, what: str, right: str | None = None) -> None:
        self.put(_problem(doc, path, what, right))

    def missing(self, doc: Document, path: Path, what: str, right: str) -> None:
        """The value at `path` could not be had, so nothing else about it is worth saying."""
        problem = _problem(doc, path, what, right)
        self._missing.add(problem)
        self.put(problem)

    def reading(self, doc: Document, path: Path, read: Callable[P, T], *args: P.args, **named: P.kwargs) -> T | None:
        """What `read` answers; None, and one problem more, when it raises Wrong."""
        try:
            return read(*args, **named)
        except Wrong as wrong:
            self.add(doc, path, wrong.what, wrong.right)
            return None


def _problem(doc: Document, path: Path, what: str, right: str | None) -> Problem:
    at = doc.at(path)
    return Problem(at.file, at.line, path_text(path), _short(doc.masked(what)), doc.masked(right) if right else None)


def _place(problem: Problem) -> tuple[str, int, str]:
    return problem.file, problem.line, problem.path


def _short(text: str) -> str:
    """A sentence that somebody's long value is part of."""
    return text if len(text) <= LONGEST else f"{text[: LONGEST // 2]} ... {text[-LONGEST // 2 :]}"


def suggestion(word: str, known: Iterable[str], most: int = 8, near: float = 0.6) -> str | None:
    """`did you mean payments?`, else what there is, else None when there is nothing."""
    names = sorted(set(known))
    close = get_close_matches(word, names, 1, near) or [name for name in names if name.lower() == word.lower()]
    if close:
        return f"did you mean {close[0]}?"
    if not names:
        return None
    return f"known: {', '.join(names[:most])}" + (f" and {len(names) - most} more" if len(names) > most else "")
