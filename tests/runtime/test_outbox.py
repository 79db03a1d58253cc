"""The outbox over the real ledger: what begins, in which order, and what stays true when something fails."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import structlog

from forewarn.model.actions import Look, RunStep, Send, urgency
from forewarn.model.errors import DeliveryError, Reason, StoreError
from forewarn.model.inputs import Delivered
from forewarn.model.level import Level
from forewarn.model.map import Channel, Customer, Person, Secret
from forewarn.model.message import Message, MessageKind, MessageState
from forewarn.model.probe import Source
from forewarn.model.series import Outcome, ProbeRun
from forewarn.model.settings import Daemon, Settings
from forewarn.model.text import say
from forewarn.ports import StepOutcome
from forewarn.reach.local import run as run_here
from forewarn.runtime import perform
from forewarn.runtime.outbox import LOOK, Outbox
from forewarn.runtime.telemetry import Telemetry
from forewarn.store.ledger_sqlite import SqliteLedger

T0 = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)
SOURCE = Source("config/x.yaml", 1)


class Clock:
    def __init__(self) -> None:
        self.at = T0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()


def hook(host: str = "h.example") -> Channel:
    return Channel("webhook", Secret(f"json://u:pass@{host}/"))


def settings(*customers: str, hosts: dict[str, str] | None = None) -> Settings:
    """Customers and on-call-1, each with one webhook; at one host unless `hosts` says otherwise."""
    hosts = hosts or {}
    return Settings(
        id="3fa9c1",
        folder=".",
        loaded_at=T0,
        files=1,
        daemon=Daemon(zone=UTC, send_timeout_s=5.0),
        customers={
            name: Customer(name=name, title=name, zone=UTC, channels=(hook(hosts.get(name, f"{name}.example")),), source=SOURCE)
            for name in customers
        },
        people={"on-call-1": Person(name="on-call-1", title="L1", zone=UTC, channels=(hook("pager.example"),), source=SOURCE)},
    )


def message(n: int, kind: str = "notice", to: str = "c1", state: str = "queued", channels=("webhook",)) -> Message:
    return Message(
        id=f"M-{n}",
        kind=MessageKind(kind),
        subkind="started" if kind == "notice" else None,
        to=to,
        language="en",
        channels=channels,
        at=T0,
        state=MessageState(state),
        why=say("why.uses"),
        key=f"key-{n}",
        subject="Checkout is down",
        text="...",
        incident="INC-1",
    )


def send(n: int, of: int | None = None, *, at_s: float = 0.0, channel: int = 0, again: bool = True) -> Send:
    return Send(id=f"A-{n}", at=T0 + timedelta(seconds=at_s), message=f"M-{of or n}", channel=channel, again=again)


def step(n: int, *, kind: str = "run", again: bool = True, run: str = "R-1") -> RunStep:
    return RunStep(
        id=f"A-{n}", at=T0, run=run, step=0, kind=kind, where="local", spec={"argv": ["true"]}, timeout_s=5.0, again=again
    )


class Bench:
    """A ledger, an outbox over it, and a transport and a step runner that do what the test says."""

    def __init__(self, folder, given: Settings) -> None:
        self.ledger = SqliteLedger(folder / "ledger.db", T0)
        self.thread = ThreadPoolExecutor(1)
        self.clock, self.settings, self.telemetry = Clock(), given, Telemetry()
        self.sent: list[str] = []
        self.taken: list = []
        self.gate = asyncio.Event()
        self.gate.set()
        self.fault: dict[str, Exception] = {}
        self.core_fails = False
        self.at_once = self.most_at_once = 0
        self.step_answer: StepOutcome | Exception | Callable[..., Awaitable[StepOutcome]] = StepOutcome(
            result="ok", summary="done", output="out"
        )
        self.seen: dict[str, list[Outcome] | Exception] = {}  # what each probe sees when it is asked
        self.outbox = Outbox(
            self.ledger,
            lambda: self.settings,
            self.clock,
            lambda: {"webhook": self.transport},
            {"run": self.runner},
            self.run_once,
            self.report,
            self.thread,
            telemetry=self.telemetry,
        )

    async def run_once(self, probe: str) -> list[ProbeRun]:
        answer = self.seen[probe]
        if isinstance(answer, Exception):
            raise answer
        return [ProbeRun(probe=probe, target=str(at), at_s=0.0, outcome=one) for at, one in enumerate(answer)]

    async def transport(self, envelope, channel, timeout_s) -> None:
        self.sent.append(envelope.message)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        try:
            await self.gate.wait()
        finally:
            self.at_once -= 1
        if error := self.fault.get(envelope.message):
            raise error

    async def runner(self, spec, where, timeout_s) -> StepOutcome:
        if isinstance(self.step_answer, Exception):
            raise self.step_answer
        return await self.step_answer(spec) if callable(self.step_answer) else self.step_answer

    async def report(self, result) -> None:
        """The core's part: takes the result and marks the action done in one transaction."""
        self.taken.append(result)
        if self.core_fails:
            raise ValueError("the core has a bug")
        await asyncio.get_running_loop().run_in_executor(self.thread, self._take, result)

    def _take(self, result) -> None:
        entities = []
        if isinstance(result, Delivered):
            found = self.ledger.get(result.message)
            assert isinstance(found, Message)
            entities = [replace(found, state=MessageState(result.result))]
        self.ledger.commit(entities, [], [], {}, done=(result.action, self.clock.now()))

    async def order(self, *things) -> None:
        """What core would commit: messages and actions."""
        messages = [thing for thing in things if isinstance(thing, Message)]
        kinds = {message.id: message.kind for message in messages}
        actions = [_urgent(thing, kinds) for thing in things if not isinstance(thing, Message)]
        await asyncio.get_running_loop().run_in_executor(self.thread, self.ledger.commit, messages, [], actions, {})
        self.outbox.wake()

    async def until(self, true, within_s: float = 20.0) -> None:
        async with asyncio.timeout(within_s):
            while not true():
                await asyncio.sleep(0.002)

    async def settled(self) -> None:
        """Nothing at work and nothing more to begin now."""
        self.outbox.wake()
        await asyncio.sleep(0.03)
        await self.until(lambda: self.outbox.busy == 0)

    def results(self) -> dict[str, str]:
        return {result.action: result.result for result in self.taken}


