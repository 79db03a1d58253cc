"""Every command against a running server, and against the files that one left."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from web_stage import ENTRIES, NOW, TOKEN, Stage, incident, message, story

from conftest import Forewarn
from forewarn.cli.screen import Screen, width
from forewarn.model.errors import Refused
from forewarn.model.series import SeriesId
from forewarn.model.text import say
from forewarn.store.ledger_sqlite import SqliteLedger
from forewarn.store.samples import SqliteSamples

# --- reading from a daemon ---


def test_status(daemon: Stage, forewarn: Forewarn) -> None:
    ran = forewarn("status")
    assert (ran.code, ran.err) == (1, "")
    assert ran.lines[0].startswith("problem · 1 ahead, 1 open (P2) · targets: 2 up, 0 down, 1 cannot see · next breach: INC-3 ")
    for said in (
        "INC-3 would be P1: Orders DB full · act by ",
        "INC-2 P2: Search is slow · since ",
        "CPU 93 %",
        "M-7 to customer-zh:【提前告知】今晚下单可能变慢",
        "Cannot see            disks: asleep.",
        "checkout-api: fine · response time 31 ms",
        "host: learning · file system /srv 61 % · CPU 12 %",
    ):
        assert said in ran.out, ran.out
    assert "\x1b" not in ran.out


def test_status_in_chinese_is_aligned(daemon: Stage, forewarn: Forewarn) -> None:
    rows = [line for line in forewarn("status", "--lang", "zh").lines[2:] if not line.startswith(" ")]
    assert rows[0].startswith("即将发生  INC-3 届时为 P1：Orders DB full")
    for row in rows:
        title = row.split("  ")[0]
        assert width(row) - width(row[len(title) :].lstrip()) == width("即将发生  "), row


def test_status_json_is_the_body_of_the_api(daemon: Stage, forewarn: Forewarn) -> None:
    ran = forewarn("status", "--json")
    body = json.loads(ran.out)
    assert {**body, "rss_mb": 0} == {**daemon.api("status"), "rss_mb": 0}
    assert ran.code == 1


@pytest.mark.parametrize(("things", "code", "word"), [([], 0, "ok"), ([incident()], 0, "warning")])
def test_status_exits_1_only_on_a_problem(daemon: Stage, forewarn: Forewarn, things: list[object], code: int, word: str) -> None:
    from dataclasses import replace

    from forewarn.model.incident import IncidentState

    daemon.stats.shown = []
    gone = [replace(thing, state=IncidentState.CLOSED) for thing in story() if thing.id in ("INC-2", "INC-3")]  # type: ignore[union-attr, type-var]
    daemon.keep(*gone, *things)  # type: ignore[arg-type]
    ran = forewarn("status")
    assert (ran.code, ran.lines[0].split(" ")[0]) == (code, word)


def test_a_link_opens_the_console(daemon: Stage, forewarn: Forewarn) -> None:
    ran = forewarn("status", "--link")
    assert ran.code == 0
    assert daemon.ask(ran.out.strip().removeprefix(daemon.origin)).status == 200


def test_why(daemon: Stage, forewarn: Forewarn) -> None:
    ran = forewarn("why", "M-7")
    assert ran.code == 0
    assert [line.split()[0] for line in ran.lines[:5]] == ["M-7", "<-", "<-", "<-", "<-"]
    assert json.loads(forewarn("why", "M-7", "--json").out)["complete"] is True
    daemon.keep(incident("INC-9", findings=("F-99",)))
    broken = forewarn("why", "INC-9")
    assert (broken.code, "F-99" in broken.out) == (1, True)
    missing = forewarn("why", "INC-99")
    assert (missing.code, missing.out, missing.err) == (2, "", "There is no INC-99.\n")


def test_lists_and_shows(daemon: Stage, forewarn: Forewarn) -> None:
    assert [line.split()[0] for line in forewarn("incident", "list").lines] == ["INC-3", "INC-2"]
    shown = forewarn("incident", "show", "INC-3").out
    for said in (
        "INC-3  would be P1  Orders DB full",
        "/srv 91.2 %",
        "exposed  customer-en, customer-zh",
        "40G /srv/dumps",
        "Opened by F-17",
    ):
        assert said in shown, shown
    assert [line.split()[0] for line in forewarn("notice", "list").lines] == ["M-8", "M-7", "M-6"]
    assert [line.split()[0] for line in forewarn("notice", "list", "--kind", "all", "--only", "sent").lines] == ["M-6", "M-5"]
    assert message().text in forewarn("notice", "show", "M-7").out
    assert "free-volume" in forewarn("playbook", "list").out
    assert "40G /srv/dumps" in forewarn("playbook", "show", "free-volume").out
    assert "40G /srv/dumps" in forewarn("playbook", "show", "R-1").out
    for command in (["incident", "list"], ["notice", "list"], ["playbook", "list"]):
        assert set(json.loads(forewarn(*command, "--json").out)) == {"items", "next"}
    for args in (["incident", "show", "INC-3"], ["notice", "show", "M-7"], ["playbook", "show", "R-1"]):
        assert json.loads(forewarn(*args, "--json").out)


def test_hostile_words_cannot_command_the_terminal(daemon: Stage, forewarn: Forewarn) -> None:
    daemon.keep(message(subject="\x1b]0;owned\x07 \x9b31m red \u202e tail", text="a\x1b[2Jb\rc"))
    for ran in (forewarn("notice", "show", "M-7"), forewarn("notice", "list"), forewarn("status")):
        assert not set(ran.out) & set("\x1b\x07\x9b\u202e\r"), ran.out


# --- acting ---


@pytest.mark.parametrize(
    ("args", "given"),
    [
        (["incident", "acknowledge", "INC-3", "clearing dumps"], ("acknowledge", "INC-3", (), "clearing dumps")),
        (["incident", "acknowledge", "INC-3"], ("acknowledge", "INC-3", (), None)),
        (["incident", "resolve", "INC-3", "restarted"], ("resolve", "INC-3", (), "restarted")),
        (["incident", "false-alarm", "INC-3"], ("false-alarm", "INC-3", (), None)),
        (["incident", "note", "INC-3", "a ticket"], ("note", "INC-3", (), "a ticket")),
        (["incident", "pin", "INC-3", "P1", "they called"], ("pin", "INC-3", ("P1",), "they called")),
        (["incident", "unpin", "INC-3"], ("unpin", "INC-3", (), None)),
        (["incident", "merge", "INC-2", "INC-3"], ("merge", "INC-2", ("INC-3",), None)),
        (["incident", "close", "INC-3", "in the wiki"], ("close", "INC-3", (), "in the wiki")),
        (["incident", "join", "INC-3"], ("join", "INC-3", (), None)),
        (["incident", "unacknowledge", "INC-3", "my shift is over"], ("unacknowledge", "INC-3", (), "my shift is over")),
        (["incident", "note", "INC-3", "move the dumps", "--plan"], ("note", "INC-3", ("plan",), "move the dumps")),
        (["incident", "note", "INC-3", "moved", "--done"], ("note", "INC-3", ("done",), "moved")),
        (
            ["incident", "declare", "Empty", "--service", "checkout", "--level", "P2"],
            ("declare", None, ("checkout", "P2"), "Empty"),
        ),
        (["notice", "approve", "M-7"], ("approve", "M-7", (), None)),
        (["notice", "refuse", "M-7", "--text", "we call"], ("refuse", "M-7", (), "we call")),
        (["notice", "undo", "M-8"], ("undo", "M-8", (), None)),
        (["notice", "answer", "M-7", "yes"], ("answer", "M-7", ("yes",), None)),
        (["playbook", "run", "free-volume", "INC-3"], ("run", "INC-3", ("free-volume",), None)),
    ],
)
def test_wishes_reach_the_owner(daemon: Stage, forewarn: Forewarn, args: list[str], given: tuple[object, ...]) -> None:
    daemon.wishes.answer = {"declare": "INC-3", "run": "R-1"}.get(str(given[0]))
    ran = forewarn(*args, "--by", "on-call-1")
    assert (ran.code, ran.err) == (0, "")
    verb, id, words, text = given
    assert daemon.wishes.given == [(verb, id, "on-call-1", words, text, None)]
    assert ran.lines[0].split()[0] in ("INC-3", "INC-2", "M-7", "M-8", "R-1")
    assert "successfully" not in ran.out


def test_several_notices_at_once_and_who_from_the_environment(daemon: Stage, forewarn: Forewarn) -> None:
    forewarn("notice", "approve", "M-6", "M-7", FOREWARN_WHO="on-call-2")
    assert [(given[1], given[2]) for given in daemon.wishes.given] == [("M-6", "on-call-2"), ("M-7", "on-call-2")]


def test_new_words_from_stdin_or_a_file(daemon: Stage, forewarn: Forewarn, tmp_path: Path) -> None:
    forewarn("notice", "edit", "M-7", "--file", "-", stdin="Subject\r\n\r\nText\r\n")
    words = tmp_path / "new.txt"
    words.write_text("主题\n\n正文\n", "utf-8")
    forewarn("notice", "edit", "M-7", "--file", str(words))
    assert [given[4] for given in daemon.wishes.given] == ["Subject\n\nText", "主题\n\n正文"]
    absent = forewarn("notice", "edit", "M-7", "--file", str(tmp_path / "absent"))
    assert (absent.code, str(tmp_path / "absent") in absent.err) == (2, True)


def test_a_refusal_is_said_and_exits_1(daemon: Stage, forewarn: Forewarn) -> None:
    daemon.wishes.answer = Refused(say("refused.version", id="M-7"))
    ran = forewarn("notice", "approve", "M-7")
    assert (ran.code, ran.err) == (1, "M-7 has changed since you looked. Look again, then decide.\nM-7 is now at version 1.\n")


# --- without a daemon ---


def test_nothing_there_says_what_to_run(forewarn: Forewarn, state: Path) -> None:
    for args in (["status"], ["why", "M-7"], ["incident", "list"], ["notice", "approve", "M-7"], ["status", "--link"]):
        ran = forewarn(*args)
        assert (ran.code, ran.out) == (1, "")
        assert "forewarn run" in ran.err
        assert str(state) in ran.err
        assert len(ran.err.splitlines()) == 1


def test_a_dead_daemons_address_is_not_believed(forewarn: Forewarn, state: Path) -> None:
    (state / "daemon.json").write_text('{"host": "127.0.0.1", "port": 1, "pid": 4194304}')
    assert "forewarn run" in forewarn("status").err
    (state / "daemon.json").write_text("{")
    assert "forewarn run" in forewarn("status").err


def test_a_wrong_token_is_named(daemon: Stage, forewarn: Forewarn, state: Path) -> None:
    (state / "token").write_text("something-else-0123456789")
    ran = forewarn("status")
    assert (ran.code, ran.out) == (1, "")
    assert "token" in ran.err
    (state / "token").unlink()
    assert "token" in forewarn("status").err
    assert TOKEN not in ran.err


@pytest.fixture
def left(state: Path, tmp_path: Path) -> Iterator[str]:
    """What a daemon left: a ledger, samples, and a configuration with one probe. Answers the configuration's folder."""
    ledger = SqliteLedger(state / "ledger.db", NOW)
    ledger.commit(story(), ENTRIES, [], {})
    ledger.close()
    samples = SqliteSamples(state / "samples.db")
    samples.append([(SeriesId("host", "local", "cpu_used_ratio"), NOW.timestamp(), 0.12)])
    samples.close()
    folder = tmp_path / "set"
    (folder / "probes").mkdir(parents=True)
    (folder / "config").mkdir()
    (folder / "probes" / "host.yaml").write_text("probe: host\nkind: host\nevery: 10s\n")
    yield str(folder)


