"""What the commands of `lab` do alike: reading with errors told, rows written as CSV, findings as sentences."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from pathlib import Path

    from forewarn.app.lab.detect import Found, Judged
    from forewarn.app.lab.series_csv import Row
    from forewarn.cli.progress import Progress

Result = TypeVar("Result")


def done(work: Callable[[], Result]) -> Result | None:
    """What `work` gives; None when a file or a rule can't be used, which is then told on stderr."""
    import sys

    from forewarn.model.errors import ForewarnError

    try:
        return work()
    except ForewarnError as error:
        print(error, file=sys.stderr)
    except OSError as error:
        print(f"{error.filename}: {error.strerror or error}" if error.filename else error, file=sys.stderr)
    return None


def walked(
    file: str, walk: Callable[[Sequence[Row], Progress], tuple[list[Judged], list[Found]]]
) -> tuple[list[Judged], list[Found]]:
    """What a rule says of the rows of a CSV file, with a bar. Raises ForewarnError and OSError."""
    from pathlib import Path

    from forewarn.app.lab.series_csv import read
    from forewarn.cli.progress import Progress

    rows = read(Path(file))
    with Progress(file, len(rows)) as bar:
        return walk(rows, bar)


def write(path: Path, head: Sequence[str], rows: Iterable[Sequence[str]]) -> None:
    """A CSV file. Raises OSError."""
    import csv

    with path.open("w", newline="", encoding="utf-8") as file:
        out = csv.writer(file)
        out.writerow(head)
        out.writerows(rows)


def why(one: Found, language: str, at_s: float) -> str:
    """The sentence that a finding began with, as it reads at `at_s`; times in UTC, as in the file."""
    from datetime import UTC, datetime

    from forewarn.cli.words import phrases
    from forewarn.core.tell.words import render

    return render(one.why, phrases(language), UTC, datetime.fromtimestamp(at_s, UTC))


def item(one: Found, language: str) -> dict[str, object]:
    """A finding for machines."""
    return {
        "id": f"F-{one.number}", "from": one.first.text, "until": one.last.text, "why": why(one, language, one.last.at_s)
    }  # fmt: skip