def _urgent(action, kinds):
    """As core orders it; all are of one P2 incident, but what is a P0's page already."""
    return (
        replace(action, urgency=urgency(kinds.get(action.message), Level.P2))
        if isinstance(action, Send) and action.urgency
        else action
    )


@asynccontextmanager
async def bench(folder, given: Settings | None = None) -> AsyncIterator[Bench]:
    made = Bench(folder, given or settings("c1"))
    task = asyncio.create_task(made.outbox.run())
    try:
        yield made
        made.gate.set()
        await made.outbox.drain(20.0)
        await asyncio.wait_for(task, 20.0)  # drain ends run
    finally:
        task.cancel()
        made.thread.shutdown()
        made.ledger.close()


async def test_it_sends_what_is_due_and_the_rest_at_its_time(tmp_path):
    async with bench(tmp_path) as on:
        await on.order(message(1), message(2), send(1), send(2, at_s=3600))
        await on.until(lambda: on.taken)
        await on.settled()
        assert on.sent == ["M-1"]
        on.clock.at += timedelta(hours=1)
        await on.order()
        await on.until(lambda: len(on.taken) == 2)
    assert on.results() == {"A-1": "sent", "A-2": "sent"}
    assert on.taken[0].ms is not None
    labels = {"channel": "webhook", "kind": "notice", "result": "sent", "reason": ""}
    assert on.telemetry.value("forewarn_deliveries_total", **labels) == 2


