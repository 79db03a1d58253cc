"""template_total: a series for each kind of line, bounded, over restarts; and rules that see what is new."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from probing import probe

from forewarn.core.detect.new_term import NewTermOptions
from forewarn.model.inputs import Moved
from forewarn.model.probe import Rule, Source
from forewarn.model.series import ProbeRun
from forewarn.probers.log import LogOptions
from forewarn.probers.log_following import Following
from forewarn.probers.log_lines import LineCounter
from forewarn.probers.log_templates import BURST, FILES, RATE, TemplateCounts
from forewarn.runtime.watch import Watch

START = datetime(2026, 11, 23, 10, tzinfo=UTC)
USERS = ["anna", "bert", "carl", "dora"]


class Log:
    """A real file and its follower; what is told of templates, by label."""

    def __init__(self, path: Path, **options: Any) -> None:
        self.path, self.options = path, options
        self.now = START
        self.cursor: Any = None
        path.touch()
        self.follow()

    def follow(self) -> None:
        """Also after a stop: what is known then is what the cursor holds, as JSON."""
        cursor = json.loads(json.dumps(self.cursor)) if self.cursor else None
        self.probe = probe("log", files=[str(self.path)], templates=True, **self.options)
        self.following = Following(self.probe, "beginning", cursor, None)

    def write(self, *lines: str) -> Sequence[ProbeRun]:
        with self.path.open("a", encoding="utf-8") as file:
            file.writelines(f"{line}\n" for line in lines)
        while self.following.step(None) == 0.0:
            pass
        self.now += timedelta(seconds=10)
        runs = self.following.runs(self.now.timestamp())
        self.cursor = runs[-1].cursor or self.cursor
        return runs

    def counts(self, *lines: str) -> dict[str, float]:
        run = self.write(*lines)[-1]
        pairs = zip(run.columns, run.values, strict=True)
        return {dict(labels)["template"]: value for (metric, labels), value in pairs if metric == "template_total"}


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path / "app.log")


def test_lines_are_counted_by_what_they_say(log: Log) -> None:
    told = log.counts("Nov 23 10:00:00 web1 sshd[7]: port 22 open", "Nov 23 10:00:09 web1 sshd[9]: port 80 open", "other words")
    assert told == {"port <*> open": 2}  # the last line has no time: it belongs to the one before it


def test_a_template_that_widens_keeps_its_series(log: Log) -> None:
    assert log.counts("user anna in", "user bert in") == {"user anna in": 1, "user bert in": 1}
    assert log.counts("user carl in", "user dora in") == {"user anna in": 3, "user bert in": 1}
    assert log.counts("user emil in") == {"user anna in": 4, "user bert in": 1}


def test_a_stop_forgets_neither_counts_nor_what_varies(log: Log) -> None:
    log.counts(*(f"user {name} in" for name in USERS), "moved to x 5")
    log.following.close()
    log.follow()
    told = log.counts("user fritz in", "moved to x 77")
    assert "user fritz in" not in told
    assert told["moved to x <*>"] == 2
    assert sum(told.values()) == 7


def test_beyond_the_bound_lines_are_other(tmp_path: Path) -> None:
    log = Log(tmp_path / "app.log", max_labels=3)
    told = log.counts(*(f"{name} has {name} of {name}" for name in [*USERS, "emil", "fritz"]))
    assert len(told) == 4
    assert told["other"] == 3


def test_a_stack_trace_counts_once(log: Log) -> None:
    told = log.counts(
        "2026-11-23 10:00:00,123 ERROR [main] shop.Cart: order 17 failed",
        "java.lang.IllegalStateException: none",
        "    at shop.Cart.add(Cart.java:12)",
    )
    assert told == {"order <*> failed": 1}


def test_files_do_not_fold_into_each_other() -> None:
    counts = TemplateCounts(10)
    now, _ = counts.of(["Nov 23 10:00:00 web1 sshd[7]: opened"], 1, 0.0)
    more, _ = counts.of(["plain words"], 2, 0.0)
    assert now.total() == more.total() == 1


def test_many_files_are_bounded() -> None:
    counts = TemplateCounts(10)
    for file in range(3 * FILES):
        counts.of([f"line of {file}"], file, 0.0)
    assert counts.of(["line of 1"], 1, 0.0)[0].total() == 1


def test_a_flood_is_counted_and_not_looked_at() -> None:
    counts = TemplateCounts(10)
    first, _ = counts.of(["a b c"] * (BURST + 10), 1, 0.0)
    assert {dict(labels)["template"]: count for (_, labels), count in first.items()} == {"a b c": BURST, "other": 10}
    later, _ = counts.of(["a b c"] * (RATE + 1), 1, 1.0)
    assert {dict(labels)["template"]: count for (_, labels), count in later.items()} == {"a b c": RATE, "other": 1}


def test_what_was_long_ago_is_told_at_its_time() -> None:
    now, past = TemplateCounts(10).of(["a 1", "b", "a 2"], 1, 0.0, lambda line: 500.0 if line.startswith(b"a") else None)
    assert now.total() == 1
    assert {at_s: counts.total() for at_s, counts in past.items()} == {500.0: 2}


def test_scenarios_and_history_count_alike() -> None:
    asked = probe("log", files=["/var/log/a.log"], templates=True)
    run = LineCounter(asked.options).run(asked, ["served 5 requests", "failed\n    at a.B.c(B.java:1)", "served 7 requests"], 0.0)  # type: ignore[arg-type]
    told = {dict(labels).get("template"): value for (_, labels), value in zip(run.columns, run.values, strict=True)}
    assert told == {None: 3, "served <*> requests": 2, "failed": 1}


def test_secrets_are_no_labels(log: Log) -> None:
    assert not any("hunter" in label for label in log.counts("login with password=hunterhunter ok"))


def test_a_rule_sees_a_kind_of_line_that_never_came(log: Log) -> None:
    rule = Rule(
        name="new", kind="new-term", metric="template_total", options=NewTermOptions(learn_s=60.0, clear_after_s=300.0),
        source=Source("p.yaml", 1),
    )  # fmt: skip
    watch = Watch(probe_with(log, rule))
    moves: list[Moved] = []
    for at in range(20):
        for run in log.write(f"served {at} requests", *(["disk sda is failing"] if at == 15 else [])):
            moves += [one for one in watch.take(run, log.now) if isinstance(one, Moved)]
    assert [(move.rule, dict(move.series.labels)["template"]) for move in moves if move.claim.state == "firing"] == [
        ("new", "disk sda is failing")
    ]


def probe_with(log: Log, rule: Rule) -> Any:
    return replace(log.probe, rules=(rule,))


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({}, "nothing would be counted; write patterns, or templates: true"),
        ({"templates": True, "patterns": {"template": "x"}}, "templates: true counts in template_total"),
    ],
)
def test_what_cannot_be_is_told(options: dict[str, Any], wrong: str) -> None:
    with pytest.raises(ValueError, match=wrong):
        LogOptions.model_validate({"files": "/var/log/a.log", **options})
