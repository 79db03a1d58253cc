"""The protocol of Monitoring-Plugins with real programs: verdicts, figures, and output that no program should give."""

from __future__ import annotations

import sys
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st
from probing import probe
from pydantic import ValidationError

from forewarn.model.series import Outcome, ProbeRun
from forewarn.probers.command import MOST_FIGURES, figures, first_line
from forewarn.probers.command_run import CommandProber
from forewarn.probers.reasons import Reason


async def ran(code: str, timeout_s: float = 10.0) -> ProbeRun:
    """What the probe says of a Python program."""
    return await looked(sys.executable, "-c", code, timeout_s=timeout_s)


async def looked(*argv: str, timeout_s: float = 10.0) -> ProbeRun:
    made = probe("command", timeout_s=timeout_s, argv=argv)
    return await CommandProber()(made, made.targets[0], time.time())


@pytest.mark.parametrize(
    ("status", "outcome", "state", "reason"),
    [
        (0, Outcome.UP, 0.0, None),
        (1, Outcome.UP, 1.0, None),
        (2, Outcome.DOWN, 2.0, Reason.CRITICAL),
        (3, Outcome.UNKNOWN, None, Reason.UNDECIDED),
        (127, Outcome.UNKNOWN, None, Reason.NO_TOOL),
        (9, Outcome.UNKNOWN, None, Reason.UNDECIDED),
    ],
)
async def test_the_exit_status_is_the_verdict(status, outcome, state, reason):
    run = await ran(f"print('LOAD - it is so | load=3;4;5'); raise SystemExit({status})")
    assert (run.outcome, run.reason, run.detail) == (outcome, reason, "LOAD - it is so")
    assert dict(zip(run.columns, run.values, strict=True)).get(("state", ())) == state


async def test_a_program_that_does_not_end_is_unknown():
    run = await ran("import time; time.sleep(60)", timeout_s=0.3)
    assert (run.outcome, run.reason, run.values) == (Outcome.UNKNOWN, Reason.TIMEOUT, ())


async def test_a_missing_program_is_unknown_and_named():
    run = await looked("/no/such/check_disk", "-w", "10%")
    assert (run.outcome, run.reason) == (Outcome.UNKNOWN, Reason.NO_TOOL)
    assert run.detail == 'the program "/no/such/check_disk" is missing: no such file; install it or name its full path'


async def test_a_program_that_dies_of_a_signal_is_unknown():
    run = await ran("import os; os.kill(os.getpid(), 11)")
    assert (run.outcome, run.reason, run.detail) == (Outcome.UNKNOWN, Reason.UNDECIDED, "ended by signal 11")


async def test_no_shell_reads_the_arguments():
    run = await looked(sys.executable, "-c", "import sys; print(sys.argv[1])", "$(id); `id` | x=1")
    assert run.detail == "$(id); `id`"


async def test_what_it_said_on_stderr_stands_where_stdout_is_silent():
    assert (await ran("import sys; print('no route', file=sys.stderr); raise SystemExit(2)")).detail == "no route"


async def test_hostile_output_survives():
    run = await ran(r"import sys; sys.stdout.buffer.write(b'\x1b[31mRED\x1b[0m\x00\xff' + b'A' * 5_000_000 + b'\n|x=1')")
    assert run.outcome is Outcome.UP and run.detail is not None
    assert run.detail.startswith("RED") and len(run.detail) <= 200 and "\x1b" not in run.detail and "\x00" not in run.detail


async def test_a_secret_in_the_output_is_masked():
    assert "hunter2" not in ((await ran("print('login failed: password=hunter2')")).detail or "")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("OK | time=120ms;200;500;0", {'value_s{name="time"}': 0.12}),
        ("OK | /=2643MB;5948;5958;0;5968 /boot=68MB", {'value_bytes{name="/"}': 2643 * 2**20, 'value_bytes{name="/boot"}': 68 * 2**20}),
        ("OK | 'free space'=12%;20;10", {'value_ratio{name="free space"}': 0.12}),
        ("OK | 'it''s'=1c", {'value_total{name="it\'s"}': 1.0}),
        ("OK | load1=0,5;1;2 users=U", {'value{name="load1"}': 0.5}),
        ("OK | a=1\nlong text\nmore | b=2s\nc=3us", {'value{name="a"}': 1.0, 'value_s{name="b"}': 2.0, 'value_s{name="c"}': 3e-6}),
        ("OK | a=1 a=2", {'value{name="a"}': 1.0}),
        ("OK | a=-1.5e3 b=1watt", {'value{name="a"}': -1500.0, 'value{name="b"}': 1.0}),
        ("OK", {}),
        ("OK | nonsense", {}),
        ("OK | =3 ;;; a==", {}),
    ],
)  # fmt: skip
def test_figures_have_our_units(text, expected):
    found = {f'{metric}{{name="{labels[0][1]}"}}': value for (metric, labels), value in figures(text)}
    assert found == pytest.approx(expected)


def test_figures_are_bounded():
    assert len(list(figures("OK |" + " ".join(f"x{n}=1" for n in range(500))))) == MOST_FIGURES


@given(st.text(max_size=300))
def test_no_text_breaks_the_reader(text):
    for (metric, labels), value in figures(text):
        assert metric.startswith("value") and labels and value == value
    assert len(first_line(text)) <= 200


def test_a_program_must_be_named():
    with pytest.raises(ValidationError, match="names a program"):
        probe("command", argv=["  "])
    with pytest.raises(ValidationError):
        probe("command", argv=[])
