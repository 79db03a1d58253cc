"""The webhook sender against a real HTTP server with every failure that it can meet."""

from __future__ import annotations

import json
import socket
import time

import pytest
from fault_servers import DRIP, HANG, RESET, Hook, answer, channel, daemon, envelope

from forewarn.model.errors import DeliveryError, Reason
from forewarn.transports.webhook import Webhook, retry_after_s, webhook_address

SECRET = "s3cret-Pa55"


async def send(url: str, timeout_s: float = 3.0) -> None:
    await Webhook(daemon())(envelope(), channel(url, "webhook"), timeout_s)


async def fails(hook: Hook, timeout_s: float = 3.0, scheme: str = "json") -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await send(f"{scheme}://ops:{SECRET}@localhost:{hook.port}/hook?-key={SECRET}", timeout_s)
    assert SECRET not in str(caught.value) + repr(caught.value)
    assert not caught.value.maybe_sent  # a repeat with the same key does no harm
    return caught.value


async def test_what_is_posted():
    async with Hook(answer("204 No Content")).up() as hook:
        await send(f"json://ops:{SECRET}@127.0.0.1:{hook.port}/in/下单?+X-Team=shop&-token=a%26b")
    head = hook.heads[0]
    assert head.startswith("POST /in/%E4%B8%8B%E5%8D%95?token=a%26b HTTP/1.1\r\n")
    assert 'Idempotency-Key: "5f1c"' in head
    assert "X-Team: shop" in head
    assert "Authorization: Basic b3BzOnMzY3JldC1QYTU1" in head
    assert "application/json" in head
    body = json.loads(hook.bodies[0])
    assert list(body) == ["id", "kind", "subkind", "to", "language", "subject", "text", "incident", "key"]
    assert body["subject"] == "【提前告知】今晚下单可能变慢"
    assert (body["id"], body["key"], body["incident"], body["to"]) == ("M-7", "5f1c", "INC-3", "customer-zh")


async def test_500_then_429_with_retry_after_then_a_hang_then_it_works():
    async with Hook(answer("500 Oops"), answer("429 Slow down", "Retry-After: 7"), HANG, answer("200 OK")).up() as hook:
        first, second = await fails(hook), await fails(hook)
        began = time.monotonic()
        third = await fails(hook, timeout_s=0.2)
        took_s = time.monotonic() - began
        await send(f"json://localhost:{hook.port}/hook")
    assert (first.reason, first.permanent, first.retry_after_s) == (Reason.SERVER, False, None)
    assert (second.reason, second.permanent, second.retry_after_s) == (Reason.RATE, False, 7.0)
    assert (third.reason, third.permanent) == (Reason.TIMEOUT, False)
    assert 0.15 < took_s < 10.0
    keys = {line for head in hook.heads for line in head.splitlines() if line.startswith("Idempotency-Key")}
    assert keys == {'Idempotency-Key: "5f1c"'}


@pytest.mark.parametrize(
    ("status", "reason", "permanent"),
    [
        ("301 Moved", Reason.REFUSED, True),
        ("400 Bad", Reason.REFUSED, True),
        ("401 Who", Reason.AUTH, True),
        ("403 No", Reason.AUTH, True),
        ("404 Not here", Reason.NO_SUCH, True),
        ("408 Late", Reason.TIMEOUT, False),
        ("409 Busy with it", Reason.SERVER, False),
        ("410 Gone", Reason.NO_SUCH, True),
        ("422 Other text for this key", Reason.REFUSED, True),
        ("429 Slow", Reason.RATE, False),
        ("503 Down", Reason.SERVER, False),
    ],
)
async def test_answers(status, reason, permanent):
    async with Hook(answer(status, body=b"because token=abcdef123")).up() as hook:
        error = await fails(hook)
    assert (error.reason, error.permanent) == (reason, permanent)
    assert f"HTTP {status[:3]}" in error.detail
    assert "abcdef123" not in error.detail


async def test_a_redirect_is_not_followed():
    async with Hook(answer("200 OK")).up() as other:
        async with Hook(answer("307 There", f"Location: http://127.0.0.1:{other.port}/")).up() as hook:
            error = await fails(hook)
        assert other.heads == []
    assert "not followed" in error.detail


