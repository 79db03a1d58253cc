"""A real journal, written by systemd-journal-remote and read by journalctl."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from probing import probe, values

from forewarn.core.detect.pattern import PatternOptions
from forewarn.model.probe import Rule, Source
from forewarn.model.series import Outcome, ProbeRun
from forewarn.probers import journal_follow
from forewarn.probers.journal import JournalOptions, argv
from forewarn.probers.journal_follow import JournalFollower, Reading
from forewarn.probers.journal_read import entry_of
from forewarn.probers.once import run_once
from forewarn.runtime.watch import Watch

WRITER = "/usr/lib/systemd/systemd-journal-remote"
real = pytest.mark.skipif(
    not os.access(WRITER, os.X_OK) or not shutil.which("journalctl"), reason="systemd-journal-remote or journalctl is missing"
)
PATTERNS = {"logins": {"match": r"sshd\[\d+\]: Failed password for (?P<user>\S+)", "labels": {"unit": "unit", "grave": "priority"}}}
GUESSING = Rule(
    name="guessing",
    kind="pattern",
    metric="logins_total",
    options=PatternOptions(more_than=20, within_s=300.0, clear_after_s=1800.0),
    source=Source("probes/journal.yaml", 1),
)
BOOT = "5e8e9d5b9a0b4b0f9a3a5f6d7c8b9a01"


class Journal:
    """A folder of journal files that a test adds to."""

    def __init__(self, folder: Path) -> None:
        self.folder, self._files, self._count = folder, 0, 0
        folder.mkdir()
        folder.chmod(0o755)

    def add(self, *messages: str | bytes, at_s: float | None = None, **fields: str) -> None:
        """Entries of sshd, in a file of their own, as rotation leaves them."""
        at_us = int((at_s or time.time()) * 1e6)
        given = {
            "_HOSTNAME": "web-1",
            "SYSLOG_IDENTIFIER": "sshd",
            "_PID": "99",
            "_SYSTEMD_UNIT": "ssh.service",
            "PRIORITY": "6",
            **fields,
        }
        out = b""
        for message in messages:
            self._count += 1
            out += f"__REALTIME_TIMESTAMP={at_us + self._count}\n__MONOTONIC_TIMESTAMP={self._count}\n_BOOT_ID={BOOT}\n".encode()
            out += b"".join(f"{name}={value}\n".encode() for name, value in given.items())
            data = message.encode() if isinstance(message, str) else message
            out += b"MESSAGE\n" + len(data).to_bytes(8, "little") + data + b"\n\n"
        self._files += 1
        file = self.folder / f"part{self._files}.journal"
        subprocess.run([WRITER, f"--output={file}", "-"], input=out, check=True, capture_output=True)


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "journal")


def followed(journal: Journal, **options: Any) -> Any:
    given = {"directory": str(journal.folder), "patterns": PATTERNS, "start": "beginning", **options}
    return probe("journal", **given)


async def follow(one: Any, cursor: Any, act: Callable[[], None], until: Callable[[list[ProbeRun]], bool]) -> list[ProbeRun]:
    follower, runs = JournalFollower(), list[ProbeRun]()
    task = asyncio.create_task(follower.follow(one, cursor, runs.append))
    try:
        async with asyncio.timeout(45):
            while not runs:
                await asyncio.sleep(0.01)
            act()
            while not until(runs):
                await asyncio.sleep(0.01)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        follower.close()
    return runs


def logins(runs: list[ProbeRun]) -> float:
    return sum(
        value for run in runs[-1:] for (name, _), value in zip(run.columns, run.values, strict=True) if name == "logins_total"
    )


def cursor_of(runs: list[ProbeRun]) -> Any:
    return next(run.cursor for run in reversed(runs) if run.cursor)


@real
async def test_entries_are_counted_with_fields_as_labels_and_a_restart_goes_on(journal: Journal) -> None:
    journal.add("Failed password for root from 203.0.113.9", "Accepted publickey for root")
    one = followed(journal, every_s=0.2)
    runs = await follow(one, None, lambda: journal.add("Failed password for bob", PRIORITY="3"), lambda runs: logins(runs) == 2)
    columns = dict(zip(runs[-1].columns, runs[-1].values, strict=True))
    assert columns["logins_total", (("grave", "info"), ("unit", "ssh.service"), ("user", "root"))] == 1
    assert columns["logins_total", (("grave", "err"), ("unit", "ssh.service"), ("user", "bob"))] == 1
    assert columns["lines_total", ()] == 3 and columns["entries_dropped_total", ()] == 0
    assert any("Failed password for bob" in line for run in runs for line in run.lines)
    journal.add("Failed password for eve")
    more = await follow(one, cursor_of(runs), lambda: None, lambda runs: logins(runs) == 3)
    assert values(more[-1])["lines_total"] == 4, "nothing is read twice"


@real
async def test_what_was_written_while_nobody_looked_counts_at_its_own_time(journal: Journal) -> None:
    then = time.time() - 7200
    journal.add("Failed password for root", at_s=then)
    runs = await follow(followed(journal), None, lambda: None, lambda runs: logins(runs) == 1)
    first = next(run for run in runs if logins([run]) == 1)
    assert abs(first.at_s - then) < 61


@real
async def test_the_first_start_reads_so_far_back_and_drops_nothing_of_it(journal: Journal) -> None:
    """Ten days ago is too long; of two days ago all count, however many come at once; and none of it alarms anybody now."""
    now = time.time()
    journal.add("Failed password for old", at_s=now - 10 * 86400)
    journal.add(*(f"Failed password for u{n % 3}" for n in range(300)), at_s=now - 2 * 86400)
    one = followed(journal, start="7d", most_per_s=1, every_s=0.2)
    one = replace(one, rules=(GUESSING,))
    runs = await follow(one, None, lambda: None, lambda runs: logins(runs) == 300)
    assert values(runs[-1])["entries_dropped_total"] == 0 and values(runs[-1])["lines_total"] == 300
    grown = next(run for run in runs if logins([run]) == 300)
    assert abs(grown.at_s - (now - 2 * 86400)) < 61
    watch = Watch(one)
    moves = [move for run in runs for move in watch.take(run, datetime.now(UTC))]
    assert moves == []
    again = await follow(one, cursor_of(runs), lambda: None, lambda runs: len(runs) > 2)
    assert values(again[-1])["lines_total"] == 300, "a restart does not read it again"


@pytest.mark.parametrize(("given", "said"), [("soon", "is not a duration"), ("1s", "is out of range"), ("500d", "out of range")])
def test_how_far_back_is_checked(given: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        JournalOptions.model_validate({"patterns": PATTERNS, "start": given})


@real
async def test_binary_messages_and_several_lines(journal: Journal) -> None:
    journal.add(b"Failed password for \xff\xfe\x00", "Failed password for many\nlines\nhere")
    runs = await follow(followed(journal, every_s=0.2), None, lambda: None, lambda runs: logins(runs) == 2)
    assert {dict(labels)["user"] for (name, labels) in runs[-1].columns if name == "logins_total"} == {"\ufffd\ufffd\x00", "many"}


@real
async def test_filters(journal: Journal) -> None:
    journal.add("Failed password for a", PRIORITY="3")
    journal.add("Failed password for b", PRIORITY="6")
    journal.add("Failed password for c", PRIORITY="3", _SYSTEMD_UNIT="x.service")
    one = followed(journal, every_s=0.2, units=["ssh*"], priority="warning", identifiers="sshd")
    runs = await follow(one, None, lambda: None, lambda runs: logins(runs) == 1)
    assert values(runs[-1])["lines_total"] == 1


@real
async def test_once_looks_at_what_is_there(journal: Journal) -> None:
    journal.add("Failed password for root")
    (run,) = await run_once("follower", JournalFollower(), followed(journal), time.time())
    assert run.outcome is Outcome.UP and logins([run]) == 1 and run.cursor is None


@real
async def test_it_begins_again_when_journalctl_ends(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal_follow, "PAUSES_S", (0.05,))
    started = list[Any]()
    start = journal_follow.Journalctl.start

    async def noted(self: Any) -> Any:
        found = await start(self)
        started.append(self._process)
        return found

    monkeypatch.setattr(journal_follow.Journalctl, "start", noted)
    journal.add("Failed password for root")

    def kill() -> None:
        os.kill(started[0].pid, 9)
        journal.add("Failed password for bob")

    runs = await follow(followed(journal, every_s=0.2), None, kill, lambda runs: logins(runs) == 2)
    assert any(run.reason == "undecided" and "journalctl ended" in str(run.detail) for run in runs) and len(started) > 1
    assert values(runs[-1])["lines_total"] == 2


async def test_no_journalctl_is_unknown_and_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    runs = await follow(probe("journal", directory=str(tmp_path), patterns=PATTERNS), None, lambda: None, bool)
    assert (runs[0].outcome, runs[0].reason) == ("unknown", "no_tool") and "kind log" in str(runs[0].detail)


async def test_no_journal_is_unknown(tmp_path: Path) -> None:
    runs = await follow(probe("journal", directory=str(tmp_path / "none"), patterns=PATTERNS), None, lambda: None, bool)
    assert (runs[0].outcome, runs[0].reason) == ("unknown", "missing")


@real
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
async def test_no_permission_names_the_group(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.add("Failed password for root")
    for file in journal.folder.iterdir():
        file.chmod(0o600)
    for folder in [journal.folder, *journal.folder.parents]:
        if folder.is_relative_to("/tmp/") and folder != Path("/tmp"):
            folder.chmod(0o755)
    as_nobody = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]
    monkeypatch.setattr(journal_follow, "argv", lambda options, place, follow=True: [*as_nobody, *argv(options, place, follow)])
    (run,) = await run_once("follower", JournalFollower(), followed(journal), time.time())
    assert (run.outcome, run.reason) == ("unknown", "permission") and "group systemd-journal" in str(run.detail)


async def test_it_rests_while_the_same_lines_stand_in_a_file(tmp_path: Path) -> None:
    log = tmp_path / "syslog"
    log.write_text("x\n")
    one = probe("journal", directory=str(tmp_path), patterns=PATTERNS, instead_of=[str(log)], every_s=0.05)
    runs = await follow(one, None, lambda: None, lambda runs: len(runs) > 1)
    assert runs[0].outcome is Outcome.UP and f"resting: the same lines stand in {log}" in str(runs[0].detail) and not runs[0].values


def entry(number: int) -> bytes:
    at = int(time.time() * 1e6)
    return (
        f'{{"__CURSOR":"c{number}","__REALTIME_TIMESTAMP":"{at}","SYSLOG_IDENTIFIER":"sshd","_PID":"1",'
        f'"MESSAGE":"Failed password for u"}}\n'
    ).encode()


def test_a_flood_is_bounded_and_said() -> None:
    reading = Reading(probe("journal", patterns={"logins": "Failed"}, most_per_s=10), None)
    reading.take([entry(number) for number in range(1000)], time.time())
    (run,) = reading.runs(time.time())
    told = values(run)
    assert (
        told["lines_total"] == 1000 and told["logins_total"] + told["entries_dropped_total"] == 1000 and told["logins_total"] < 20
    )
    assert run.cursor and run.cursor["cursor"] == "c999"


@pytest.mark.parametrize("text", [b"", b"-- No entries --\n", b"[1]\n", b'{"MESSAGE":"x"}\n', b"[" * 100_000, b'{"__CURSOR":1}\n'])
def test_what_is_no_entry_is_passed_over(text: bytes) -> None:
    assert entry_of(text) is None


@pytest.mark.parametrize(
    ("message", "shown"),
    [
        ('"plain"', "plain"),
        ("[255,97]", "\ufffda"),
        ("null", ""),
        ('["first","second"]', "first"),
        ("7", ""),
        ("[[104,105],[1]]", "hi"),
    ],
)
def test_messages_of_every_form(message: str, shown: str) -> None:
    given = f'{{"__CURSOR":"c","__REALTIME_TIMESTAMP":"1795428000000000","_HOSTNAME":"h","_COMM":"x","PRIORITY":"3","MESSAGE":{message}}}'
    found = entry_of(given.encode())
    assert found and found.line == f"2026-11-23T10:00:00+00:00 h x: {shown}" and found.fields["priority"] == "err"


def test_what_journalctl_is_asked() -> None:
    options = JournalOptions.model_validate({"patterns": {"a": "x"}, "units": "nginx.service", "priority": "err"})
    assert argv(options, "s=1;i=2")[-4:] == ["--priority=err", "--follow", "--no-tail", "--after-cursor=s=1;i=2"]
    assert "--unit=nginx.service" in argv(options, None) and argv(options, None)[-1] == "--lines=0"


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"priority": "bad"}, '"bad" is not a priority; write one of emerg'),
        ({"units": "-x"}, '"-x" is not a name'),
        ({"directory": "x"}, "not an absolute path"),
        ({"patterns": {"a": {"match": "x", "labels": {"u": "unix"}}}}, '"unix" is not a field; write unit, identifier'),
    ],
)
def test_options_that_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=r"(?s).*") as caught:
        JournalOptions.model_validate({"patterns": {"a": "x"}, **options})
    assert said in str(caught.value)
