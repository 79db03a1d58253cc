"""A storm of messages to one chat account: what it takes a minute, what is kept for a P0, and when the rest leaves."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from test_outbox import T0, bench, message, send, settings

from forewarn.model.errors import DeliveryError, Reason
from forewarn.model.map import Channel, Secret
from forewarn.model.settings import Budget

ROBOT = Channel("webhook", Secret("dingtalk://robot-token/"))


def chatting(budget: Budget | None = None):
    """Customer c1 and on-call-1 behind the same robot."""
    given = settings("c1", "c2")
    daemon = replace(given.daemon, budgets={**given.daemon.budgets, "dingtalk": budget}) if budget else given.daemon
    return replace(
        given,
        daemon=daemon,
        customers={**given.customers, "c1": replace(given.customers["c1"], channels=(ROBOT,))},
        people={"on-call-1": replace(given.people["on-call-1"], channels=(ROBOT,))},
    )


async def test_a_storm_leaves_room_for_a_p0_and_the_rest_follows_a_minute_later(tmp_path):
    async with bench(tmp_path, chatting()) as on:
        await on.order(*(message(n) for n in range(1, 31)), *(send(n) for n in range(1, 31)))
        await on.until(lambda: len(on.taken) == 10)
        await on.settled()
        assert len(on.sent) == 10, "of 15 a minute 5 are kept"
        await on.order(message(40, "page", to="on-call-1"), replace(send(40), urgency=0))
        await on.until(lambda: "M-40" in on.sent)
        await on.order(message(41, to="c2"), send(41))
        await on.until(lambda: "M-41" in on.sent)
        assert 'forewarn_budget_waits_total{provider="dingtalk"}' in on.telemetry.text()
        on.clock.at = T0 + timedelta(seconds=59)
        await on.settled()
        assert len(on.sent) == 12, "the minute is not over"
        on.clock.at = T0 + timedelta(seconds=61)
        on.outbox.wake()
        await on.until(lambda: len(on.sent) == 22)
        on.clock.at = T0 + timedelta(seconds=122)
        on.outbox.wake()
        await on.until(lambda: len(on.sent) == 32)
        assert sorted(on.sent, key=lambda id: int(id[2:])) == [*(f"M-{n}" for n in range(1, 31)), "M-40", "M-41"]


async def test_even_p0_pages_stop_where_the_provider_would_fall_silent(tmp_path):
    async with bench(tmp_path, chatting(Budget(3, 2))) as on:
        for n in range(1, 6):
            await on.order(message(n, "page", to="on-call-1"), replace(send(n), urgency=0))
        await on.until(lambda: len(on.taken) == 3)
        await on.settled()
        assert len(on.sent) == 3
        on.clock.at = T0 + timedelta(seconds=61)
        on.outbox.wake()
        await on.until(lambda: len(on.sent) == 5)


async def test_a_provider_that_says_when_is_left_alone_until_then(tmp_path):
    async with bench(tmp_path, chatting()) as on:
        on.fault["M-1"] = DeliveryError(Reason.REFUSED, "429", retry_after_s=90.0)
        await on.order(message(1), send(1))
        await on.until(lambda: on.taken)
        await on.order(message(2), send(2), message(3, to="c2"), send(3))
        await on.until(lambda: "M-3" in on.sent)
        await on.settled()
        assert on.sent == ["M-1", "M-3"]
        on.clock.at = T0 + timedelta(seconds=91)
        on.outbox.wake()
        await on.until(lambda: "M-2" in on.sent)
