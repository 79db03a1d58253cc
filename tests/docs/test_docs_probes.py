"""What docs/writing-probes.md shows works, and nothing that a kind can do is missing from it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from forewarn.config.load import load
from forewarn.config.rules import KINDS
from forewarn.probers import PROBERS

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "writing-probes.md").read_text("utf-8")
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
SERVICES = next(block for block in BLOCKS if re.search(r"^services:", block, re.MULTILINE))
PROBES = [block for block in BLOCKS if re.search(r"^probe:", block, re.MULTILINE)]


@pytest.mark.parametrize("number", range(len(PROBES)))
def test_an_example_loads(number: int, tmp_path: Path) -> None:
    for folder, name, text in (("config", "services.yaml", SERVICES), ("probes", "example.yaml", PROBES[number])):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_text(text, "utf-8")
    assert len(load(tmp_path, PROBERS, datetime.now(UTC), {}).probes) == 1


@pytest.mark.parametrize("kind", PROBERS)
def test_every_option_and_series_of_a_kind_is_there(kind: str) -> None:
    fields = PROBERS[kind].options.model_fields
    wanted = {field.alias or name for name, field in fields.items()} | set(PROBERS[kind].metrics)
    assert not [name for name in sorted(wanted) if not re.search(rf"\b{re.escape(name)}\b", PAGE)]


@pytest.mark.parametrize("kind", KINDS)
def test_every_rule_kind_and_its_settings_are_there(kind: str) -> None:
    fields = KINDS[kind].written.model_fields
    wanted = {kind} | {field.alias or name for name, field in fields.items()}
    assert not [name for name in sorted(wanted) if not re.search(rf"\b{re.escape(name)}\b", PAGE)]


def test_links_between_pages_lead_somewhere() -> None:
    for page in DOCS.rglob("*.md"):
        for link in re.findall(r"\]\(([^)#:]+)\)", page.read_text("utf-8")):
            assert (page.parent / link).exists(), f"{page.name}: {link}"
