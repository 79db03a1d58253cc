from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
import structlog

from forewarn.model.map import Channel, Secret
from forewarn.runtime.log import set_up

NOW = datetime(2026, 11, 22, 4, 3, 20, tzinfo=UTC)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def clean():
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)


def logged(tell, *, stream: io.StringIO | None = None, environ=None, **options) -> str:
    out = stream or io.StringIO()
    set_up(lambda: NOW, ZoneInfo("Asia/Shanghai"), stream=out, environ=environ or {}, **options)
    tell(structlog.get_logger("forewarn.test"))
    return out.getvalue()


def test_a_line_for_people():
    text = logged(lambda log: log.info("incident_opened", level_now="P2", incident="INC-3", title="Orders DB full", owner=None))
    assert text == "12:03:20 incident opened      INC-3 Orders DB full level_now=P2\n"


def test_long_text_stands_below():
    text = logged(lambda log: log.info("message", message="M-7", text="first\n第二行"))
    assert text == "12:03:20 message              M-7\n         first\n         第二行\n"


def test_colour_only_on_a_terminal():
    def tell(log):
        log.warning("store_failed", error="disk full")

    assert "\x1b" not in logged(tell)
    assert "\x1b[33mstore failed" in logged(tell, stream=Terminal())
    assert "\x1b" not in logged(tell, stream=Terminal(), environ={"NO_COLOR": "1"})
    assert "\x1b" not in logged(tell, stream=Terminal(), environ={"TERM": "dumb"})


def test_what_is_logged_can_not_move_the_cursor():
    text = logged(lambda log: log.info("line", title="a\x1b[2Jb\r\nc", text="x\x07\u202ey", other="\x9b1m"), stream=Terminal())
    assert "a?[2Jb c" in text
    assert "\x07" not in text
    assert "\u202e" not in text
    assert "\x9b" not in text


def test_json_lines():
    text = logged(lambda log: log.warning("page_failed", message="M-7", at_due=NOW, ms=1.5), as_json=True)
    assert json.loads(text) == {
        "at": "2026-11-22T04:03:20.000Z",
        "level": "warning",
        "event": "page_failed",
        "message": "M-7",
        "at_due": "2026-11-22T04:03:20+00:00",
        "ms": 1.5,
    }


def boom(log):
    try:
        raise ValueError("can't reach https://ops:geheim@host/")
    except ValueError:
        log.exception("task_failed", task="poller")


@pytest.mark.parametrize("as_json", [True, False])
@pytest.mark.parametrize(
    "tell",
    [
        boom,
        lambda log: log.info("x", url="smtp://ops:geheim@host"),
        lambda log: log.info("x", smtp_password="geheim"),
        lambda log: log.info("x", url=Secret("geheim")),
        lambda log: log.info("x", channel=Channel("mail", Secret("geheim"))),
        lambda log: log.info("x", inner={"token": "geheim", "list": ["password=geheim", Secret("geheim")]}),
        lambda log: log.info("x", error=RuntimeError("token=geheim")),
        lambda log: log.info("login as ops with password=geheim"),
        lambda log: logging.getLogger("library").warning("POST json://u:%s@h", "geheim"),
    ],
)
def test_no_secret_leaves(tell, as_json):
    text = logged(tell, as_json=as_json)
    assert "geheim" not in text
    assert "***" in text


def test_traces_are_kept_whole():
    text = logged(boom)
    assert text.startswith("12:03:20 task failed          task=poller\n         Traceback")
    assert "ValueError: can't reach https://***@host/" in text


def test_levels():
    def tell(log):
        log.debug("a")
        log.info("b")
        log.error("c")

    assert [line.split()[1] for line in logged(tell, level="error").splitlines()] == ["c"]
    assert len(logged(tell, level="debug").splitlines()) == 3


def test_libraries_come_along_from_warnings_up():
    def tell(log):
        logging.getLogger("apscheduler").info("not this")
        logging.getLogger("apscheduler").error("job %s failed", "x")

    assert logged(tell) == "12:03:20 library              job x failed logger=apscheduler\n"


def test_importing_it_loads_neither_structlog_nor_rich():
    code = "import sys, forewarn.runtime.log; print({'structlog', 'rich'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "set()\n"
