"""Ten people at one incident and one message of a real daemon: nothing that anybody wrote is lost, and who came late is told why."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.client import HTTPConnection
from threading import Barrier
from typing import Any

from fault_bench import CUSTOMERS, Bench, bench

TEN = tuple(f"on-call-{n}" for n in range(1, 11))
LINES = {who: f"We looked at part {n} of ten." for n, who in enumerate(TEN, 1)}
TRIES = 60


class Wire:
    """One person's connection to the API."""

    def __init__(self, on: Bench) -> None:
        port = json.loads((on.folder / "state" / "daemon.json").read_text())["port"]
        token = (on.folder / "state" / "token").read_text().strip()
        self._wire = HTTPConnection("127.0.0.1", port, timeout=30)
        self._headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def ask(self, method: str, path: str, body: dict[str, Any] | None = None) -> tuple[int, dict[str, Any]]:
        self._wire.request(method, f"/api/v1/{path}", json.dumps(body) if body else None, self._headers)
        answer = self._wire.getresponse()
        return answer.status, json.loads(answer.read())

    def close(self) -> None:
        self._wire.close()


async def together(on: Bench, act: Any) -> dict[str, Any]:
    """`act(who, wire)` of all ten, let go at the same moment; what each of them got."""
    gate = Barrier(len(TEN))

    def one(who: str) -> Any:
        with closing(Wire(on)) as wire:
            gate.wait(30)
            return act(who, wire)

    with ThreadPoolExecutor(len(TEN)) as pool:
        asked = [pool.submit(one, who) for who in TEN]
        answers = [await asyncio.wrap_future(each) for each in asked]
    return dict(zip(TEN, answers, strict=True))


async def declared(on: Bench) -> str:
    ran = await on.command("incident", "declare", "Orders are empty", "--service", "orders", "--level", "P3", "--by", "on-call-1")
    return str(ran.stdout).split()[0]


async def test_of_ten_who_act_on_what_they_saw_one_does_and_nine_are_told_what_and_by_whom(tmp_path):
    async with bench(tmp_path, {}, CUSTOMERS) as on:
        id = await declared(on)
        seen = (await on.incident(id=id))["version"]

        def take(who: str, wire: Wire) -> tuple[int, dict[str, Any]]:
            return wire.ask("POST", "commands", {"verb": "acknowledge", "id": id, "by": who, "version": seen})

        answers = await together(on, take)
        won = [who for who, (status, _) in answers.items() if status == 200]
        late = [body for status, body in answers.values() if status == 409]
        assert (len(won), len(late)) == (1, 9), answers
        assert (await on.incident(id=id))["owner"] == won[0]
        for body in late:
            assert (body["key"], body["id"]) == ("refused.version", id)
            assert body["version"] > seen
            assert [(line["by"], line["what"]) for line in body["changes"]] == [(won[0], f"{won[0]} has taken it")]


async def test_ten_who_write_into_one_draft_lose_nothing(tmp_path):
    """Each adds a line of their own to the text as they saw it, and begins anew when somebody was faster."""
    async with bench(tmp_path, {}, CUSTOMERS) as on:
        id = await declared(on)
        ran = await on.command("incident", "tell", id, "update", "customer-en", "--by", "on-call-1")
        notice = str(ran.stdout).split()[0]

        def write(who: str, wire: Wire) -> list[dict[str, Any]]:
            """The refusals on the way."""
            late = []
            for _ in range(TRIES):
                _, now = wire.ask("GET", f"messages/{notice}")
                text = f"{now['subject']}\n\n{now['text']}\n{LINES[who]}"
                wish = {"verb": "edit", "id": notice, "by": who, "text": text, "version": now["version"]}
                status, body = wire.ask("POST", "commands", wish)
                if status == 200:
                    return late
                assert (status, body["key"]) == (409, "refused.version"), body
                late.append(body)
            raise AssertionError(f"{who} never got through")

        refusals = await together(on, write)
        with closing(Wire(on)) as wire:
            _, last = wire.ask("GET", f"messages/{notice}")
        assert sorted(line for line in last["text"].splitlines() if line in LINES.values()) == sorted(LINES.values())
        assert any(refusals.values()), "ten at once never met: the gate does not hold"
        for who, late in refusals.items():
            for body in late:
                assert body["changes"], body
                assert all(line["by"] in TEN and line["by"] != who and notice in line["what"] for line in body["changes"]), body
