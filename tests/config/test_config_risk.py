"""A risk in a probe of disks, as people write it, right and wrong."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from forewarn.config.load import load
from forewarn.core.detect.risk import RiskOptions
from forewarn.model.errors import ForewarnError
from forewarn.model.probe import Rule
from forewarn.probers import PROBERS


def rule_of(folder: Path, written: str) -> Rule:
    (folder / "probes").mkdir()
    (folder / "probes/a.yaml").write_text(f"probe: a\nkind: smart\nrules:\n  - {written}\n")
    return load(folder, PROBERS, datetime.now(UTC), {}).probes["a"].rules[-1]


@pytest.mark.parametrize(
    ("written", "options"),
    [
        ("{name: x, risk: {}}", RiskOptions(above=0.05, within_s=30 * 86400.0)),
        ("{name: x, risk: {above: 25%, within: 90d}}", RiskOptions(above=0.25, within_s=90 * 86400.0)),
    ],
)
def test_a_risk(tmp_path: Path, written: str, options: RiskOptions) -> None:
    rule = rule_of(tmp_path, written)
    assert (rule.kind, rule.metric, rule.options) == ("risk", "disk_ok", options)


def test_of_some_disks(tmp_path: Path) -> None:
    assert rule_of(tmp_path, """{name: x, risk: {metric: 'disk_ok{serial="WD-*"}'}}""").labels == (("serial", "WD-*"),)


@pytest.mark.parametrize(
    ("written", "says"),
    [
        ("{name: x, risk: {metric: wear_ratio}}", "risk: a risk is that of a disk, and wear_ratio is not; write metric: disk_ok"),
        ("{name: x, risk: {above: 0%}}", "risk: above 0 is out of range; write 1% to 99%"),
        ("{name: x, risk: {within: 2h}}", "risk: within is out of range; write 1d to 365d"),
        ("{name: x, risk: {below: 5%}}", 'risk.below: "below" is not a key here'),
        ("{name: x, risk: {metric: disk_okay}}", '"disk_okay" is not a metric of this probe; did you mean disk_ok?'),
    ],
)
def test_what_is_wrong_is_said(tmp_path: Path, written: str, says: str) -> None:
    with pytest.raises(ForewarnError) as error:
        rule_of(tmp_path, written)
    assert "probes/a.yaml:4 rules[0]" in str(error.value) and says in str(error.value)
