"""A step that runs a program, here or on a host over SSH, or calls an HTTP address.

What may change something is decided long before (core/flow/changes.py): here everything that arrives is done once.
"""

from __future__ import annotations

import http.client
import json
import re
import socket
import ssl
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from forewarn.ports import StepOutcome, StepRunner
from forewarn.reach.call import Reply, Request, exchange
from forewarn.reach.local import CannotRun, Ran
from forewarn.reach.machine import HERE, CannotReach, Machine, Machines, only_here
from forewarn.reach.mask import mask
from forewarn.reach.wire import Line, on_thread

CAP_BYTES = 16_384
LINE = 160
"""Longest summary."""
READING = ("GET", "HEAD")
NEVER_LEFT = (ConnectionRefusedError, socket.gaierror, ssl.SSLError)
METHODS = (*READING, "POST", "PUT", "PATCH", "DELETE")
NOT_ALLOWED = re.compile(
    r"interactive authentication required|access denied|permission denied|operation not permitted|must be (?:run as )?root"
    r"|are you root|only root can|requires? (?:root|superuser)|not permitted|polkit",
    re.IGNORECASE,
)
"""How programs say that they may not."""


def run_step(machines: Machines = only_here) -> StepRunner:
    """A runner for `{argv: [program, argument ...]}`, on the machine `where`, or `{http: {url, method, headers}}`; both end by themselves at `timeout_s`.

    A program that was stopped at its time-out may have done its work: unknown; so may a call that went out (any method but
    GET and HEAD) and got no answer. Where a program says that it may not, the summary says who we are and what to read.
    """

    async def run(spec: Mapping[str, object], where: str, timeout_s: float) -> StepOutcome:
        argv, call = spec.get("argv"), spec.get("http")
        if isinstance(argv, list | tuple) and argv and all(isinstance(part, str) for part in argv):
            return await _run_program(machines(where), [str(part) for part in argv], timeout_s)
        if isinstance(call, Mapping) and where == HERE:
            return await _ask_http(call, timeout_s)
        if isinstance(call, Mapping):
            return failed(f"an http call is made from this machine, not from {where}")
        return failed("the step has nothing to run; write argv: [program, argument ...] or http: {url: ...}")

    return run


def failed(summary: str, output: str = "") -> StepOutcome:
    return StepOutcome(result="failed", summary=summary[:LINE], output=output)


async def _run_program(machine: Machine, argv: list[str], timeout_s: float) -> StepOutcome:
    try:
        ran = await machine.run(argv, timeout_s, CAP_BYTES)
    except CannotRun as error:
        return failed(mask(str(error)))
    except CannotReach as away:  # a program that was handed over may have done its work
        return replace(failed(mask(str(away))), result="unknown" if away.begun else "failed")
    return _of_program(ran, timeout_s, machine.account)


def _of_program(ran: Ran, timeout_s: float, account: str) -> StepOutcome:
    both = "\n".join(text for text in (ran.out.rstrip("\n"), ran.err.rstrip("\n")) if text)
    output = capped(both, ran.cut)
    if ran.timed_out:
        return StepOutcome(result="unknown", summary=f"stopped: no end within {timeout_s:g} s", output=output)
    facts = {
        "exit": str(ran.code),
        "lines": str(len(ran.out.splitlines())),
        "first": first_line(ran.out),
        "last": last_line(ran.out),
    }
    if ran.code == 0:
        return StepOutcome(result="ok", summary=first_line(ran.out) or "exit 0, no output", output=output, facts=facts)
    ended = f"ended by signal {-ran.code}" if ran.code < 0 else f"exit {ran.code}"
    said = last_line(ran.err) or last_line(ran.out)
    summary = f"{ended}: {said}" if said else ended
    if NOT_ALLOWED.search(ran.err) or NOT_ALLOWED.search(ran.out[-500:]):
        summary = f"{summary[: LINE - 80]} (not allowed for user {account}; docs/playbooks.md, Rights)"
    return StepOutcome(result="failed", summary=summary[:LINE], output=output, facts=facts)


async def _ask_http(call: Mapping[object, object], timeout_s: float) -> StepOutcome:
    method, url, headers = str(call.get("method", "GET")).upper(), str(call.get("url", "")), call.get("headers") or {}
    if method not in METHODS:
        return failed(f"{method} is not a method that a step may use; write {', '.join(METHODS)}")
    problem = _url_problem(url)
    if problem or not isinstance(headers, Mapping):
        return failed(problem or "headers are written {Name: value}")
    body = json.dumps(call["json"], ensure_ascii=False).encode() if call.get("json") is not None else None
    sent = {"Accept": "*/*"} | ({"Content-Type": "application/json"} if body else {})
    request = Request(method=method, url=url, headers=sent | {str(name): str(value) for name, value in headers.items()}, body=body)

    def ask(line: Line) -> Reply | StepOutcome:
        try:
            return exchange(request, line, CAP_BYTES)
        except (OSError, http.client.HTTPException) as error:
            return _unanswered(method, line.why(error)[1], never_left=isinstance(error, NEVER_LEFT))
        except ValueError as error:  # http.client refuses control characters in headers and paths
            return failed(mask(f"the call can't be made: {error}"))

    try:
        reply = await on_thread(ask, timeout_s)
    except TimeoutError as error:
        return _unanswered(method, str(error), never_left=False)
    return reply if isinstance(reply, StepOutcome) else _of_reply(reply)


def _unanswered(method: str, why: str, *, never_left: bool) -> StepOutcome:
    """A call without an answer: one that changes something may have done so, unless it certainly never left."""
    sure = method in READING or never_left
    return failed(why) if sure else replace(failed(why), result="unknown")


def _url_problem(url: str) -> str | None:
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and parts.hostname and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        return "the step's url can't be used; write http://host:port/path"
    return "leave user and password out of the url; write headers: {Authorization: ...}" if "@" in parts.netloc else None


def _of_reply(reply: Reply) -> StepOutcome:
    output = capped(mask(reply.body.decode("utf-8", "replace")), reply.cut)
    summary = f"HTTP {reply.status} {mask(reply.phrase)}".rstrip()
    said = first_line(output)
    return StepOutcome(
        result="ok" if 200 <= reply.status < 300 else "failed",
        summary=(f"{summary}: {said}" if said else summary)[:LINE],
        output=output,
        facts={"status": str(reply.status), "first": said},
    )


def capped(text: str, cut: bool) -> str:
    """At most CAP_BYTES of text (UTF-8), saying so where something was left out."""
    note = "\n[the rest was cut off]"
    raw = text.encode()
    if len(raw) <= CAP_BYTES and not cut:
        return text
    return raw[: CAP_BYTES - len(note)].decode("utf-8", "ignore") + note


def first_line(text: str) -> str:
    return next((" ".join(line.split())[:LINE] for line in text.splitlines() if line.strip()), "")


def last_line(text: str) -> str:
    return first_line("\n".join(reversed(text.splitlines())))