async def test_it_sleeps_no_longer_than_until_the_next_action(tmp_path):
    async with bench(tmp_path) as on:
        await on.order(message(1), send(1, at_s=0.15))
        await asyncio.sleep(0.05)
        on.clock.at += timedelta(seconds=0.2)  # time goes by; nobody wakes it
        await on.until(lambda: on.taken, within_s=5.0)


@pytest.mark.parametrize("state", ["dropped", "sent", "held", "waiting_approval", "unknown", "failed"])
async def test_an_overtaken_message_is_not_sent(tmp_path, state):
    async with bench(tmp_path) as on:
        await on.order(message(1, state=state), send(1), send(2, of=99))
        await on.until(lambda: on.ledger.next_action_at() is None)
        assert on.ledger.load().in_flight == ()
        assert on.ledger.next_action_at() is None
    assert (on.sent, on.taken) == ([], [])


@pytest.mark.parametrize(
    ("given", "action"),
    [
        (message(1, to="gone"), send(1)),
        (message(1, "page", to="c1"), send(1)),  # a customer is never paged
        (message(1, to="on-call-1"), send(1)),  # a responder gets no notice
        (message(1, channels=("webhook", "mail")), send(1, channel=1)),
        (message(1, channels=("mail",)), send(1)),  # the address has become another kind
    ],
)
async def test_a_recipient_or_address_that_is_gone(tmp_path, given, action):
    async with bench(tmp_path) as on:
        await on.order(given, action)
        await on.until(lambda: on.taken)
    (result,) = on.taken
    assert (result.result, result.reason, result.permanent) == ("failed", "address", True)
    assert on.sent == []


async def test_a_kind_without_transport(tmp_path):
    given = settings("c1")
    person = replace(given.customers["c1"], channels=(Channel("person", Secret("person")),))
    async with bench(tmp_path, replace(given, customers={"c1": person})) as on:
        await on.order(message(1, channels=("person",)), send(1))
        await on.until(lambda: on.taken)
    assert (on.taken[0].reason, on.taken[0].permanent) == ("address", True)


@pytest.mark.parametrize(
    ("error", "again", "expected"),
    [
        (DeliveryError(Reason.RATE, "429", retry_after_s=7.0), True, ("failed", "rate", False, 7.0)),
        (DeliveryError(Reason.NO_SUCH, "404", permanent=True), True, ("failed", "no_such", True, None)),
        (DeliveryError(Reason.CONNECT, "cut", maybe_sent=True), False, ("unknown", "connect", False, None)),
        (TimeoutError(), False, ("unknown", "timeout", False, None)),
        (TimeoutError(), True, ("failed", "timeout", False, None)),
        (RuntimeError("password=geheim"), True, ("failed", "bug", True, None)),
    ],
)
async def test_failures_come_back_classified(tmp_path, error, again, expected):
    async with bench(tmp_path) as on:
        on.fault["M-1"] = error
        with structlog.testing.capture_logs() as lines:
            await on.order(message(1), message(2), send(1, again=again), send(2))
            await on.until(lambda: len(on.taken) == 2)
    result = next(result for result in on.taken if result.action == "A-1")
    assert (result.result, result.reason, result.permanent, result.retry_after_s) == expected
    assert on.results()["A-2"] == "sent"
    assert "geheim" not in (result.detail or "")
    assert any(line["event"] == "transport_failed" for line in lines) == (expected[1] == "bug")


async def test_a_transport_that_ignores_its_time_out_is_given_up(tmp_path, monkeypatch):
    monkeypatch.setattr(perform, "GRACE_S", 0.05)
    given = settings("c1")
    async with bench(tmp_path, replace(given, daemon=replace(given.daemon, send_timeout_s=0.05))) as on:
        on.gate.clear()
        await on.order(message(1), send(1, again=False))
        await on.until(lambda: on.taken)
    assert (on.taken[0].result, on.taken[0].reason) == ("unknown", "timeout")


