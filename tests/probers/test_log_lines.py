"""Counting lines, without files."""

from __future__ import annotations

import pytest
from probing import probe
from pydantic import ValidationError

from forewarn.model.series import ProbeRun
from forewarn.probers.log import LogOptions
from forewarn.probers.log_lines import LineCounter, compiled, match_lines
from forewarn.probers.log_tally import Tally


def log(**options: object):
    return probe("log", files="/var/log/x", **options)


def told(run: ProbeRun) -> dict[str, float]:
    return {
        metric + "".join(f"|{name}={value}" for name, value in labels): value
        for (metric, labels), value in zip(run.columns, run.values, strict=True)
    }


def test_counters_grow_and_labels_are_born_with_nought() -> None:
    one = log(patterns={"errors": "ERROR tenant=(?P<tenant>\\S+)", "warnings": "WARN"})
    counter = LineCounter(one.options)
    born, run = counter.runs(one, ["ERROR tenant=a pay refused"] * 40 + ["WARN x", "fine"], 100.0)
    assert told(born) == {"lines_total": 0, "warnings_total": 0, "errors_total|tenant=a": 0}
    assert told(run) == {"lines_total": 42, "warnings_total": 1, "errors_total|tenant=a": 40}
    assert born.at_s < run.at_s == 100.0
    assert run.lines == ("ERROR tenant=a pay refused",) * 5
    (again,) = counter.runs(one, ["ERROR tenant=a"], 110.0)
    assert told(again)["errors_total|tenant=a"] == 41 and again.columns == run.columns
    assert told(counter.run(one, ["ERROR tenant=b"], 120.0))["errors_total|tenant=b"] == 1


def test_too_many_labels_are_counted_as_other() -> None:
    one = log(patterns={"hits": "id=(?P<id>\\w+)"}, max_labels=3)
    counter = LineCounter(one.options)
    run = counter.run(one, [f"id=n{number}" for number in range(10)], 1.0)
    assert told(run) == {
        "lines_total": 10,
        "hits_total|id=n0": 1,
        "hits_total|id=n1": 1,
        "hits_total|id=n2": 1,
        "hits_total|id=other": 7,
    }
    assert told(counter.run(one, ["id=n1", "id=n9"], 2.0))["hits_total|id=n1"] == 2


def test_unless_takes_back_and_a_line_counts_once_a_pattern() -> None:
    one = log(patterns={"errors": {"match": "(?i)error", "unless": "(?i)no errors?"}, "all": "r"})
    run = LineCounter(one.options).run(one, ["error error", "No error", "ok"], 1.0)
    assert told(run) == {"lines_total": 3, "errors_total": 1, "all_total": 2}


def test_counters_go_on_from_what_was_stored() -> None:
    options = log(patterns={"errors": "E (?P<a>\\w)(?P<b>\\w)?", "gone": "x"}).options
    tally, found = Tally(options), match_lines(compiled(options), ["E pq", "E p", "x"])
    tally.add(found.lines, found.counts)
    fewer = log(patterns={"errors": "E (?P<a>\\w)(?P<b>\\w)?"}).options
    again = Tally(fewer, tally.stored()).counts()
    assert dict(zip(again.columns, again.values, strict=True)) == {
        ("lines_total", ()): 3,
        ("errors_total", (("a", "p"), ("b", "q"))): 1,
        ("errors_total", (("a", "p"), ("b", ""))): 1,
    }, "what no pattern counts any more is forgotten"
    other = log(patterns={"errors": "E (?P<a>\\w)"}).options
    assert Tally(other, tally.stored()).counts().columns == (("lines_total", ()),), "other labels are another series"


def test_examples_are_cut_and_masked() -> None:
    options = log(patterns={"e": "ERR"}).options
    found = match_lines(compiled(options), ["ERR password=hunter2 " + "x" * 3000, "ERR \ufffd\x00 binary"])
    assert len(found.examples[0]) == 500 and "hunter2" not in found.examples[0]
    assert found.counts[("e_total", ())] == 2


def test_a_backtracking_pattern_and_a_long_line_take_no_time() -> None:
    options = log(patterns={"bad": "(x+x+)+y"}).options
    assert not match_lines(compiled(options), ["x" * 1024**2]).matched


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            {"patterns": {"a": "(?!x)y"}},
            "look-around is not taken, since it can't be matched in bounded time; match the wanted text",
        ),
        ({"patterns": {"a": "(?<=x)y"}}, "look-around is not taken"),
        ({"patterns": {"a": "(a)\\1"}}, "back-references are not taken"),
        ({"patterns": {"a": "(?P<n>a)(?P=n)"}}, "back-references are not taken"),
        ({"patterns": {"a": "a++"}}, "possessive repeats are not taken"),
        ({"patterns": {"a": "(?>a)"}}, "atomic groups"),
        ({"patterns": {"a": "a\\Z"}}, "write \\z"),
        ({"patterns": {"a": "("}}, '"(" is not a pattern: missing )'),
        ({"patterns": {"a": "x{1000}{1000}"}}, "is not a pattern"),
        ({"patterns": {"a": "x" * 3000}}, "the pattern has 3000 characters"),
        ({"patterns": {"A-b": "x"}}, "can't name a pattern"),
        ({"patterns": {"lines": "x"}}, "would count as lines_total"),
        ({"patterns": {"e": "x", "e_total": "y"}}, "would count into one series"),
        ({"patterns": {"a": {"match": "x", "unless": "(?=y)"}}}, "look-around"),
        ({"patterns": {}}, "nothing would be counted"),
        ({"patterns": {"a": "x"}, "files": ["log.txt"]}, '"log.txt" is not an absolute path; write e.g. /var/log/log.txt'),
        ({"patterns": {"a": "x"}, "files": ["/var/**/x"]}, "** is not taken"),
        ({"patterns": {"a": "x"}, "files": []}, "at least 1"),
        ({"patterns": {"a": "x"}, "start": "middle"}, "'end' or 'beginning'"),
    ],
)
def test_options_that_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        LogOptions.model_validate({"files": "/var/log/x", **options})
    assert said in str(caught.value)


@pytest.mark.parametrize("good", ["a\\\\1", "[(?=]", "\\(\\?=", "(?P<n>x)\\d+", "(?i)x", "\\b(?:a|b)\\b"])
def test_patterns_that_only_look_refused(good: str) -> None:
    LogOptions.model_validate({"files": "/x", "patterns": {"a": good}})
