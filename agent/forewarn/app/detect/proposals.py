"""From what was found to files of probes: one for each program, each probe with the reason for it. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from forewarn.app.detect.listeners import Listener
from forewarn.app.detect.sniff import Spoken
from forewarn.model.text import Say, harmless, say

SCHEMA = "# yaml-language-server: $schema=../config/schemas/probe.json"
SERVICE = "this-host"
CERTIFICATE = "  - {name: certificate-ends, countdown: {metric: certificate_s, within: 21d}}\n"
SLOW = "  - {name: slow, threshold: {metric: total_s, stat: p95, window: 5m, above: 1s, clear_below: 500ms}}\n"
EXPECTED = {
    "ssh": "expect: '^SSH-'\n",
    "smtp": "expect: '^220[ -]'\n",
    "imap": "expect: '^\\* OK'\n",
    "pop3": "expect: '^\\+OK'\n",
    "redis": "send: 'PING\\r\\n'\nexpect: '^(\\+PONG|-NOAUTH)'\n",
    "memcached": "send: 'version\\r\\n'\nexpect: '^VERSION '\n",
}
"""What a connection to such a program begins with."""
TEXT = Callable[[Say], str]


@dataclass(frozen=True, slots=True)
class Proposal:
    """A file below probes/: `why` says for each probe what was seen."""

    file: str
    text: str
    why: tuple[Say, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A port and what is spoken there."""

    listener: Listener
    spoken: Spoken


def proposals(found: Sequence[Found], tell: TEXT) -> list[Proposal]:
    """One file a program; ports whose program can't be seen have one each. `tell` puts a sentence into words."""
    groups: dict[str, list[Found]] = {}
    for one in found:
        groups.setdefault(_called(one), []).append(one)
    return [_proposal(name, ones, tell) for name, ones in groups.items()]


def _called(one: Found) -> str:
    return _slug(one.listener.program) if one.listener.program else f"{one.spoken.protocol}-{one.listener.port}"


def _proposal(name: str, found: Sequence[Found], tell: TEXT) -> Proposal:
    parts, why = [], []
    program = found[0].listener.program
    if program:
        unit = next((one.listener.unit for one in found if one.listener.unit), None)
        reason = say("init.why.unit", program=program, unit=unit) if unit else say("init.why.process", program=program)
        parts.append((reason, _process(name, program, unit)))
    parts += [_port(name, one, bool(program)) for one in found]
    why = [reason for reason, _ in parts]
    blocks = [f"  # {_line(tell(reason))}\n{_item(text)}" for reason, text in parts]
    return Proposal(f"found-{name}.yaml", f"{SCHEMA}\n# {_line(tell(say('init.head')))}\nprobes:\n" + "\n".join(blocks), tuple(why))


def _process(name: str, program: str, unit: str | None) -> str:
    which = f"unit: {json.dumps(unit)}\n" if unit else f"name: {json.dumps(program)}\n"
    rules = "rules:\n  - {name: restarts, pattern: {metric: restarts_total, more_than: 3, within: 15m}}\n"
    rules += "  - {name: files-run-out, threshold: {metric: open_files_used_ratio, above: 90%, for: 5m}}\n"
    return f"probe: {name}-runs\nkind: process\nevery: 30s\nservice: {SERVICE}\n{which}{rules}"


def _port(name: str, one: Found, many: bool) -> tuple[Say, str]:
    """The probe of one port, and why."""
    listener, spoken = one.listener, one.spoken
    probe = f"{name}-{listener.port}" if many else name
    head = f"probe: {probe}\nkind: {{kind}}\nevery: 30s\ntimeout: 5s\nservice: {SERVICE}\n"
    if spoken.protocol == "http":
        scheme = "https" if spoken.tls else "http"
        text = head.format(kind="http") + f"targets: [{json.dumps(f'{scheme}://{listener.place}/')}]\n"
        text += "verify: false\n" if spoken.tls else ""
        fine = spoken.status is not None and 200 <= spoken.status < 300
        text += "" if fine else f"expect: {{status: {spoken.status}}}\n"
        text += "rules:\n" + SLOW + (CERTIFICATE if spoken.tls else "")
        key = "init.why.https" if spoken.tls else "init.why.http"
        return say(key, place=listener.place, status=str(spoken.status)), text
    text = head.format(kind="tcp") + f"targets: [{json.dumps(listener.place)}]\n"
    if spoken.tls:
        return say("init.why.tls", place=listener.place), text + "tls: true\nverify: false\n"
    text += EXPECTED.get(spoken.protocol, "")
    if spoken.protocol == "tcp":
        return say("init.why.tcp", place=listener.place), text
    return say("init.why.protocol", place=listener.place, protocol=spoken.protocol), text


def _item(text: str) -> str:
    """A probe as an item of a list."""
    first, *rest = text.rstrip("\n").split("\n")
    return "\n".join([f"  - {first}", *(f"    {line}" for line in rest)]) + "\n"


def _line(text: str) -> str:
    """One line of a comment, whatever a program calls itself."""
    return " ".join(harmless(text).split())


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "program"


def disks_seen(names: Iterable[str]) -> Say | None:
    """What smart.yaml will look at."""
    listed = ", ".join(sorted(names))
    return say("init.disks", disks=listed) if listed else None
