"""Every example of docs/elasticsearch.md and of config/examples loads, and every rule type of ElastAlert has one that is played."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from forewarn.config.find import shipped
from forewarn.config.load import load
from forewarn.probers import PROBERS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "elasticsearch.md").read_text("utf-8")
BLOCKS = re.findall(r"```yaml\n(probe: .*?)```", PAGE, re.DOTALL)
PLAYED = (ROOT / "tests" / "probers" / "test_elastic_real.py").read_text("utf-8")
EXAMPLES = sorted((shipped() / "config" / "examples" / "probes").glob("*.yaml"))
TYPES = (
    "any", "frequency", "spike", "flatline", "change", "new_term", "cardinality", "percentage_match", "metric_aggregation",
    "spike_aggregation", "blacklist", "whitelist",
)  # fmt: skip


@pytest.mark.parametrize("text", [*BLOCKS, *(path.read_text("utf-8") for path in EXAMPLES)])
def test_an_example_loads(text: str, tmp_path: Path) -> None:
    for folder in ("config", "probes"):
        (tmp_path / folder).mkdir()
    for secret in ("es-key", "es-ca.pem"):
        (tmp_path / "config" / secret).write_text("x\n")
    (tmp_path / "probes" / "example.yaml").write_text(text, "utf-8")
    (probe,) = load(tmp_path, PROBERS, datetime.now(UTC), {}).probes.values()
    assert probe.kind == "elasticsearch"


@pytest.mark.parametrize("text", BLOCKS)
def test_an_example_is_played_on_a_real_server(text: str) -> None:
    name = text.split("\n", 1)[0].removeprefix("probe: ")
    assert f'case.story("{name}"' in PLAYED


def test_every_rule_type_of_elastalert_has_its_section() -> None:
    titles = ", ".join(re.findall(r"^### (.*)$", PAGE, re.MULTILINE))
    assert [one for one in TYPES if one not in titles] == []
