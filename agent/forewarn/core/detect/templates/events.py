"""Lines of a file to events: header off, stack traces folded into the line that they explain, a template for each."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from forewarn.core.detect.templates.header import has_time, header
from forewarn.core.detect.templates.mask import alike
from forewarn.core.detect.templates.miner import Miner

FOLDED = 500
"""Lines that one event holds at most; what goes on longer is read line by line."""
_FRAME = re.compile(
    r"\s+at \S+\s?\(|\s+at [\w.$<>/]+:\d+|\s*\.\.\. \d+ (?:more|common frames omitted)|Caused by: |\s+Suppressed: "
    r'|\s+File "|Traceback \(most recent call last\):|goroutine \d+ \[|\s+\d+: 0x'
)
_SEVERE = re.compile(
    r"\b(?:error|errors|fail|fails|failed|failure|fatal|panic|exception|denied|refused|timed? ?out|timeout|unreachable|corrupt\w*|"
    r"crash\w*|abort\w*|cannot|can't|could ?n[o']t|unable|invalid|reject\w*|exceed\w*|overload\w*|oom|out of memory|segfault|killed|"
    r"dropped|lost|critical|emergency|fehler|erreur|échec|fallo|ошибка|сбой)\b|错误|失败|异常|超时|拒绝|无法|崩溃|丢失|エラー|失敗|오류|실패",
    re.IGNORECASE,
)
_SEVERE_LEVELS = frozenset([
    "error", "err", "severe", "crit", "critical", "alert", "emerg", "panic", "fatal", "failure",
])  # fmt: skip
_WARNING_LEVELS = frozenset({"warn", "warning"})


@dataclass(frozen=True, slots=True)
class Event:
    """What is told of a line: its template, its level, where its time stands, and whether it belongs to the line before."""

    template: int
    level: str | None = None
    time: int | None = None
    folded: bool = False


class Events:
    """Reads on where it stopped, so that how lines are cut into batches makes no difference."""

    def __init__(self, miner: Miner, messages: bool = False, remembered: int = 20_000) -> None:
        """`messages`: lines have no header."""
        self._miner, self._messages, self._remembered = miner, messages, remembered
        self._known: dict[str, Event] = {}
        self._last: Event | None = None
        self._headed, self._in_event = False, 0

    def of(self, lines: Iterable[str]) -> list[Event]:
        """The event of each line."""
        known, found = self._known, []
        for line in lines:
            event = known.get(alike(line))
            if event is None or (self._headed and event.time is None):
                event = self._read(line)
            else:
                self._last, self._in_event = event, 0
            found.append(event)
        return found

    def _read(self, line: str) -> Event:
        same = alike(line)
        head = None if self._messages else header(same)
        timed = head is not None and head.time is not None
        if self._continues(line, timed):
            self._in_event += 1
            last = self._last
            assert last is not None
            return Event(last.template, last.level, None, folded=True)
        self._headed = self._headed or timed
        event = Event(
            self._miner.id_of(same[head.end :] if head else same), head.level if head else None, head.time if head else None
        )
        if timed or not (self._headed or _FRAME.match(line)):  # others depend on the line before
            if len(self._known) >= self._remembered:
                self._known.clear()
            self._known[same] = event
        self._last, self._in_event = event, 0
        return event

    def _continues(self, line: str, timed: bool) -> bool:
        """Whether a line explains the event before it: a stack frame, or a line without any time where others have one."""
        if timed or self._last is None or self._in_event >= FOLDED:
            return False
        return _FRAME.match(line) is not None or (self._headed and not has_time(line))


def severity(level: str | None, text: str) -> int:
    """2: trouble by its level or its words, 1: a warning, 0: neither. Words count unless a level says that all is well."""
    if level in _SEVERE_LEVELS:
        return 2
    worded = _SEVERE.search(text) is not None
    if level in _WARNING_LEVELS:
        return 1
    return (1 if level else 2) if worded else 0
