"""Write what really follows behind each line of the stories in tests/scenarios; then review the diff.

usage: python scripts/regenerate_stories.py tests/scenarios/*.txt
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from forewarn.app import stage
from forewarn.app.effects import OPTIONAL, Effect
from forewarn.app.scenario import parse
from forewarn.config.load import load
from forewarn.probers import PROBERS

ROOT = Path(__file__).parents[1]


def regenerate(path: Path) -> None:
    story, seen = parse(path), []

    def record(claimed: object, more: bool, effects: list[Effect]) -> None:
        named = [effect for effect in claimed or () if str(effect).split()[0] in OPTIONAL]  # type: ignore[attr-defined]
        kept = [" ".join(effect) for effect in effects if effect[0] not in OPTIONAL]
        seen.append("; ".join([*map(str, named), *kept]) or "nothing")

    stage.differences = record  # type: ignore[assignment]
    stage.Stage(story, lambda folder, now: load(folder, PROBERS, now), ROOT).play(story)
    lines = path.read_text(encoding="utf-8").splitlines()
    for line, effects in zip(story.lines, seen, strict=True):
        given = re.split(r"\s+->\s|\s+\.\.\.$", lines[line.number - 1])[0]
        lines[line.number - 1] = f"{given} -> {effects}"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    for name in sys.argv[1:]:
        regenerate(Path(name))
        print(name)
