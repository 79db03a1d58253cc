"""Rules over several series of a probe, fed by lines of a log: counted labels, new labels, rules that agree; over restarts and reloads."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from test_watch import BLIND, DOWN, SOURCE, START, finding, told

from forewarn.core.detect.distinct import CardinalityOptions, ComposeOptions
from forewarn.core.detect.new_term import NewTermOptions
from forewarn.core.detect.pattern import PatternOptions
from forewarn.model.finding import RuleState
from forewarn.model.inputs import Moved
from forewarn.model.probe import Probe, Rule, Target
from forewarn.model.series import Outcome, ProbeRun, SeriesId, Window
from forewarn.probers.log import LogOptions
from forewarn.probers.log_lines import LineCounter
from forewarn.runtime.watch import Watch

PATTERNS = {"logins": r"login (?P<user>\w+) on (?P<host>\w+)", "errors": "ERROR"}


def rule(name: str, kind: str, metric: str, options: object) -> Rule:
    return Rule(name=name, kind=kind, metric=metric, options=options, source=SOURCE)


MANY = rule("many", "cardinality", "logins_total", CardinalityOptions(of=("user",), within_s=600.0, above=2))
NEW = rule("new", "new-term", "logins_total", NewTermOptions(learn_s=60.0, clear_after_s=300.0))
ERRORS = rule("errors", "pattern", "errors_total", PatternOptions(more_than=0, within_s=30.0, clear_after_s=30.0))
BOTH = rule("both", "compose", "up", ComposeOptions(of=("errors", "new"), at_least=2, within_s=60.0))


def probe(*rules: Rule) -> Probe:
    return Probe(
        name="auth", kind="log", every_s=10.0, timeout_s=3.0, targets=(Target("local", "local"),),
        options=LogOptions.model_validate({"files": "/var/log/auth.log", "patterns": PATTERNS}), rules=(*rules, DOWN, BLIND), source=SOURCE,
    )  # fmt: skip


class Log:
    """Lines come; a watch judges; what a store would hold is kept."""

    def __init__(self, *rules: Rule) -> None:
        self.probe = probe(*rules)
        self.watch, self.now = Watch(self.probe), START
        self._counter = LineCounter(self.probe.options)  # type: ignore[arg-type]
        self.samples: dict[SeriesId, list[tuple[float, float]]] = {}
        self.open: dict[tuple[str, str], Moved] = {}

    def lines(self, *lines: str) -> list[str]:
        found: list[str] = []
        for run in self._counter.runs(self.probe, lines, self.now.timestamp()):
            found += self._note(self.watch.take(run, self.now))
            for series, at_s, value in self.watch.samples(run):
                self.samples.setdefault(series, []).append((at_s, value))
        self.now += timedelta(seconds=10)
        return found

    def blind(self) -> list[str]:
        run = ProbeRun("auth", "local", self.now.timestamp(), Outcome.UNKNOWN, reason="permission")
        found = self._note(self.watch.take(run, self.now))
        self.now += timedelta(seconds=10)
        return found

    def tick(self, seconds: float = 0) -> list[str]:
        self.now += timedelta(seconds=seconds)
        return self._note(self.watch.tick(self.now))

    def restart(self, seconds: float = 0) -> None:
        """As the poller does it."""
        self.now += timedelta(seconds=seconds)
        self.watch = Watch(self.probe)
        for series, samples in self.samples.items():
            if self.watch.remembers(series):
                self.watch.began(series, samples[0][0])
        for series, samples in self.samples.items():
            if (span_s := self.watch.history_s(series)) > 0:
                past = [one for one in samples if one[0] >= self.now.timestamp() - span_s]
                self.watch.warm(series, Window.of(past or samples[-1:]))
        self.watch.settle()
        self.watch.resume([finding(moved) for moved in self.open.values()])

    def _note(self, moves: list[Moved]) -> list[str]:
        for moved in moves:
            key = (moved.rule, str(moved.series))
            if moved.claim is None:
                self.open.pop(key, None)
            else:
                self.open[key] = moved
        names = [",".join(value for _, value in moved.series.labels) for moved in moves]
        return [" ".join(filter(None, pair)) for pair in zip(told(moves), names, strict=True)]


def test_values_of_a_label_are_counted_for_each_set_of_the_others():
    log = Log(MANY)
    assert log.lines("login a on web", "login b on web", "login a on db", "login a on db") == []
    assert log.lines("login c on web") == ["many may fire web"]
    assert log.lines("login c on db") == ["many fires web"]
    assert log.tick(700) == ["many ends web"]


def test_what_was_counted_outlives_a_restart_and_an_open_claim_ends_by_itself():
    log = Log(MANY)
    log.lines("login a on web", "login b on web")
    log.restart(60)
    assert log.lines("login c on web") == ["many may fire web"]
    log.restart(60)
    assert log.lines("nothing") == ["many fires web"]
    assert log.tick(900) == ["many ends web"]
    assert log.open == {}


def test_looking_at_nothing_ends_nothing_early():
    log = Log(MANY)
    log.lines("login a on web", "login b on web", "login c on web")
    assert [log.blind() for _ in range(4)] == [[]] * 4
    assert len(log.open) == 1


def test_a_new_value_is_told_once_and_known_ones_never():
    log = Log(NEW)
    assert log.lines("login a on web", "login b on web") == []
    assert log.lines("login c on web") == []  # still learning
    log.now += timedelta(seconds=60)
    assert log.lines("login d on web", "login a on web") == ["new fires web,d"]
    log.restart(600)
    assert log.tick() == ["new ends web,d"]
    assert log.lines("login d on web", "login a on web", "login e on web") == ["new fires web,e"]


def test_a_value_that_rested_long_is_not_new_again():
    log = Log(NEW)
    log.lines("login a on web")
    columns = {("logins_total", (("host", "web"), ("user", "a")))}
    for _ in range(100):  # without it in the runs, as where a set of labels made room for others
        run = ProbeRun("auth", "local", log.now.timestamp(), Outcome.UP, (("lines_total", ()),), (1.0,))
        log.watch.take(run, log.now)
        log.tick(10)
    assert columns <= {(series.metric, series.labels) for series in log.samples}
    assert log.lines("login a on web") == []


def test_rules_that_agree():
    log = Log(NEW, ERRORS, BOTH)
    log.lines("login a on web")
    log.now += timedelta(seconds=60)
    assert log.lines("ERROR") == ["errors may fire"]
    assert log.lines("login b on web") == ["errors fires", "new fires web,b", "both may fire"]
    log.restart(5)
    assert ("both", "auth|local|up") in log.open
    assert "both ends" in log.tick(400) + log.tick(70)


def test_a_reload_goes_on_and_what_is_gone_ends_as_unwatched():
    log = Log(MANY, NEW)
    log.lines("login a on web", "login b on web", "login c on web")
    again = Watch(probe(MANY, NEW))
    assert told(again.adopt(log.watch, log.now)) == []
    log.watch = again
    assert log.lines("login a on web") == ["many fires web"]
    assert log.tick(900) == ["many ends web"]
    log.lines(*(f"login {name} on db" for name in "abc"))
    gone = Watch(probe(NEW))
    assert told(gone.adopt(log.watch, log.now)) == ["many gone"]
    other = Watch(probe(replace(MANY, options=replace(MANY.options, above=5)), NEW))
    assert told(other.adopt(log.watch, log.now)) == []  # told as gone above already


def test_a_claim_of_the_ledger_whose_rule_is_gone_ends():
    log = Log(MANY)
    log.lines("login a on web", "login b on web", "login c on web")
    after = Watch(probe(NEW))
    after.resume([finding(moved) for moved in log.open.values()])
    assert told(after.forget_strangers(log.now)) == ["many gone"]


def test_people_see_what_a_rule_over_several_series_says():
    log = Log(MANY)
    log.lines("login a on web", "login b on web")
    rules = [(str(one.series), rule.state) for target in log.watch.view(log.now) for one in target.series for rule in one.rules]
    assert ('auth|local|logins_total{host="web"}', RuleState.OK) in rules


@pytest.mark.parametrize("seconds", [0, 200])
def test_what_is_caught_up_with_is_judged_at_its_own_time(seconds: int):
    """A burst of an hour ago, read now, is over and calls nobody; of a burst of just now that it goes on is told."""
    log = Log(ERRORS)
    log.lines("x")
    counter = LineCounter(log.probe.options)  # type: ignore[arg-type]
    began_s = log.now.timestamp()
    log.now += timedelta(hours=1)
    said = []
    for at, lines in ((seconds + 10, ("ERROR",)), (seconds + 20, ()), (3600, ())):
        for run in counter.runs(log.probe, lines, began_s + at):
            said += told(log.watch.take(run, log.now))
    assert said == []
    for run in counter.runs(log.probe, ("ERROR",), began_s + 3605):
        said += told(log.watch.take(run, log.now))
    assert said == ["errors may fire"]
