"""Every story of this folder, played on a simulated clock with the daemon's own parts."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from forewarn.app.scenario import parse
from forewarn.app.stage import Stage
from forewarn.config.load import load
from forewarn.model.settings import Settings
from forewarn.probers import PROBERS

ROOT = Path(__file__).parents[2]
STORIES = sorted(Path(__file__).parent.glob("*.txt"))


def loaded(folder: Path, now: datetime) -> Settings:
    return load(folder, PROBERS, now)


@pytest.mark.parametrize("path", STORIES, ids=[path.stem for path in STORIES])
def test_story(path: Path) -> None:
    story = parse(path)
    failures = Stage(story, loaded, ROOT).play(story)
    assert not failures, "\n" + "\n".join(f"{path.name}:{failure.line}: {failure.why}" for failure in failures)


def test_there_are_at_least_twelve_stories() -> None:
    assert len(STORIES) >= 12
