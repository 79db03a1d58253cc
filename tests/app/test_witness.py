"""A real daemon asks a service's witness before it calls a shop's fall a P0; both look at real servers."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from fault_bench import SERVICES, SHOP, bench

sys.path.append(str(Path(__file__).parents[1] / "probers"))
from probing import answering, server

OUTSIDE = 'probe: outside\nkind: http\nevery: 1h\nservice: shop\ntargets: {{relay: "{url}"}}\n'
WITNESSED = SERVICES.replace("users: 1000}", "users: 1000, witness: outside}", 1)


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_a_witness_that_sees_nothing_wrong_is_named_and_one_that_does_lets_it_rise(tmp_path, language):
    outside = ["200 OK"]

    async def relay(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answering(status=outside[-1])(reader, writer)

    async with server(answering(status="503 gone")) as down, server(relay) as url:
        probes = {"shop": SHOP.format(url=down), "outside": OUTSIDE.format(url=url)}
        async with bench(tmp_path, probes, services=WITNESSED) as on:
            incident = await on.incident(state="open", level="P2")

            async def said(words: str) -> bool:
                shown = await on.command("why", incident["id"], language=language)
                return words in shown.stdout

            against = {"en": "outside sees nothing wrong; P0 only when", "zh": "outside 看不到异常；待其确认或失联后才升为 P0"}[
                language
            ]
            await on.until(lambda: said(against))
            assert "outside" in (await on.command("incident", "show", incident["id"], language=language)).stdout


async def test_a_witness_that_sees_it_too_is_named_in_the_page(tmp_path):
    async with server(answering(status="503 gone")) as url:
        probes = {"shop": SHOP.format(url=url), "outside": OUTSIDE.format(url=url)}
        async with bench(tmp_path, probes, services=WITNESSED) as on:
            incident = await on.incident(state="open", level="P0")
            page = await on.arrived("mail", about="P0")
            assert "outside sees it too" in page.text, page
            shown = (await on.command("incident", "show", incident["id"])).stdout
            assert "outside was asked and sees it too" in shown, shown
