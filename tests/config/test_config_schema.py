"""The shipped JSON Schemas are those of the models."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from forewarn.config.find import shipped
from forewarn.config.probes import COMMON
from forewarn.config.rules import KINDS as RULE_KINDS
from forewarn.config.schema import DRAFT, schemas, text_of, write
from forewarn.probers import PROBERS

SCHEMAS = shipped() / "config" / "schemas"
FILES = sorted(
    path
    for part in ("config", "probes", "playbooks")
    for path in (shipped() / part).rglob("*.yaml")
    if "phrases" not in path.parts and "schemas" not in path.parts and not path.name.startswith("my-")
)
"""A reader of the README has written `probes/my-shop.yaml` here."""


@pytest.mark.parametrize("name", sorted(schemas(PROBERS)))
def test_the_shipped_schema_is_current(name: str) -> None:
    again = 'python -c "from pathlib import Path; from forewarn.config import schema; from forewarn.probers import PROBERS; '
    again += "schema.write(Path('config/schemas'), PROBERS)\""
    assert (SCHEMAS / f"{name}.json").read_text("utf-8") == text_of(schemas(PROBERS)[name]), f"write them again: {again}"


def test_nothing_else_is_shipped_there() -> None:
    assert {path.stem for path in SCHEMAS.glob("*.json")} == set(schemas(PROBERS))


def test_draft_07_and_every_reference_leads_somewhere() -> None:
    for name, schema in schemas(PROBERS).items():
        text = json.dumps(schema)
        assert schema["$schema"] == DRAFT
        assert "$defs" not in text
        assert "prefixItems" not in text
        for reference in re.findall(r'"\$ref": "#/definitions/([^"]+)"', text):
            assert reference in schema["definitions"], f"{name}: {reference}"


def test_the_probe_schema_knows_every_kind_and_its_keys() -> None:
    probe = schemas(PROBERS)["probe"]["definitions"]["Probe"]
    assert probe["properties"]["kind"]["enum"] == sorted(PROBERS)
    assert set(COMMON) == set(probe["properties"])
    branches = {branch["if"]["properties"]["kind"]["const"]: branch["then"] for branch in probe["allOf"]}
    assert branches["http"]["additionalProperties"] is False
    assert {"expect", "values", "rules", "every"} <= set(branches["http"]["properties"])
    assert set(branches["log"]["required"]) == {"files"}
    assert set(RULE_KINDS) < set(schemas(PROBERS)["probe"]["definitions"]["Rule"]["properties"])


def test_writing_twice_changes_nothing(tmp_path: Path) -> None:
    assert len(write(tmp_path / "new", PROBERS)) == len(schemas(PROBERS))
    assert write(tmp_path / "new", PROBERS) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(shipped())))
def test_every_shipped_file_names_its_schema_in_its_first_line(path: Path) -> None:
    found = re.fullmatch(r"# yaml-language-server: \$schema=(\S+)", path.read_text("utf-8").split("\n", 1)[0])
    assert found
    assert (path.parent / found[1]).resolve().parent == SCHEMAS.resolve()
    assert (path.parent / found[1]).is_file()
