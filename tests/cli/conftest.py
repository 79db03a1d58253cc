from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[1] / "web"))

from web_stage import ENTRIES, TOKEN, Stage, stage, story, views


@dataclass
class Ran:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


Forewarn = Callable[..., Ran]


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir()
    return folder


@pytest.fixture
def forewarn(state: Path) -> Forewarn:
    """Runs the command in a process of its own, with this test's state folder."""

    def run(*args: str, stdin: str = "", **environ: str) -> Ran:
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("FOREWARN", "LC_", "LANG"))}
        given = {**clean, "FOREWARN_STATE": str(state), "PYTHONWARNINGS": "error", **environ}
        done = subprocess.run(
            [sys.executable, "-m", "forewarn.cli.main", *args],
            capture_output=True,
            text=True,
            input=stdin,
            env=given,
            timeout=30,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)

    return run


@pytest.fixture
def daemon(state: Path) -> Iterator[Stage]:
    """A server with the story of web_stage, announced in the state folder as a daemon would."""
    with stage(state, customers=True) as it:
        it.stats.shown = views()
        it.keep(*story(), entries=ENTRIES)
        (state / "token").write_text(TOKEN + "\n")
        (state / "daemon.json").write_text(json.dumps({"host": "127.0.0.1", "port": it.port, "pid": os.getpid()}))
        yield it
