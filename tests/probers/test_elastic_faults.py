"""kind elasticsearch against servers that fail in one way each: cannot see with the reason, and nothing is lost."""

from __future__ import annotations

import asyncio
import hashlib
import json
import socket
import ssl
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from elastic_recorded import read_request, response
from elastic_story import START, Story
from probing import certificate, probe, saying, server

from forewarn.model.probe import Target
from forewarn.probers.reasons import Reason

ES = {"x-elastic-product": "Elasticsearch", "content-type": "application/vnd.elasticsearch+json;compatible-with=8"}
SHARDS = {"total": 1, "successful": 1, "skipped": 0, "failed": 0}
Reply = tuple[int, dict[str, str], Any]


def error(status: int, said: str) -> Reply:
    return status, ES, {"error": {"root_cause": [], "type": "some_exception", "reason": said}, "status": status}


def hit(n: int, at_s: float) -> dict[str, Any]:
    return {"_index": "logs", "_id": str(n), "_score": None, "fields": {"message": [f"line {n}"]}, "sort": [round(at_s * 1000), n]}


class Fake:
    """Answers like Elasticsearch, unless `fault` says something else for a path."""

    def __init__(self, fault: Callable[[str, dict[str, Any]], Reply | bytes | None] | None = None) -> None:
        self.fault = fault or (lambda path, body: None)
        self.hits: list[dict[str, Any]] = []
        self.sizes: list[int] = []
        self.headers: list[dict[str, str]] = []

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            method, path, headers, body = await read_request(reader)
            self.headers.append(headers)
            asked = json.loads(body or b"{}")
            made = self.fault(path, asked)
            if made is None:
                made = self._answer(method, path, asked)
            if isinstance(made, bytes):
                writer.write(made)
                await writer.drain()
                return
            status, sent, answer = made
            writer.write(response(status, sent, json.dumps(answer).encode()))
            await writer.drain()

    def _answer(self, method: str, path: str, asked: dict[str, Any]) -> Reply:
        if "_pit" in path:
            return (
                200,
                ES,
                {"id": "a point in time", "_shards": SHARDS} if method == "POST" else {"succeeded": True, "num_freed": 1},
            )
        self.sizes.append(asked["size"])
        span = asked["query"]["bool"]["filter"][0]["range"]["@timestamp"]
        after = asked.get("search_after", [-1, -1])
        found = [one for one in self.hits if span["gte"] <= one["sort"][0] < span["lt"] and one["sort"] > after]
        return 200, ES, {"took": 1, "timed_out": False, "_shards": SHARDS, "hits": {"hits": found[: asked["size"]]}}


def story(url: str, timeout_s: float = 5.0, **options: Any) -> Story:
    return Story(probe("elasticsearch", url.rstrip("/"), timeout_s=timeout_s, index="logs", **options))


def on_search(reply: Reply | bytes) -> Callable[[str, dict[str, Any]], Reply | bytes | None]:
    return lambda path, body: reply if path.startswith("/_search") else None


CUT = (
    b"HTTP/1.1 200 OK\r\nx-elastic-product: Elasticsearch\r\ncontent-type: application/json\r\ncontent-length: 500\r\n\r\n"
    + b'{"took": 1, "hi'
)
FAULTS: list[tuple[str, Callable[..., Any], Reason, str]] = [
    ("429", on_search(error(429, "too many requests, circuit breaker")), Reason.BUSY, "429: too many requests, circuit breaker"),
    ("503", on_search(error(503, "no master")), Reason.BUSY, "503: no master"),
    ("503 page", on_search((503, {"content-type": "text/html"}, "<html>")), Reason.BUSY, "503"),
    ("413", on_search(error(413, "request too large")), Reason.TOO_BIG, "413: request too large"),
    ("401", lambda path, body: error(401, "unable to authenticate"), Reason.PERMISSION, "401: unable to authenticate"),
    ("403", on_search(error(403, "action is unauthorized for API key")), Reason.PERMISSION, "403: action is unauthorized"),
    ("404", lambda path, body: error(404, "no such index [logs]"), Reason.MISSING, "404: no such index"),
    ("400", on_search(error(400, "Failed to parse query [a:(]")), Reason.CONFIG, "400: Failed to parse query"),
    ("500", on_search(error(500, "null")), Reason.STATUS, "500"),
    (
        "wrong product",
        lambda path, body: (200, {"content-type": "application/json"}, {"id": "x"}),
        Reason.PROTOCOL,
        "not Elasticsearch",
    ),
    ("web page", lambda path, body: (200, {"content-type": "text/html"}, "<html>"), Reason.PROTOCOL, ""),
    ("cut off", on_search(CUT), Reason.PROTOCOL, ""),
    (
        "no JSON",
        on_search(
            b"HTTP/1.1 200 OK\r\nx-elastic-product: Elasticsearch\r\ncontent-type: application/json\r\ncontent-length: 5\r\n\r\n{nope"
        ),
        Reason.PROTOCOL,
        "not JSON",
    ),
    ("another JSON", on_search((200, ES, {"hello": "world"})), Reason.PROTOCOL, "not one of Elasticsearch's"),
    ("hits without sort", on_search((200, ES, {"_shards": SHARDS, "hits": {"hits": [{}]}})), Reason.PROTOCOL, "KeyError"),
    ("closed", on_search(b""), Reason.RESET, ""),
    (
        "timed out inside",
        on_search((200, ES, {"timed_out": True, "_shards": SHARDS, "hits": {"hits": []}})),
        Reason.TIMEOUT,
        "its own time limit",
    ),
    (
        "a shard failed",
        on_search(
            (200, ES, {"_shards": {"total": 2, "failed": 1, "failures": [{"reason": {"reason": "disk"}}]}, "hits": {"hits": []}})
        ),
        Reason.BUSY,
        "1 of 2 shards failed: disk",
    ),
]