async def test_pages_never_wait_behind_notices(tmp_path):
    names = [f"c{n}" for n in range(40)]
    async with bench(tmp_path, settings(*names)) as on:
        on.gate.clear()
        notices = [message(n + 1, to=name) for n, name in enumerate(names)]
        await on.order(*notices, *(send(n + 1, at_s=-60) for n in range(40)))
        await on.until(lambda: len(on.sent) == 6)
        await on.order(message(100, "page", to="on-call-1"), send(100))
        await on.until(lambda: "M-100" in on.sent)
        assert len(on.sent) == 7
        assert set(on.ledger.leased()) == set(on.sent)  # nothing is claimed that has not begun
        on.gate.set()
        await on.until(lambda: len(on.taken) == 41)
    assert sorted(on.sent) == sorted({f"M-{n + 1}" for n in range(40)} | {"M-100"})
    assert on.most_at_once <= 8


async def test_of_what_is_due_together_pages_begin_first(tmp_path):
    names = [f"c{n}" for n in range(10)]
    given = settings(*names)
    people = {f"p{n}": replace(given.people["on-call-1"], name=f"p{n}", channels=(hook(f"p{n}.example"),)) for n in range(4)}
    async with bench(tmp_path, replace(given, people=people)) as on:
        on.gate.clear()
        notices = [message(n + 1, to=name) for n, name in enumerate(names)]
        pages = [message(n + 51, "page", to=name) for n, name in enumerate(people)]
        await on.order(*notices, *pages, *(send(n + 1, at_s=-60) for n in range(10)), *(send(n + 51) for n in range(4)))
        await on.until(lambda: len(on.sent) == 8)
    assert on.sent[:4] == ["M-51", "M-52", "M-53", "M-54"]


async def test_a_page_is_never_behind_however_much_waits(tmp_path):
    """More than two looks of older notices, and all slots but those for pages are taken."""
    names = [f"c{n}" for n in range(6)]
    async with bench(tmp_path, settings(*names)) as on:
        on.gate.clear()
        many = range(1, 2 * LOOK + 50)
        await on.order(*(message(n, to=f"c{n % 6}") for n in many), *(send(n, at_s=-3600) for n in many))
        await on.until(lambda: len(on.sent) == 6)
        await on.order(message(9000, "page", to="on-call-1"), send(9000))
        await on.until(lambda: len(on.sent) == 7)
        assert on.sent[-1] == "M-9000"
        await on.outbox.drain(0.05)


async def test_things_for_a_slow_address_do_not_stand_in_the_way_of_others(tmp_path):
    hosts = {"a": "slow.example"}
    async with bench(tmp_path, settings("a", "b", hosts=hosts)) as on:
        on.gate.clear()
        many = range(1, LOOK + 50)
        await on.order(*(message(n, to="a") for n in many), *(send(n, at_s=-3600) for n in many))
        await on.order(message(9000, to="b"), send(9000))
        await on.until(lambda: len(on.sent) == 3)
        assert sorted(on.sent) == ["M-1", "M-2", "M-9000"]
        await on.outbox.drain(0.05)


async def test_a_page_gets_a_place_at_an_address_that_is_taken(tmp_path):
    async with bench(tmp_path, settings("a", hosts={"a": "pager.example"})) as on:
        on.gate.clear()
        await on.order(*(message(n, to="a") for n in (1, 2, 3)), *(send(n) for n in (1, 2, 3)))
        await on.until(lambda: len(on.sent) == 2)
        await on.order(*(message(n, "page", to="on-call-1") for n in (4, 5)), send(4), send(5))
        await on.until(lambda: len(on.sent) == 3)
        await asyncio.sleep(0.03)
        assert on.sent[2:] == ["M-4"]
        on.gate.set()
        await on.until(lambda: len(on.taken) == 5)


