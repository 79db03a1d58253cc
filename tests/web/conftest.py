from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from web_stage import ENTRIES, Stage, stage, story, views


@pytest.fixture
def bare(tmp_path: Path) -> Iterator[Stage]:
    """Nothing is watched, nothing has happened, no customers."""
    with stage(tmp_path) as it:
        yield it


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Stage]:
    """The story of web_stage, without customers: pages are readable without a cookie."""
    with stage(tmp_path) as it:
        it.stats.shown = views()
        it.keep(*story(), entries=ENTRIES)
        yield it


@pytest.fixture
def locked(tmp_path: Path) -> Iterator[Stage]:
    """The same with customers."""
    with stage(tmp_path, customers=True) as it:
        it.stats.shown = views()
        it.keep(*story(), entries=ENTRIES)
        yield it
