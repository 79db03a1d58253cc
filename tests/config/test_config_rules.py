"""Both forms of rules, and what comes of them."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from config_folder import settings_of

from forewarn.core.detect.absence import AbsenceOptions
from forewarn.core.detect.forecast import ForecastOptions
from forewarn.core.detect.pattern import PatternOptions
from forewarn.core.detect.slo import FAST, SLOW, SloOptions
from forewarn.core.detect.threshold import ThresholdOptions
from forewarn.model.due import Calendar, Weekly
from forewarn.model.level import Colour, Effect, Mode
from forewarn.model.probe import Rule
from forewarn.model.series import Bound

WEB = "probe: a\nkind: http\ntargets: [http://127.0.0.1/]\nvalues: {orders_per_min: $.orders}\n"
LOG = "probe: a\nkind: log\nfiles: [/var/log/x]\npatterns: {errors: ERROR, oom_total: OOM}\n"
HOST = "probe: a\nkind: host\n"


def rule_of(folder: Path, probe: str, written: str) -> Rule:
    settings = settings_of(folder, {"probes/a.yaml": f"{probe}rules:\n  - {written}\n"})
    return settings.probes["a"].rules[-1]


SHORT = [
    (WEB, "total_s > 500ms for 1m", "total_s", ThresholdOptions(op=">", limit=0.5, for_s=60)),
    (WEB, "total_s>=1.5s", "total_s", ThresholdOptions(op=">=", limit=1.5)),
    (WEB, "orders_per_min < 10 for 5m", "orders_per_min", ThresholdOptions(op="<", limit=10, for_s=300)),
    (WEB, "status != 200", "status", ThresholdOptions(op="!=", limit=200)),
    (WEB, "size_bytes > 10 MB for 10s", "size_bytes", ThresholdOptions(op=">", limit=1e7, for_s=10)),
    (WEB, "up == 0 for 1m", "up", ThresholdOptions(op="==", limit=0, for_s=60)),
    (HOST, "cpu_used_ratio > 90% for 5m", "cpu_used_ratio", ThresholdOptions(op=">", limit=0.9, for_s=300)),
    (HOST, "temp_celsius >= 90C", "temp_celsius", ThresholdOptions(op=">=", limit=90)),
    (LOG, "oom_total > 0", "oom_total", ThresholdOptions(op=">", limit=0)),
]


@pytest.mark.parametrize(("probe", "written", "name", "options"), SHORT)
def test_short_form(probe: str, written: str, name: str, options: ThresholdOptions, tmp_path: Path) -> None:
    rule = rule_of(tmp_path, probe, f"'{written}'")
    assert (rule.name, rule.kind, rule.metric, rule.options) == (name, "threshold", name, options)
    assert (rule.colour, rule.effect, rule.mode) == (Colour.YELLOW, None, Mode.LIVE)


def test_labels_are_globs_and_may_hold_anything(tmp_path: Path) -> None:
    rule = rule_of(tmp_path, HOST, """'fs_used_ratio{mount="/srv > for } 1m*",fs="ext4"} > 95% for 1m'""")
    assert rule.metric == "fs_used_ratio"
    assert rule.labels == (("fs", "ext4"), ("mount", "/srv > for } 1m*"))
    assert rule.options == ThresholdOptions(op=">", limit=0.95, for_s=60)


MAPS = [
    (
        WEB,
        "{name: slow, threshold: {metric: total_s, stat: p95, window: 5m, above: 500ms, clear_below: 400ms, for: 1m}}",
        ThresholdOptions(op=">", limit=0.5, clear=0.4, stat="p95", window_s=300, for_s=60),
    ),
    (
        WEB,
        "{name: few, threshold: {metric: orders_per_min, below: 5, clear_above: 8}}",
        ThresholdOptions(op="<", limit=5, clear=8),
    ),
    (
        HOST,
        "{name: soon, forecast: {metric: fs_used_ratio, above: 95%, within: 3d, confidence: 90%, window: 1d}}",
        ForecastOptions(above=0.95, within_s=259200, confidence=0.9, window_s=86400),
    ),
    (HOST, "{name: soon, forecast: {metric: fs_used_ratio, below: 5%}}", ForecastOptions(below=0.05)),
    (
        LOG,
        "{name: burst, pattern: {metric: errors_total, more_than: 20, within: 1m, clear_after: 30s}}",
        PatternOptions(more_than=20, within_s=60, clear_after_s=30),
    ),
    (WEB, "{absence: {metric: orders_per_min, for: 10m}}", AbsenceOptions(for_s=600, first_s=600)),
    (LOG, "{absence: {metric: oom_total, for: 26h, first: 1h}}", AbsenceOptions(for_s=93600, first_s=3600, counter=True)),
]


@pytest.mark.parametrize(("probe", "written", "options"), MAPS)
def test_map_form(probe: str, written: str, options: object, tmp_path: Path) -> None:
    assert rule_of(tmp_path, probe, written).options == options


def test_a_rule_keeps_its_words_and_its_place(tmp_path: Path) -> None:
    rule = rule_of(tmp_path, WEB, "{name: slow, threshold: {metric: total_s, above: 1s}, colour: red, effect: slow, mode: shadow}")
    assert (rule.name, rule.colour, rule.effect, rule.mode) == ("slow", Colour.RED, Effect.SLOW, Mode.SHADOW)
    assert str(rule.source) == "probes/a.yaml:6"


def test_an_unnamed_map_is_named_after_its_metric(tmp_path: Path) -> None:
    assert rule_of(tmp_path, HOST, "{forecast: {metric: fs_used_ratio, above: 95%}}").name == "fs_used_ratio"


def test_every_probe_has_the_two_built_in_rules(tmp_path: Path) -> None:
    probe = settings_of(tmp_path, {"probes/a.yaml": HOST + "mode: shadow\n"}).probes["a"]
    down, blind = probe.rules
    assert (down.name, down.kind, down.metric, down.colour, down.options) == ("down", "down", "up", Colour.RED, None)
    assert (blind.name, blind.kind, blind.metric, blind.colour) == ("cannot-see", "cannot-see", "up", Colour.BLUE)
    assert down.builtin
    assert blind.builtin
    assert {rule.mode for rule in probe.rules} == {Mode.SHADOW}


def test_a_kind_that_does_not_say_what_it_measures_takes_every_metric(tmp_path: Path) -> None:
    assert rule_of(tmp_path, "probe: a\nkind: free\n", "queue_length > 100").metric == "queue_length"


PROMISES = [
    ("{name: promise, slo: {objective: 99.5%, window: 30d}}", "up", SloOptions(objective=0.995)),
    (
        "{name: promise, slo: {objective: 99%, metric: total_s, below: 300ms, window: 7d, least: 5}}",
        "total_s",
        SloOptions(objective=0.99, window_s=7 * 86400, bound=Bound(below=0.3), least=5),
    ),
    (
        "{name: promise, slo: {objective: 95%, metric: orders_per_min, above: 10}}",
        "orders_per_min",
        SloOptions(objective=0.95, bound=Bound(above=10)),
    ),
]


@pytest.mark.parametrize(("written", "metric", "options"), PROMISES)
def test_a_promise_is_two_rules(written: str, metric: str, options: SloOptions, tmp_path: Path) -> None:
    settings = settings_of(tmp_path, {"probes/a.yaml": f"{WEB}rules:\n  - {written}\n"})
    pages, task = settings.probes["a"].rules[-2:]
    assert (pages.name, pages.kind, pages.metric, pages.options) == ("promise", "slo", metric, options)
    assert (task.name, task.kind, task.metric, task.options) == (
        "promise-budget",
        "slo-budget",
        metric,
        replace(options, pairs=SLOW),
    )
    assert options.pairs == FAST


@pytest.mark.parametrize(("only", "kind"), [("office", Calendar), ("Mon-Fri 09:00-18:00 Asia/Shanghai", Weekly)])
def test_hours_of_an_absence_are_known_after_loading(only: str, kind: type, tmp_path: Path) -> None:
    rule = rule_of(tmp_path, WEB, f"{{absence: {{metric: orders_per_min, for: 10m, only: {only}}}}}")
    assert isinstance(rule.options, AbsenceOptions) and isinstance(rule.options.hours, kind) and rule.options.only == only
