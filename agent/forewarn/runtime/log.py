"""The daemon's log: lines that a person reads on a terminal, or JSON lines for a machine. Secrets leave it first.

An event is a fixed word with fields: `log.info("incident_opened", incident="INC-3", title="Orders DB full")` reads
`12:03:20 incident opened      INC-3 Orders DB full`. Lines of libraries that use `logging` come along from warnings up.
"""

from __future__ import annotations

import json
import logging
import os
import sys
from collections.abc import Callable, Mapping, MutableMapping
from datetime import datetime, tzinfo
from typing import Any, TextIO

from forewarn.model.map import Secret
from forewarn.reach.mask import SHOWN, is_secret_name, mask

Event = MutableMapping[str, Any]
LEVELS = {"debug": logging.DEBUG, "info": logging.INFO, "warning": logging.WARNING, "error": logging.ERROR}
BARE = ("incident", "finding", "message", "run", "due", "hold", "probe", "target", "title", "error")
"""Fields that explain themselves: shown first, in this order and without their name."""
WIDTH = 20
DIM, BOLD, YELLOW, RED, PLAIN = "\x1b[2m", "\x1b[1m", "\x1b[33m", "\x1b[31m", "\x1b[0m"


def set_up(
    now: Callable[[], datetime],
    zone: tzinfo,
    *,
    as_json: bool = False,
    level: str = "info",
    stream: TextIO | None = None,
    environ: Mapping[str, str] = os.environ,
) -> None:
    """Send all logging of this process to `stream` (stderr). Colour only on a terminal and without NO_COLOR.

    `now` gives aware times; the terminal shows them in `zone`, JSON in UTC. `level` is one of LEVELS.
    """
    import structlog

    out = stream or sys.stderr
    colour = out.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
    render = render_json if as_json else Lines(zone, colour)
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            _stamp(now),
            structlog.processors.format_exc_info,
            without_secrets,
            render,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(LEVELS[level]),
        logger_factory=lambda *names: structlog.PrintLogger(out),
    )
    logging.basicConfig(handlers=[_Forward()], level=logging.WARNING, force=True)


def _stamp(now: Callable[[], datetime]) -> Callable[[Any, str, Event], Event]:
    def stamp(_logger: Any, _method: str, event: Event) -> Event:
        event["at"] = now()
        return event

    return stamp


class _Forward(logging.Handler):
    """Lines of libraries, as events of ours."""

    def emit(self, record: logging.LogRecord) -> None:
        import structlog

        name = logging.getLevelName(min(record.levelno, logging.ERROR)).lower()
        tell = getattr(structlog.get_logger(), name if name in LEVELS else "warning")
        tell("library", logger=record.name, error=record.getMessage(), exc_info=record.exc_info or None)


def without_secrets(_logger: Any, _method: str, event: Event) -> Event:
    """A processor: nothing that is a Secret, is named like one, or looks like one goes further."""
    return {name: SHOWN if is_secret_name(name) and value is not None else _clean(value) for name, value in event.items()}


def _clean(value: Any) -> Any:
    match value:
        case str():
            return mask(value)
        case Secret():
            return SHOWN
        case Mapping():
            return {name: SHOWN if is_secret_name(str(name)) else _clean(inner) for name, inner in value.items()}
        case list() | tuple() | set() | frozenset():
            return [_clean(inner) for inner in value]
        case Exception():
            return mask(f"{type(value).__name__}: {value}")
    return value


def render_json(_logger: Any, _method: str, event: Event) -> str:
    """One JSON object a line; `at` is RFC 3339 in UTC."""
    at = event.pop("at")
    fields = {"at": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"), "level": event.pop("level"), **event}
    return json.dumps(fields, ensure_ascii=False, default=_plain)


def _plain(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else mask(str(value))


class Lines:
    """One line an event, aligned; text of several lines stands indented below it."""

    def __init__(self, zone: tzinfo, colour: bool) -> None:
        self._zone, self._colour = zone, colour

    def __call__(self, _logger: Any, _method: str, event: Event) -> str:
        at, level = event.pop("at"), event.pop("level", "info")
        name = str(event.pop("event")).replace("_", " ")
        below = [str(event.pop(key)) for key in ("text", "exception") if event.get(key)]
        bare = [_short(event.pop(key)) for key in BARE if event.get(key) is not None]
        named = [f"{key}={_quoted(_short(value))}" for key, value in event.items() if value is not None]
        clock = self._in(at.astimezone(self._zone).strftime("%H:%M:%S"), DIM)
        what = self._in(f"{name:<{WIDTH}}", {"warning": YELLOW, "error": RED, "critical": RED}.get(level, BOLD))
        line = " ".join(part for part in (clock, what, *bare, self._in(" ".join(named), DIM)) if part)
        return "\n".join([line.rstrip(), *("         " + _safe(row) for text in below for row in text.splitlines())])

    def _in(self, text: str, colour: str) -> str:
        return f"{colour}{_safe(text)}{PLAIN}" if self._colour and text else _safe(text)


def _short(value: Any) -> str:
    text = f"{value:.4g}" if isinstance(value, float) else str(value)
    return _safe(" ".join(text.split()))


def _quoted(text: str) -> str:
    return f'"{text}"' if " " in text else text


def _safe(text: str) -> str:
    """Without control characters: a log line that we repeat must not move the cursor or change colours."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)