def test_reads_fall_back_to_the_files(left: str, forewarn: Forewarn) -> None:
    ran = forewarn("status", "--config", left)
    assert ran.code == 1
    assert len(ran.err.splitlines()) == 1
    assert "The daemon is not running" in ran.err
    assert "INC-3 would be P1: Orders DB full" in ran.out
    assert "host: cannot see · CPU 12 %" in ran.out
    body = json.loads(forewarn("status", "--json", "--config", left).out)
    assert (body["uptime_s"], body["missed"], body["lateness_ms"], body["rss_mb"]) == (None, None, {"p50": None, "p99": None}, None)
    assert "not running" in body["why"]
    why = forewarn("why", "M-7", FOREWARN_CONFIG=left)
    assert (why.code, why.lines[0].split()[0]) == (0, "M-7")
    assert forewarn("why", "INC-99", FOREWARN_CONFIG=left).code == 2
    assert "Opened by F-17" in forewarn("incident", "show", "INC-3", FOREWARN_CONFIG=left).out
    assert message().text in forewarn("notice", "show", "M-7", FOREWARN_CONFIG=left).out
    refused = forewarn("notice", "approve", "M-7", FOREWARN_CONFIG=left)
    assert (refused.code, "forewarn run" in refused.err) == (1, True)


def test_reading_leaves_the_files_as_they_are(left: str, forewarn: Forewarn, state: Path) -> None:
    before = {path.name: path.read_bytes() for path in state.iterdir() if path.suffix == ".db"}
    forewarn("status", "--config", left)
    assert {path.name: path.read_bytes() for path in state.iterdir() if path.suffix == ".db"} == before


