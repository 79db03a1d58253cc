"""Lines that belong together, and bytes of other encodings."""

from __future__ import annotations

from pathlib import Path

import pytest
from test_log_files import append

from forewarn.probers.log import LogOptions
from forewarn.probers.log_events import MOST_LINES, Form, indented
from forewarn.probers.log_files import Files

JAVA = "ERROR pay failed\n    at a.B.c(B.java:1)\nCaused by: java.io.IOException: x\n    ... 3 more\n"
PYTHON = 'ERROR pay failed\nTraceback (most recent call last):\n  File "x.py", line 1, in f\n    g()\nValueError: no\n'


class Reading:
    def __init__(self, path: Path, **options: object) -> None:
        self.files = Files(LogOptions.model_validate({"files": str(path), "patterns": {"a": "x"}, **options}), "beginning")

    def step(self, now: float = 0.0) -> list[str]:
        return self.files.step(now).lines


@pytest.mark.parametrize("trace", [JAVA, PYTHON])
def test_a_trace_is_one_event_once_it_is_over(tmp_path: Path, trace: str) -> None:
    log = tmp_path / "x.log"
    log.write_text("before\n" + trace)
    reading = Reading(log, events="indented")
    assert reading.step(10.0) == ["before"], "the last event may go on"
    assert reading.files.step(10.5, set()).again_s == 1.0
    assert reading.step(11.1) == [trace.rstrip("\n")], "after a second without more it is over"
    append(log, trace + "after\n")
    assert reading.step(12.0) == [trace.rstrip("\n")], "the next one ends it"
    cursor = reading.files.stored()
    reading.files.close()
    again = Files(LogOptions.model_validate({"files": str(log), "patterns": {"a": "x"}, "events": "indented"}), "end", cursor)
    assert again.step(0.0).lines + again.step(2.0).lines == ["after"], "what was kept back is not lost by a restart"


def test_events_that_a_pattern_begins(tmp_path: Path) -> None:
    log = tmp_path / "x.log"
    log.write_text("2026 one\nand more\n2026 two\n")
    reading = Reading(log, events={"begin": r"^\d{4} "})
    assert reading.step() + reading.step(5.0) == ["2026 one\nand more", "2026 two"]


def test_an_event_without_end_is_bounded(tmp_path: Path) -> None:
    text = b"head\n" + b"  more\n" * (3 * MOST_LINES)
    assert len(indented(text)) == 4
    log = tmp_path / "x.log"
    log.write_bytes(b"head\n" + b"  " + b"y" * 400_000 + b"\n  z\n" * 200_000)
    reading, events = Reading(log, events="indented"), list[str]()
    for second in range(200):
        events += reading.step(float(second))
    assert sum(event.count("\n") + 1 for event in events) == 200_001 + 200_000 and all(len(event) < 1_100_000 for event in events)


@pytest.mark.parametrize(
    ("encoding", "text"),
    [("gb18030", "支付失败:客户甲"), ("GBK", "支付"), ("latin-1", "Größe é"), ("big5", "付款"), ("shift_jis", "支払い")],
)
def test_encodings(tmp_path: Path, encoding: str, text: str) -> None:
    log = tmp_path / "x.log"
    log.write_bytes(f"{text} 1\r\n{text} 2\n".encode(encoding) + b"\xff\x81\n")
    assert Reading(log, encoding=encoding).step()[:2] == [f"{text} 1", f"{text} 2"]


@pytest.mark.parametrize("encoding", ["utf-8", "gb18030", "big5", "shift_jis", "latin-1", "euc_kr"])
def test_no_byte_swallows_a_newline(encoding: str) -> None:
    every = b"\n".join(bytes([a, b]) for a in range(256) for b in range(256) if 10 not in (a, b)) + b"\n"
    every += b"".join(bytes([a]) + b"\n" for a in range(256))
    assert Form(encoding).text(every.replace(b"\r", b"")).count(b"\n") == every.count(b"\n")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"encoding": "utf-16"}, '"utf-16" is not an encoding that is read; write one of utf-8'),
        ({"encoding": "none"}, "is not an encoding"),
        ({"zone": "Mars"}, '"Mars" is not a time zone'),
        ({"events": "folded"}, '"folded" is not a way to put lines together; write indented'),
        ({"events": {"begin": "(?=x)"}}, "look-around"),
        ({"json": True, "events": "indented"}, "one object a line"),
        ({"patterns": {"a": {"where": {"x": 1}}}}, "which only JSON lines have; write json: true"),
        ({"patterns": {"a": {"unless": "x"}}}, "a pattern needs `match`"),
        ({"json": True, "patterns": {"a": {"match": "(?P<t>x)", "labels": {"t": "x"}}}}, 'the label "t" comes from'),
        ({"json": True, "patterns": {"a": {"match": "x", "labels": {"T-a": "x"}}}}, "can't name a label"),
    ],
)
def test_options_that_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=r"(?s).*") as caught:
        LogOptions.model_validate({"files": "/x", "patterns": {"a": "x"}, **options})
    assert said in str(caught.value)
