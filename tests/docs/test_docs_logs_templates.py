"""docs/logs-templates.md: its commands run on a log, its probe loads, and its numbers are those of the code."""

from __future__ import annotations

import re
import shlex
from datetime import UTC, datetime
from pathlib import Path

import pytest

from forewarn.cli.main import main
from forewarn.config.load import load
from forewarn.core.detect.templates import merge
from forewarn.probers import PROBERS, log_templates

PAGE = (Path(__file__).parents[2] / "docs" / "logs-templates.md").read_text("utf-8")
COMMANDS = re.findall(r"^(forewarn lab logs [^#\n]*?) +#", PAGE, re.MULTILINE)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_command_runs(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    lines = "".join(f"2026-11-23 09:{at:02d}:00 INFO shop.Cart: order {at} done\n" for at in range(60))
    lines += "".join(f"2026-11-23 10:{at:02d}:00 ERROR shop.Cart: disk {at} failed\n" for at in range(60))
    for name in ("app.log", "messages.txt"):
        Path(name).write_text(lines)
    given = [one if "*" not in one else "app.log" for one in shlex.split(command) if not one.endswith(".gz")]
    assert main(given[1:]) == 0


def test_its_probe_loads(tmp_path: Path) -> None:
    for folder in ("config", "probes"):
        (tmp_path / folder).mkdir()
    (text,) = re.findall(r"```yaml\n(probe: .*?)```", PAGE, re.DOTALL)
    (tmp_path / "probes" / "example.yaml").write_text(text, "utf-8")
    (probe,) = load(tmp_path, PROBERS, datetime.now(UTC), {}).probes.values()
    assert {"new-kind", "many-more", "gone"} <= {rule.name for rule in probe.rules}


def test_its_numbers_are_those_of_the_code() -> None:
    assert f"{merge.AFTER_THING} after *user*" in PAGE
    assert f"{merge.AFTER_SIGN} after `=`" in PAGE
    assert f"{merge.AFTER_PREPOSITION} after *from*" in PAGE
    assert f"{merge.ELSEWHERE} elsewhere" in PAGE
    assert f"{merge.FIRST} at the beginning" in PAGE
    assert f"At most {log_templates.RATE:,} lines a second" in PAGE
    assert f"({log_templates.LABEL_LENGTH} characters" in PAGE