async def test_what_is_claimed_while_draining_is_given_back(tmp_path):
    async with bench(tmp_path) as on:
        claim, claimed, go_on = on.ledger.claim, threading.Event(), threading.Event()

        def slow(*given):
            found = claim(*given)
            if found:
                claimed.set()
                go_on.wait(5.0)
            return found

        on.ledger.claim = slow
        await on.order(message(1), send(1))
        await on.until(claimed.is_set)
        draining = asyncio.create_task(on.outbox.drain(5.0))
        await asyncio.sleep(0)
        go_on.set()
        assert await draining
        assert on.ledger.load().in_flight == ()
        assert on.ledger.next_action_at() == T0
    assert on.sent == []


async def test_one_address_gets_two_at_a_time_and_holds_up_nobody_else(tmp_path):
    names = ["a", "b", "c", "d"]
    hosts = {"a": "slow.example", "b": "slow.example", "c": "slow.example"}
    async with bench(tmp_path, settings(*names, hosts=hosts)) as on:
        on.gate.clear()
        await on.order(*(message(n + 1, to=name) for n, name in enumerate(names)), *(send(n + 1) for n in range(4)))
        await on.until(lambda: len(on.sent) == 3)
        await asyncio.sleep(0.02)
        assert sorted(on.sent) == ["M-1", "M-2", "M-4"]
        on.gate.set()
        await on.until(lambda: len(on.taken) == 4)


async def test_one_message_leaves_once_at_a_time(tmp_path):
    async with bench(tmp_path) as on:
        on.gate.clear()
        await on.order(message(1), send(1), send(2, of=1))
        await on.until(lambda: on.sent)
        on.outbox.wake()
        await asyncio.sleep(0.03)
        on.gate.set()
        await on.settled()
        assert on.ledger.next_action_at() is None
    assert on.sent == ["M-1"]  # the first was sent, so the second is overtaken


async def test_a_result_that_core_can_not_take_is_reported_again_and_not_performed_again(tmp_path):
    async with bench(tmp_path) as on:
        on.core_fails = True
        await on.order(message(1), send(1))
        await on.until(lambda: on.taken)
        await on.settled()
        on.core_fails = False
        on.clock.at += timedelta(minutes=5)  # the lease is over
        on.outbox.wake()
        await on.until(lambda: len(on.taken) == 2)
        await on.settled()
        assert on.ledger.load().in_flight == ()
    assert on.sent == ["M-1"]


async def test_what_takes_longer_than_its_lease_is_not_begun_twice(tmp_path):
    async with bench(tmp_path) as on:
        on.gate.clear()
        await on.order(message(1), send(1))
        await on.until(lambda: on.sent)
        on.clock.at += timedelta(hours=1)
        on.outbox.wake()
        await asyncio.sleep(0.05)
        on.gate.set()
        await on.until(lambda: on.taken)
        await on.settled()
    assert (on.sent, len(on.taken)) == (["M-1"], 1)


async def test_draining_lets_work_end_and_begins_nothing(tmp_path):
    async with bench(tmp_path) as on:
        on.gate.clear()
        await on.order(message(1), send(1))
        await on.until(lambda: on.sent)
        draining = asyncio.create_task(on.outbox.drain(20.0))
        await asyncio.sleep(0)
        await on.order(message(2), send(2))
        on.gate.set()
        assert await draining
        assert on.ledger.load().in_flight == ()
        assert on.ledger.next_action_at() == T0  # the second waits for the next start
    assert on.results() == {"A-1": "sent"}


async def test_what_does_not_end_while_draining_stays_in_flight(tmp_path):
    async with bench(tmp_path) as on:
        on.gate.clear()
        await on.order(message(1), message(2), send(1, again=False), send(2, at_s=60))
        await on.until(lambda: on.sent)
        assert not await on.outbox.drain(0.05)
        assert on.ledger.load().in_flight == ("A-1",)
    assert on.taken == []


