"""A real daemon and what goes wrong around it: each ends in plain words for people, and the rest goes on."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from pathlib import Path

import pytest
from fault_bench import DAEMON, SHOP, bench
from test_daemon import living

sys.path.append(str(Path(__file__).parents[1] / "probers"))  # for the servers that misbehave
from probing import answering, ended, server

SAME = ("state", "level", "effect", "findings", "services", "opened_at")


async def test_an_ended_certificate_is_a_page_that_says_so(tmp_path):
    certificates = tmp_path / "tls"
    certificates.mkdir()
    async with server(answering(), ended(certificates)) as url:
        shop = SHOP.format(url=url) + f"ca_file: {certificates}/cert.pem\n"
        async with bench(tmp_path, {"shop": shop}) as on:
            page = await on.arrived("webhook")
            assert "its certificate can't be trusted: certificate has expired" in page.text, page
            assert (await on.arrived("mail")).subject == page.subject
            incident = await on.incident(state="open")
            assert (incident["effect"], incident["services"]) == ("stopped", ["shop"])


@pytest.mark.parametrize(("language", "words"), [("en", "Refused; problems: 3"), ("zh", "未采用：有 3 处问题")])
async def test_a_broken_set_is_refused_while_an_incident_is_open_and_the_incident_goes_on(tmp_path, language, words):
    health = ["503 gone"]

    async def shop(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answering(status=health[-1])(reader, writer)

    async with server(shop) as url, bench(tmp_path, {"shop": SHOP.format(url=url)}) as on:
        await on.arrived("mail")
        before = await on.incident(level="P0")
        oncall = (tmp_path / "config" / "oncall.yaml").read_text()
        (tmp_path / "probes" / "shop.yaml").write_text("probe: shop\nkind: http\nevery: often\ntargets: 7\n")
        (tmp_path / "config" / "oncall.yaml").write_text("people: {}\nescalations: {ops: [{to: nobody, ack: 5m}]}\n")
        refused = await on.command("reload", language=language)
        assert refused.returncode == 1 and words in refused.stdout, refused.stdout
        assert "probes/shop.yaml:3" in refused.stdout and "nobody" in refused.stdout
        same = await on.incident(id=before["id"])
        assert {name: same[name] for name in SAME} == {name: before[name] for name in SAME}
        acknowledged = await on.command("incident", "acknowledge", before["id"], "--by", "on-call-1")
        assert acknowledged.returncode == 0, acknowledged.stderr
        status = json.loads((await on.command("status", "--json", language=language)).stdout)
        assert "config/oncall.yaml:2" in status["config"]["refused"], status
        assert "forewarn_config_refused 1" in await asyncio.to_thread(on.ask, "/metrics")
        assert "config/oncall.yaml:2" in await asyncio.to_thread(on.ask, "/loaded")
        assert len([one for one in on.sinks.arrived if one.by == "webhook"]) == 1, "its page was sent once"
        (tmp_path / "probes" / "shop.yaml").write_text(SHOP.format(url=url) + "timeout: 900ms\n")
        (tmp_path / "config" / "oncall.yaml").write_text(oncall)
        assert (await on.command("reload")).returncode == 0
        assert (await on.incident(id=before["id"]))["state"] == "acknowledged", "a good set does not end it"
        health.append("200 OK")
        assert (await on.incident(id=before["id"], state="mitigated"))["findings"] == before["findings"]


async def test_a_daemon_killed_between_the_page_and_the_acknowledgement_knows_both(tmp_path):
    async with server(answering(status="503 gone")) as url, bench(tmp_path, {"shop": SHOP.format(url=url)}) as on:
        page = await on.arrived("webhook")
        before = await on.incident(level="P0")
        on.life.process.send_signal(signal.SIGKILL)
        await on.life.process.wait()
        (tmp_path / "notify").unlink()
        async with living(tmp_path, watchdog_s=30) as on.life:
            after = await on.incident(id=before["id"])
            assert {name: after[name] for name in SAME} == {name: before[name] for name in SAME}
            done = await on.command("incident", "acknowledge", before["id"], "--by", "on-call-1")
            assert done.returncode == 0, done.stderr
            assert (await on.incident(id=before["id"]))["acknowledged_at"] is not None
            assert {one.key for one in on.sinks.arrived if one.by == "webhook"} == {page.key}, "nobody is paged again"
            assert len(await on.items("incidents")) == 1


async def test_a_notice_channel_that_hangs_does_not_keep_a_page_waiting(tmp_path):
    health, hung = ["200 OK"], []

    async def orders(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answering(status=health[-1])(reader, writer)

    async def hang(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        hung.append(await reader.readuntil(b"\r\n\r\n"))
        try:
            await reader.read()
        finally:
            hung.clear()

    async with server(hang) as deaf, server(answering(status="503 gone")) as url, server(orders) as second:
        uses = "".join(
            f'  customer-{n}: {{name: Customer {n}, language: en, zone: UTC, uses: {{shop: 60%}}, channels: ["{deaf.replace("http", "json")}"]}}\n'
            for n in range(4)
        )
        probes = {"shop": SHOP.format(url=url), "orders": SHOP.format(url=second).replace("shop", "orders")}
        async with bench(tmp_path, probes, "customers:\n" + uses, DAEMON.replace("notice: suggest", "notice: live")) as on:
            await on.arrived("webhook")

            async def hangs() -> bool:
                return len(hung) > 1

            await on.until(hangs)
            health.append("503 gone")
            page = await on.arrived("webhook", about="orders")
            assert hung, page