@pytest.mark.parametrize(("fault", "reason", "said"), [one[1:] for one in FAULTS], ids=[one[0] for one in FAULTS])
async def test_a_fault_is_cannot_see_and_loses_nothing(fault: Any, reason: Reason, said: str) -> None:
    fake = Fake()
    async with server(fake) as url:
        told = story(url)
        await told.play()
        fake.hits = [hit(n, START + 1 + n) for n in range(3)]
        fake.fault = fault
        await told.play(None)
        run = told.runs[-1]
        assert (str(run.outcome), run.reason, run.cursor) == ("unknown", reason, None)
        assert said in str(run.detail)
        fake.fault = lambda path, body: None
        await told.play(None)
        assert told.runs[-1].reason is None
        assert told.counts("matches_total") == {"": 3}


async def test_pages_get_smaller_while_it_is_too_busy_and_grow_again() -> None:
    fake = Fake(lambda path, body: error(429, "circuit breaker") if body.get("size", 0) > 150 else None)
    async with server(fake) as url:
        told = story(url)
        await told.play(None, None, None, None)
    assert [str(run.reason) for run in told.runs][:3] == ["busy", "busy", "None"]
    assert fake.sizes[0] == 125


async def test_a_hang_is_a_timeout_and_ends_in_time() -> None:
    async with server(saying(b"", then=60)) as url:
        told = story(url, timeout_s=0.3)
        await told.play()
    assert (told.runs[-1].outcome, told.runs[-1].reason) == ("unknown", Reason.TIMEOUT)


async def test_nobody_listens_and_no_such_name() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        refused = story(f"http://127.0.0.1:{held.getsockname()[1]}")
        await refused.play()
    assert refused.runs[-1].reason is Reason.REFUSED
    unnamed = story("http://no-such-host.invalid:9200")
    await unnamed.play()
    assert unnamed.runs[-1].reason in (Reason.RESOLVE, Reason.TIMEOUT)  # TIMEOUT where the resolver itself does not answer


async def test_the_second_node_answers_for_the_first() -> None:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        async with server(Fake()) as url:
            told = story(f"http://127.0.0.1:{held.getsockname()[1]} {url.rstrip('/')}")
            await told.play(None, None)
    assert [run.reason for run in told.runs] == [None, None, None]


async def test_certificates(tmp_path: Path) -> None:
    context = certificate(tmp_path)
    der = ssl.PEM_cert_to_DER_cert((tmp_path / "cert.pem").read_text())
    async with server(Fake(), tls=context) as url:
        for options, reason in (
            ({}, Reason.TLS),
            ({"ca_file": str(tmp_path / "cert.pem")}, None),
            ({"fingerprint": hashlib.sha256(der).hexdigest()}, None),
            ({"fingerprint": "ab" * 32}, Reason.TLS),
            ({"verify": False}, None),
            ({"ca_file": str(tmp_path / "none.pem")}, Reason.CONFIG),
        ):
            told = story(url, **options)
            await told.play()
            assert told.runs[-1].reason == reason, (options, told.runs[-1].detail)


async def test_keys_and_passwords_are_sent_read_anew_and_never_shown(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text("Zmlyc3Q=\nmore\n")
    fake = Fake(
        lambda path, body: (
            error(401, "unable to authenticate Zmlyc3Q=") if "Zmlyc3Q=" in fake.headers[-1]["authorization"] else None
        )
    )
    async with server(fake) as url:
        told = story(url, api_key_file=str(key))
        await told.play()
        assert told.runs[-1].reason is Reason.PERMISSION
        key.write_text("c2Vjb25k\n")
        await told.play()
        assert told.runs[-1].reason is None
        assert fake.headers[-1]["authorization"] == "ApiKey c2Vjb25k"
        basic = story(url, basic={"user": "forewarn", "password_file": str(key)})
        await basic.play()
        assert fake.headers[-1]["authorization"].startswith("Basic ")
    assert "Zmlyc3Q=" not in "".join(str(run.detail) for run in told.runs)


@pytest.mark.parametrize(("text", "reason"), [(None, Reason.MISSING), ("\n", Reason.CONFIG), (b"\xff\xfe", Reason.PERMISSION)])
async def test_secret_files_that_can_not_be_used(text: Any, reason: Reason, tmp_path: Path) -> None:
    key = tmp_path / "key"
    if text is not None:
        key.write_bytes(text if isinstance(text, bytes) else text.encode())
    told = story("http://127.0.0.1:1", api_key_file=str(key))
    await told.play()
    assert told.runs[-1].reason is reason


async def test_a_target_that_is_no_address() -> None:
    told = story("es-1.example:9200")
    await told.play()
    assert (told.runs[-1].reason, told.runs[-1].detail) == (
        Reason.CONFIG,
        "es-1.example:9200 is not an address; write https://es-1.example:9200",
    )


async def test_one_cluster_that_fails_does_not_hold_the_other() -> None:
    fine = Fake()
    async with server(fine) as url, server(Fake(lambda path, body: error(503, "no master"))) as bad:
        one = story(url)
        one.probe = replace(one.probe, targets=(Target("good", url.rstrip("/")), Target("bad", bad.rstrip("/"))))
        one.restart()
        await one.play()
        fine.hits = [hit(1, START + 3)]
        await one.play(None)
    assert {run.target: run.reason for run in one.runs} == {"good": None, "bad": Reason.BUSY}
    assert set(one.cursor or {}) == {"good"}
