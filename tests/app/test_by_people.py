"""What people say to a real daemon by the command line and the API: every verb, its mistakes, and two at once."""

from __future__ import annotations

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from threading import Barrier
from typing import Any

from fault_bench import CUSTOMERS, Bench, bench


async def said(on: Bench, *args: str, by: str = "on-call-1", language: str = "en") -> str:
    """What a command that is carried out prints."""
    ran = await on.command(*args, "--by", by, language=language)
    assert ran.returncode == 0, ran.stderr
    return str(ran.stdout)


async def refused(on: Bench, *args: str, language: str = "en") -> tuple[int, list[str]]:
    ran = await on.command(*args, "--by", "on-call-2", language=language)
    assert ran.stdout == ""
    return ran.returncode, ran.stderr.splitlines()


async def declared(on: Bench, title: str = "Orders are empty") -> str:
    return (await said(on, "incident", "declare", title, "--service", "orders", "--level", "P3")).split()[0]


async def test_an_incident_from_the_first_word_to_its_close(tmp_path):
    async with bench(tmp_path, {}, CUSTOMERS) as on:
        id = await declared(on)
        await said(on, "incident", "join", id, by="on-call-2")
        await said(on, "incident", "note", id, "we move the dumps", "--plan")
        drafted = await said(on, "incident", "tell", id, "update", "customer-en")
        assert drafted.startswith("M-") and "waiting for approval" in drafted and "customer-en" in drafted
        await said(on, "incident", "acknowledge", id)
        await said(on, "incident", "unacknowledge", id, "my shift is over")
        assert "resolved" in await said(on, "incident", "resolve", id, "dumps moved")
        assert "closed" in await said(on, "incident", "close", id, "the cause is in the wiki")
        shown = (await on.command("incident", "show", id)).stdout
        for line in ("on-call-2 joined", "we move the dumps", "on-call-1 gave it back", "Closed. the cause is in the wiki"):
            assert line in shown, shown
        assert "on-call-2 加入处理" in (await on.command("incident", "show", id, language="zh")).stdout


async def test_mistakes_say_what_there_is(tmp_path):
    async with bench(tmp_path, {}, CUSTOMERS) as on:
        assert (await refused(on, "incident", "close", "INC-77"))[1][1].startswith("No incident is ahead or open.")
        id, other = await declared(on), await declared(on, "Search is empty")
        code, lines = await refused(on, "incident", "join", "INC-77")
        assert (code, lines[0]) == (2, "There is no INC-77.")
        assert f"{id} (open)" in lines[1] and f"{other} (open)" in lines[1]
        assert "可操作的有" in (await refused(on, "incident", "join", "INC-77", language="zh"))[1][1]
        assert (await refused(on, "incident", "tell", id, "update", "nobody"))[1] == [
            "There is no customer nobody in customers.yaml. There are: customer-en."
        ]
        assert (await refused(on, "incident", "merge", id, id))[1] == [f"{id} can't go into itself."]
        await said(on, "incident", "resolve", other)
        assert (await refused(on, "incident", "merge", id, other))[1] == [f"{other} is resolved; that can't be done now."]
        assert (await refused(on, "incident", "close", id))[1] == [f"{id} is open; that can't be done now."]


async def test_who_was_faster_is_named(tmp_path):
    async with bench(tmp_path, {}, CUSTOMERS) as on:
        id = await declared(on)
        notice = (await said(on, "incident", "tell", id, "update", "customer-en")).split()[0]
        drafted = json.loads((await on.command("notice", "show", notice, "--json")).stdout)
        seen = drafted["version"]
        words = tmp_path / "words.txt"
        words.write_text(f"Orders can't be placed\n\n{drafted['text']}\n")
        edit = ("notice", "edit", notice, "--file", str(words), "--version", str(seen))
        await said(on, *edit)
        code, lines = await refused(on, *edit)
        assert (code, lines[0]) == (1, f"{notice} has changed since you looked. Look again, then decide.")
        assert lines[1].endswith(f"on-call-1: {notice} got other words") and lines[2] == f"{notice} is now at version {seen + 1}."
        before = json.loads((await on.command("incident", "show", id, "--json")).stdout)["version"]
        await said(on, "incident", "acknowledge", id, "on it")
        code, lines = await refused(on, "incident", "resolve", id, "--version", str(before))
        assert code == 1 and any(line.endswith("on-call-1: on-call-1 has taken it") for line in lines), lines


def post(on: Bench, gate: Barrier, wish: dict[str, object]) -> tuple[int, dict[str, Any]]:
    """One command over HTTP, let go together with the others at the gate."""
    port = json.loads((on.folder / "state" / "daemon.json").read_text())["port"]
    token = (on.folder / "state" / "token").read_text().strip()
    wire = HTTPConnection("127.0.0.1", port, timeout=20)
    wire.connect()
    gate.wait(20)
    wire.request(
        "POST", "/api/v1/commands", json.dumps(wish), {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    )
    answer = wire.getresponse()
    found = answer.status, json.loads(answer.read())
    wire.close()
    return found


async def at_once(on: Bench, id: str, version: int | None) -> dict[str, tuple[int, dict[str, Any]]]:
    """Both people take it at the same moment; what each was answered."""
    people, gate = ("on-call-1", "on-call-2"), Barrier(2)
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(post, on, gate, {"verb": "acknowledge", "id": id, "by": who, "version": version}) for who in people]
        answers = [await asyncio.wrap_future(one) for one in asked]
    return dict(zip(people, answers, strict=True))


async def story_of(on: Bench, id: str) -> list[tuple[str, str]]:
    return [(line["by"], line["what"]) for line in await on.items(f"incidents/{id}/timeline") if "has taken it" in line["what"]]


async def test_of_two_who_take_it_at_once_as_they_saw_it_one_has_it_and_the_other_is_told(tmp_path):
    async with bench(tmp_path, {}, CUSTOMERS) as on:
        id = await declared(on)
        seen = (await on.incident(id=id))["version"]
        answers = await at_once(on, id, seen)
        assert sorted(status for status, _ in answers.values()) == [200, 409], answers
        owner = next(who for who, (status, _) in answers.items() if status == 200)
        slower = next(body for status, body in answers.values() if status == 409)
        assert (slower["key"], id in slower["error"]) == ("refused.version", True)
        assert (await on.incident(id=id))["owner"] == owner
        assert await story_of(on, id) == [(owner, f"{owner} has taken it")]


async def test_of_two_who_take_it_at_once_the_last_has_it_and_the_story_names_both(tmp_path):
    async with bench(tmp_path, {}, CUSTOMERS) as on:
        id = await declared(on)
        answers = await at_once(on, id, None)
        assert all(answer == (200, {"id": id}) for answer in answers.values()), answers
        told = await story_of(on, id)
        assert sorted(who for who, _ in told) == ["on-call-1", "on-call-2"]
        assert (await on.incident(id=id))["owner"] == told[-1][0], "who wrote last has it"