async def test_an_answer_that_echoes_our_secret_is_masked():
    async with Hook(answer("400 Bad", body=f"no user {SECRET}".encode())).up() as hook:
        assert "no user ***" in (await fails(hook)).detail


async def test_a_huge_answer_is_read_only_a_little():
    head = b"HTTP/1.1 400 Bad\r\nContent-Length: 2000000000\r\n\r\n"
    async with Hook(head + b"x" * 100_000).up() as hook:
        error = await fails(hook)
    assert error.reason is Reason.REFUSED
    assert len(error.detail) < 300


@pytest.mark.parametrize(
    ("behaviour", "reason"),
    [
        (RESET, Reason.CONNECT),
        (b"", Reason.CONNECT),
        (b"nonsense\r\n\r\n", Reason.CONNECT),
        (b"HTTP/1.1 200 OK\r\nX: " + b"y" * 70_000 + b"\r\n\r\n", Reason.CONNECT),
    ],
)
async def test_broken_answers(behaviour, reason):
    async with Hook(behaviour).up() as hook:
        error = await fails(hook)
    assert (error.reason, error.permanent) == (reason, False)


async def test_a_dripping_answer_ends_at_the_deadline():
    async with Hook(DRIP).up() as hook:
        began = time.monotonic()
        error = await fails(hook, timeout_s=0.2)
    assert error.reason is Reason.TIMEOUT
    assert time.monotonic() - began < 10.0


async def test_a_yes_counts_although_its_body_never_comes():
    async with Hook(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n").up() as hook:
        await send(f"json://localhost:{hook.port}/", timeout_s=0.2)


async def test_nobody_listens():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(DeliveryError) as caught:
            await send(f"json://localhost:{port}/")
    assert caught.value.reason is Reason.CONNECT
    assert caught.value.detail == f"localhost:{port}: connection refused"


async def test_tls_is_checked(trust):
    async with Hook(answer("200 OK")).up(trust.context("localhost")) as right:
        await send(f"jsons://localhost:{right.port}/")
    assert right.heads
    async with Hook(answer("200 OK")).up(trust.context("other.example")) as wrong:
        error = await fails(wrong, scheme="jsons")
    assert (error.reason, error.permanent, wrong.heads) == (Reason.TLS, True, [])
    assert "localhost" in error.detail


async def test_an_unknown_authority_is_not_trusted(authority):
    async with Hook(answer("200 OK")).up(authority.context("localhost")) as hook:
        error = await fails(hook, scheme="jsons")
    assert (error.reason, hook.heads) == (Reason.TLS, [])


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("json:///path", "no host"),
        ("http://host/", "json://"),
        ("json://h/?token=1", "-token=.."),
        ("json://h/?+Host=evil", "not an option"),
        ("json://h/?+X%0D%0AY=1", "not an option"),
        ("json://h/?+X=%0D%0Aevil", "not an option"),
        ("json://h:99999/", "not a URL"),
        ("json://h/?-a=1&-a=2", "twice"),
        ("json://u:p@h/a b", "space"),
    ],
)
def test_addresses_that_can_not_be_used(url, says):
    with pytest.raises(DeliveryError, match="address") as caught:
        webhook_address(url)
    assert says in caught.value.detail
    assert caught.value.permanent


DATE = "Sun, 22 Nov 2026 10:00:00 GMT"


@pytest.mark.parametrize(
    ("headers", "wait_s"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "99999999999999999999"}, 86_400.0),
        ({"retry-after": "-3"}, None),
        ({"retry-after": "soon"}, None),
        ({"retry-after": "Sun, 22 Nov 2026 10:02:00 GMT", "date": DATE}, 120.0),
        ({"retry-after": "Sun, 22 Nov 2026 09:00:00 GMT", "date": DATE}, 0.0),
        ({"retry-after": "Sun, 22 Nov 2026 10:02:00 GMT"}, None),
    ],
)
def test_retry_after(headers, wait_s):
    assert retry_after_s(headers) == wait_s


def test_nothing_of_an_address_shows_in_its_repr():
    assert SECRET not in repr(webhook_address(f"json://u:{SECRET}@h/{SECRET}?-k={SECRET}&+X={SECRET}"))
