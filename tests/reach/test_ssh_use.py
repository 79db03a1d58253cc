"""Probes and steps on hosts: what becomes of a host that answers, and of one that does not."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sshd import Sshd, new_key, running

from forewarn.core.overview import glance
from forewarn.core.show import host_away
from forewarn.model.map import Host
from forewarn.model.probe import Probe, Source, Target
from forewarn.model.series import Outcome, ProbeRun
from forewarn.ports import ProbeView, StepOutcome, TargetView
from forewarn.probers import PROBERS
from forewarn.probers.once import run_once
from forewarn.reach.fleet import Fleet
from forewarn.steps import build
from forewarn.web.now import blind


def probe(*argv: str, hosts: tuple[str, ...] = ("web-1",), timeout_s: float = 20.0) -> Probe:
    return Probe(
        name="p",
        kind="command",
        every_s=60.0,
        timeout_s=timeout_s,
        targets=tuple(Target(host, "local", host) for host in hosts),
        options=PROBERS["command"].options.model_validate({"argv": argv}),
        rules=(),
        where=hosts,
        source=Source("probes/p.yaml", 1),
    )


def looked(what: Probe, *hosts: Host) -> tuple[ProbeRun, ...]:
    async def run() -> tuple[ProbeRun, ...]:
        fleet = Fleet({host.name: host for host in hosts})
        try:
            return await run_once("async", PROBERS["command"].on(fleet).make(), what, time.time())
        finally:
            fleet.close()

    return asyncio.run(run())


def test_a_check_program_of_each_host_is_judged_under_its_name(shared: Sshd, key: Path) -> None:
    what = probe("sh", "-c", "echo 'WARNING 负载 | load=7'; exit 1", hosts=("web-1", "web-2"))
    first, second = looked(what, shared.host(key), shared.host(key, "web-2"))
    assert (first.target, second.target) == ("web-1", "web-2")
    for run in (first, second):
        assert (run.outcome, run.detail) == (Outcome.UP, "WARNING 负载")
        assert dict(zip(run.columns, run.values, strict=True)) == {("state", ()): 1.0, ("value", (("name", "load"),)): 7.0}


@pytest.mark.parametrize(
    ("argv", "more", "reason", "says"),
    [
        (("no-such-check",), {}, "no_tool", "is missing on web-1"),
        (("true",), {"port": 1}, "refused", "refuses connections"),
        (("true",), {"address": "no-such-host.invalid"}, "resolve", "can't be resolved"),
        (("true",), {"known_hosts": ()}, "host_key", "forewarn hosts trust web-1"),
    ],
)
def test_could_not_look_is_never_down(argv, more, reason: str, says: str, shared: Sshd, key: Path) -> None:
    (run,) = looked(probe(*argv), shared.host(key, **more))
    assert (run.outcome, run.reason, run.values) == (Outcome.UNKNOWN, reason, ())
    assert says in (run.detail or "")


def test_a_check_that_does_not_end_is_a_time_out_of_the_check_not_of_the_host(shared: Sshd, key: Path) -> None:
    (run,) = looked(probe("sleep", "30", timeout_s=1.5), shared.host(key))
    assert (run.outcome, run.reason) == (Outcome.UNKNOWN, "timeout")
    assert host_away(probe("x"), view("web-1", "timeout")) is None


def view(target: str, reason: str | None) -> TargetView:
    outcome = "unknown" if reason else "up"
    return TargetView(target=target, outcome=outcome, reason=reason, detail=reason, at=datetime.now(UTC), lateness_ms=0.0)


class Plain:
    """A reader whose words are the keys'."""

    def word(self, key: str, otherwise: str) -> str:
        return otherwise


def test_a_host_that_is_away_is_one_thing_that_can_not_be_seen_however_many_probes_look_there() -> None:
    hosts = ("web-1", "web-2")
    views = [
        ProbeView(
            probe=replace(probe("x", hosts=hosts), name=f"p{n}"), targets=(view("web-1", "refused"), view("web-2", "no_tool"))
        )
        for n in range(5)
    ]
    found = {one.reason: one.names for one in blind(glance(views), Plain())}  # type: ignore[arg-type]
    assert found == {"refused": ["web-1"], "no tool": [f"p{n} web-2" for n in range(5)]}


# --- steps ------------------------------------------------------------------------------------------------------------


def stepped(spec: dict[str, object], host: Host, timeout_s: float = 20.0, cut: object = None) -> StepOutcome:
    async def none(name: str) -> list[ProbeRun]:
        raise KeyError(name)

    async def run() -> StepOutcome:
        fleet = Fleet({host.name: host})
        try:
            work = asyncio.create_task(build(none, fleet)["run"](spec, host.name, timeout_s))  # type: ignore[arg-type]
            if cut:
                await cut()  # type: ignore[operator]
            return await work
        finally:
            fleet.close()

    return asyncio.run(run())


def test_a_step_runs_there_with_its_values_as_they_are(shared: Sshd, key: Path) -> None:
    outcome = stepped({"argv": ["echo", "$(id)", ";", "ls", "*"]}, shared.host(key))
    assert (outcome.result, outcome.summary, outcome.facts["exit"]) == ("ok", "$(id) ; ls *", "0")


def test_a_step_that_may_not_names_the_account_of_the_host(shared: Sshd, key: Path) -> None:
    outcome = stepped({"argv": ["sh", "-c", "echo permission denied >&2; exit 4"]}, shared.host(key))
    assert outcome.result == "failed" and f"not allowed for user {shared.user} on web-1" in outcome.summary


def test_a_step_that_never_left_failed_and_one_that_was_cut_is_unknown(sshd, key: Path, tmp_path: Path) -> None:
    daemon, span = sshd(), f"300.{secrets.randbelow(10**9):09d}"

    async def cut() -> None:
        while not running("sleep", span):
            await asyncio.sleep(0.05)
        daemon.cut()

    assert stepped({"argv": ["true"]}, daemon.host(key, port=1)).result == "failed"
    assert stepped({"argv": ["true"]}, daemon.host(new_key(tmp_path / "own"))).result == "failed"
    outcome = stepped({"argv": ["sleep", span]}, daemon.host(key), cut=cut)
    assert outcome.result == "unknown" and "was cut" in outcome.summary
    assert stepped({"argv": ["sleep", "30"]}, daemon.host(key), timeout_s=1.5).result == "unknown"


def test_an_http_call_is_made_from_here(shared: Sshd, key: Path) -> None:
    outcome = stepped({"http": {"url": "http://127.0.0.1:1/"}}, shared.host(key))
    assert outcome.result == "failed" and "made from this machine" in outcome.summary