def test_a_broken_configuration_is_named_offline(left: str, forewarn: Forewarn) -> None:
    (Path(left) / "probes" / "host.yaml").write_text("probe: host\nkind: nope\n")
    ran = forewarn("status", "--config", left)
    assert ran.code == 1
    assert "probes/host.yaml:2" in ran.err
    assert "forewarn check" in ran.err


# --- the screen ---


def test_columns_count_chinese_signs_twice(capsys: pytest.CaptureFixture[str]) -> None:
    screen = Screen("zh")
    screen.columns([["结账", "a"], ["x", "b"], ["é", "c"], ["only"]])
    lines = capsys.readouterr().out.splitlines()
    assert lines == ["结账  a", "x     b", "é     c", "only"]


class Terminal:
    def __init__(self) -> None:
        self.said = ""

    def isatty(self) -> bool:
        return True

    def write(self, text: str) -> int:
        self.said += text
        return len(text)

    def flush(self) -> None: ...


@pytest.mark.parametrize(("name", "value", "coloured"), [("NO_COLOR", "", True), ("NO_COLOR", "1", False), ("TERM", "dumb", False)])
def test_colour_is_for_terminals_that_want_it(monkeypatch: pytest.MonkeyPatch, name: str, value: str, coloured: bool) -> None:
    for variable in ("NO_COLOR", "TERM"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv(name, value)
    terminal = Terminal()
    Screen("en", terminal).say("down", "red")  # type: ignore[arg-type]
    assert ("\x1b[31m" in terminal.said) is coloured


def test_the_daemons_user_may_be_another(state: Path) -> None:
    """A process that we may not signal is alive all the same."""
    from forewarn.runtime.state_folder import StateFolder

    (state / "daemon.json").write_text(json.dumps({"host": "127.0.0.1", "port": 8420, "pid": 1}))
    assert StateFolder(state).address() == ("127.0.0.1", 8420)


def test_without_a_daemon_nothing_is_called_calm(left: str, forewarn: Forewarn, state: Path) -> None:
    (state / "ledger.db").unlink()
    SqliteLedger(state / "ledger.db", NOW).close()
    ran = forewarn("status", "--config", left)
    assert (ran.code, ran.lines[0].split(" ")[0]) == (0, "warning")
    assert "Nothing due" not in ran.out
    assert "No dates: nothing is being watched." in ran.out
