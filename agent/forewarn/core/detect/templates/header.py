"""Where a line's own words begin: behind the time, host, process, level and component that a program writes before every message.

No format is declared and none is guessed per file: a header is what stands up to the last time near the beginning, and then
whatever of process, numbers, brackets, level and component follows, in the forms that are common: syslog, ISO times, log4j,
Apache, klog, fields between "|", Android, tables of supercomputers. A line without a time or level has no header.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

LOOKED_AT = 400
"""Characters in which the header is looked for."""
WORDS_BEFORE, WORDS_BETWEEN = 6, 3
"""Words before the first time of a header, and between two of its times, at most."""
MARGIN = 120
"""Characters in which a time makes a line one of its own, although its header is not understood."""
BETWEEN = 80
"""Characters after a time in which the next may end."""

_CLOCK = r"\d{1,2}:\d\d:\d\d(?:[.,:]\d{1,9})?"
_ZONE = r"(?:\s?(?:Z|UTC|GMT|[+-]\d\d:?\d\d)(?!\w))?"
_MONTH = r"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)[a-z]*"
_TIMES = "|".join(
    (
        rf"\d{{4}}[-/.]\d\d?[-/.]\d\d?[T _:-]+\d\d[:.]\d\d[:.]\d\d(?:[.,:]\d{{1,9}})?{_ZONE}",  # 2026-11-23T10:00:00.123Z
        rf"\d{{8}}[T-]\d\d?:?\d\d?:?\d\d?(?:[:.,]\d{{1,9}})?{_ZONE}",  # 20261123-10:00:00:123
        rf"\d{{4}}年\d\d?月\d\d?日\s*{_CLOCK}",
        rf"\d\d?/{_MONTH}/\d{{4}}:\d\d:\d\d:\d\d{_ZONE}",  # 23/Nov/2026:10:00:00 +0800
        rf"(?:(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun),? )?{_MONTH}\s+\d\d?,?(?:\s+\d{{4}},?)?\s+{_CLOCK}(?:\s[AP]M)?(?:\s\d{{4}}(?!\d))?",
        rf"\d\d?[ -]{_MONTH}[ -]\d{{4}}[ :T]{_CLOCK}{_ZONE}",
        rf"\d\d?[/.-]\d\d?(?:[/.-]\d{{2,4}})?[ ,T]+{_CLOCK}",  # 17/06/09 10:00:00, 03-17 10:00:00.123
        rf"[IWEF]\d{{4}}\s{_CLOCK}",  # I1123 10:00:00.123456
        r"\d{6} \d{6}(?= )",
        r"\d{4}[.-]\d\d[.-]\d\d(?= )",
        r"[01]\d{9}(?:\d{3})?(?:\.\d{1,6})?(?=[\s|])",  # seconds or milliseconds
        rf"{_CLOCK}(?=[\s|\]])",
    )
)
_TIME = re.compile(rf"(?<![^\s\[(<|>\"'=-])(?:{_TIMES})")
_NAMES = (
    "TRACE|FINEST|FINER|FINE|DEBUG|VERBOSE|INFO|INFORMATION|NOTICE|LOG|HINT|DETAIL|WARN|WARNING|ERROR|ERR|SEVERE|CRIT|CRITICAL|"
    "ALERT|EMERG|PANIC|FATAL|FAILURE"
)
_LEVEL = re.compile(
    rf"\s*[-:,|]?\s*[\[<(]?(?P<level>(?:{_NAMES})(?![\w.=])|(?i:{_NAMES})(?=[\]>)]|:\s|\s{{2}})|[VDIWEF](?=\s))[\]>)]?[,:]?"
)
_UP_TO_LEVEL = re.compile(rf"(?:\s+(?![^\s]*[a-z])\S+){{1,3}}\s+(?P<level>{_NAMES})(?=\s)")
_PROCESS = re.compile(r"[\s:]*(?:\S+\s){0,3}?(?P<name>[\w./()@+-]+)\[\d+\](?:\s?\([^)]*\))?:(?=\s|$)")
_NAMED = re.compile(r"\s+[\w.@/-]+\s(?P<name>[A-Za-z][\w./()@+-]*):(?=\s|$)")
_BEFORE_LEVEL = re.compile(r"\s*(?:[\])>,]+|\|(?:[\w.:/@ -]{0,32}\|){0,2}|[-:]\s|\[[^\]]*\](?=\s)|\d+:?(?=\s))")
_PROGRAM = re.compile(r"\]\s+\S+\.\w+(?: \*\d+)? - ")
_CODE_LINE = re.compile(r"\s+\d+ [\w./-]+:\d+\]")
_THREAD = re.compile(r"\s*(?:-\s+)?\[\S*\](?=\s)(?:\s+-(?=\s))?|\s*\[[^\]]*\](?:\s+-(?=\s)|(?=\s+[A-Za-z][\w.$]*\.[\w.$]*:\s))")
_COMPONENT = re.compile(
    r"\s*(?:[A-Za-z][\w.$/@-]*(?:\[\d+\]|\(\s*\d+\))?:(?=\s|$)|[A-Za-z]\w*(?:\.\w+)+\s\[[^\]]*\]|[A-Z]{2,}(?=\s{2,}))"
)
_FIELD = re.compile(r"\b(?:level|severity|lvl)\"?\s*[=:]\s*\"?([A-Za-z]+)")
_SAYS = frozenset({"at", "on", "since", "until", "from", "to", "by", "after", "before", "is", "was", "=", "in", "of"})
_SHORT = {"v": "debug", "d": "debug", "i": "info", "w": "warning", "e": "error", "f": "fatal"}


@dataclass(frozen=True, slots=True)
class Header:
    """`end`: its length in characters; `time`: where the last time begins; `level` in lower case; None where there is none."""

    end: int
    time: int | None = None
    level: str | None = None


def header(line: str) -> Header:
    """The header of a line."""
    head = line[:LOOKED_AT]
    begin, at = _last_time(head)
    if begin is None:
        found = _LEVEL.match(head)
        if found and len(found["level"]) > 1:
            return Header(_trimmed(line, found.end()), None, _level(found["level"]))
        return Header(0, None, _field(line))
    at, level = _to_level(head, at, head[begin] in "IWEF" and head[begin + 1 : begin + 2].isdigit())
    if level is None and "level" in line:
        level = _field(line)
    return Header(_trimmed(line, at), begin, level)


def has_time(line: str) -> bool:
    """Whether a line that begins at the margin has a time near its beginning, be it in a header or not."""
    return not line[:1].isspace() and _TIME.search(line[:LOOKED_AT], 0, MARGIN) is not None


def _last_time(head: str) -> tuple[int | None, int]:
    """Where the last time of the header begins and ends."""
    found = _TIME.match(head) or _TIME.match(head, 1) or _TIME.search(head)
    if found is None or len(head[: found.start()].split()) > WORDS_BEFORE or _talks(head[: found.start()]):
        return None, 0
    while not _LEVEL.match(head, found.end()):
        more = _TIME.search(head, found.end(), found.end() + BETWEEN)
        if more is None:
            break
        between = head[found.end() : more.start()]
        if len(between.split()) > WORDS_BETWEEN or _LEVEL.search(between) or ": " in between or "|" in between:
            break
        found = more
    return found.start(), found.end()


def _talks(before: str) -> bool:
    """Whether what stands before a time is a sentence rather than fields."""
    words = before.split()
    if ": " in before or not _SAYS.isdisjoint(words):
        return True
    return sum(word.isalpha() for word in words) > 1 and not any(sign.isdigit() for sign in words[0])


def _to_level(head: str, at: int, klog: bool) -> tuple[int, str | None]:
    if klog and (found := _CODE_LINE.match(head, at)):
        return found.end(), None
    if found := _PROGRAM.match(head, at):
        return found.end(), None
    while True:
        if found := _LEVEL.match(head, at) or _UP_TO_LEVEL.match(head, at):
            return _component(head, found.end()), _level(found["level"])
        found = _PROCESS.match(head, at) or _NAMED.match(head, at)
        if found:
            return found.end(), None
        found = _BEFORE_LEVEL.match(head, at)
        if found is None or found.end() == at:
            return at, None
        at = found.end()


def _component(head: str, at: int) -> int:
    if found := _THREAD.match(head, at):
        at = found.end()
    found = _COMPONENT.match(head, at)
    return found.end() if found else at


def _trimmed(line: str, at: int) -> int:
    while at < len(line) and line[at] in " \t":
        at += 1
    return at


def _level(name: str) -> str:
    low = name.lower()
    return _SHORT.get(low, low)


def _field(line: str) -> str | None:
    found = _FIELD.search(line[:2000]) if "level" in line or "severity" in line or "lvl" in line else None
    return _level(found[1]) if found else None