async def test_a_failing_store_is_tried_again(tmp_path):
    async with bench(tmp_path) as on:
        claim, failures = on.ledger.claim, [1, 1]

        def broken(*given):
            if failures:
                failures.pop()
                raise StoreError("disk full")
            return claim(*given)

        on.ledger.claim = broken
        await on.order(message(1), send(1))
        await on.until(lambda: len(failures) <= 1)
        on.outbox.wake()
        await on.until(lambda: not failures)
        on.outbox.wake()
        await on.until(lambda: on.taken)
    assert on.results() == {"A-1": "sent"}


@pytest.mark.parametrize(
    ("answer", "kind", "again", "result"),
    [
        (StepOutcome(result="ok", summary="done", output="out"), "run", True, "ok"),
        (StepOutcome(result="failed", summary="exit 1"), "run", False, "failed"),
        (StepOutcome(result="unknown", summary="stopped"), "run", False, "unknown"),
        (StepOutcome(result="unknown", summary="stopped"), "run", True, "failed"),  # safe to repeat: then it has just failed
        (RuntimeError("bug"), "run", False, "unknown"),
        (RuntimeError("bug"), "run", True, "failed"),
        (StepOutcome(result="ok", summary=""), "dance", True, "failed"),
    ],
)
async def test_steps(tmp_path, answer, kind, again, result):
    async with bench(tmp_path) as on:
        on.step_answer = answer
        await on.order(step(1, kind=kind, again=again))
        await on.until(lambda: on.taken)
        await on.settled()
        assert on.ledger.load().in_flight == ()
    (ended,) = on.taken
    assert (ended.action, ended.run, ended.step, ended.result) == ("A-1", "R-1", 0, result)
    assert ended.summary


async def test_secrets_of_addresses_are_in_no_log_line(tmp_path):
    async with bench(tmp_path) as on:
        on.fault["M-1"] = RuntimeError("x")
        with structlog.testing.capture_logs() as lines:
            await on.order(message(1), message(2), send(1), send(2))
            await on.until(lambda: len(on.taken) == 2)
    assert lines
    assert "pass@" not in repr(lines) + repr(on.taken)


async def test_witnesses_are_run_at_once_and_say_what_they_see(tmp_path):
    async with bench(tmp_path) as on:
        on.seen = {
            "outside": [Outcome.UP, Outcome.UP],
            "partly": [Outcome.UP, Outcome.DOWN],
            "blind": [Outcome.UP, Outcome.UNKNOWN],
            "broken": ValueError("a prober's bug"),
            "empty": [],
        }
        await on.order(Look(id="A-1", at=T0, incident="INC-1", probes=tuple(on.seen)))
        await on.until(lambda: on.taken)
        await on.settled()
    (looked,) = on.taken
    assert (looked.action, looked.incident) == ("A-1", "INC-1")
    assert {one.probe: one.outcome for one in looked.heard} == {
        "outside": "up", "partly": "down", "blind": "unknown", "broken": "unknown", "empty": "unknown",
    }  # fmt: skip


async def test_what_a_step_says_is_heard_of_its_run_and_only_while_it_runs(tmp_path):
    gates = {name: tmp_path / name for name in ("one", "two")}

    async def talking(spec):
        name = spec["argv"][-1]
        script = 'echo "$0 speaks"; while [ ! -e "$1" ]; do sleep 0.01; done'
        ran = await run_here(["sh", "-c", script, name, str(gates[name])], 20)
        return StepOutcome(result="ok", summary=ran.out)

    async with bench(tmp_path) as it:
        it.step_answer = talking
        orders = [replace(step(n, run=f"R-{n}"), spec={"argv": [name]}) for n, name in enumerate(gates, 1)]
        await it.order(*orders)
        await it.until(lambda: all(it.outbox.saying(f"R-{n}") for n in (1, 2)))
        heard = {f"R-{n}": it.outbox.saying(f"R-{n}") for n in (1, 2, 3)}
        for gate in gates.values():
            gate.touch()
        await it.settled()
        assert heard == {"R-1": "one speaks", "R-2": "two speaks", "R-3": ""}
        assert it.outbox.saying("R-1") == it.outbox.saying("R-2") == ""
