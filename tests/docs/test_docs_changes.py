"""docs/changes.md: its commands are run against a real daemon, its settings are read, its words are all that there are."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from forewarn.config.load import load
from forewarn.model.change import KINDS
from forewarn.probers import PROBERS
from forewarn.web.changed import FIELDS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "changes.md").read_text("utf-8")
COMMANDS = re.findall(r"^\$ (.+)$", PAGE, re.MULTILINE)


def test_every_field_and_word_is_there() -> None:
    assert not [word for word in (*FIELDS, *KINDS) if f"`{word}" not in PAGE and f" {word}" not in PAGE]


def test_the_settings_load(tmp_path: Path) -> None:
    (block,) = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "forewarn.yaml").write_text(block, "utf-8")
    assert load(tmp_path, PROBERS, datetime.now(UTC), {}).daemon.changes.folders == ("/etc", "/opt/shop/config")


@pytest.fixture
def daemon(tmp_path: Path) -> Iterator[tuple[Path, int]]:
    """A daemon that watches itself only; answers its folder and port."""
    for name, text in {
        "config/forewarn.yaml": "daemon: {changes: {find: false}}\n",
        "config/services.yaml": "services: {forewarn: {criticality: supporting}}\n",
        "config/oncall.yaml": "people: {}\nescalations: {}\n",
        "probes/own.yaml": "probe: own-health\nkind: self\nservice: forewarn\n",
    }.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    argv = [sys.executable, "-m", "forewarn.cli.main", "--config", str(tmp_path), "--state", str(tmp_path / "var")]
    with (tmp_path / "log").open("w") as log:
        running = subprocess.Popen([*argv, "run", "--port", "0"], stdout=log, stderr=log)
        try:
            for _ in range(600):
                said = (tmp_path / "log").read_text()
                if found := re.search(r"http://127\.0\.0\.1:(\d+)/", said):
                    break
                assert running.poll() is None, said
                time.sleep(0.05)
            assert found, said
            yield tmp_path, int(found[1])
        finally:
            running.terminate()
            running.wait(20)


def test_the_commands_do_what_they_show(daemon: tuple[Path, int]) -> None:
    folder, port = daemon
    environ = {**os.environ, "FOREWARN_STATE": str(folder / "var"), "FOREWARN_WHO": "on-call-1", "LANG": "C"}
    environ["PATH"] = f"{Path(sys.executable).parent}:{environ['PATH']}"
    said = [
        subprocess.run(
            ["sh", "-c", command.replace("8420", str(port))], cwd=folder, env=environ, capture_output=True, text=True, timeout=60
        )
        for command in COMMANDS
    ]
    assert [one.returncode for one in said] == [0] * len(COMMANDS), [one.stderr for one in said]
    assert said[0].stdout.strip() == '{"id":"C-1"}' and said[1].stdout == "Kept as C-2.\n"
    shown = [re.sub(r"  \S*\d\d:\d\d\S*(?: \S+)?  ", "  TIME  ", line.strip()) for line in said[2].stdout.splitlines()]
    wanted = [re.sub(r"  14:31  ", "  TIME  ", line) for line in re.findall(r"^C-\d.*$", PAGE, re.MULTILINE)]
    assert shown == wanted
