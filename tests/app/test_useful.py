"""Whoever was called says whether it was worth it, and the report counts it: over a real daemon, by command and console."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from fault_bench import SHOP, bench

sys.path.append(str(Path(__file__).parents[1] / "probers"))
from probing import answering, server

ORDERS = SHOP.replace("probe: shop", "probe: orders").replace("service: shop", "service: orders")


async def test_a_needless_call_is_counted_with_its_rule(tmp_path):
    async with server(answering(status="503 gone")) as url:
        probes = {"shop": SHOP.format(url=url), "orders": ORDERS.format(url=url)}
        async with bench(tmp_path, probes) as on:
            page = await on.arrived("webhook", about="shop")
            shop, orders = [(await on.incident(title=f"{name} is down"))["id"] for name in ("shop", "orders")]
            assert f"useful? forewarn incident useful / not-useful {shop}" in page.text
            unsaid = (await on.command("report")).stdout
            assert "2 called somebody and nobody has said yet" in unsaid, unsaid

            on.cookie = await on.signed_in()
            assert 'value="not-useful"' in on.ask(f"/i/{shop}")
            said = await on.command("incident", "not-useful", shop, "a test of ours", "--by", "on-call-1")
            assert said.returncode == 0, said.stderr
            assert (await on.command("incident", "useful", orders, "--by", "on-call-2")).returncode == 0
            shown = on.ask(f"/i/{shop}")
            assert "on-call-1 found the call needless" in shown and 'value="not-useful"' not in shown
            assert (await on.command("incident", "false-alarm", shop, "--by", "on-call-1")).returncode == 0

            for language, words in (
                ("en", ("Of 2 incidents that people judged, 1 were worth the call (50 %).", "down (probes/shop.yaml:1): 1 of 1 calls were needless")),
                ("zh", ("有评价的 2 起事件中，1 起值得呼叫（50%）。", "down（probes/shop.yaml:1）：1 次呼叫中有 1 次不必要")),
            ):  # fmt: skip
                report = (await on.command("report", language=language)).stdout
                assert all(one in report for one in words), report
            judged = json.loads((await on.command("report", "--json")).stdout)["judged"]
            assert (judged["precision"], judged["rules"][0]["needless"]) == (0.5, [shop])
            refused = await on.command("incident", "useful", "INC-77", "--by", "on-call-1")
            assert refused.returncode == 2 and "INC-77" in refused.stderr


async def test_a_false_alarm_judges_itself(tmp_path):
    async with server(answering(status="503 gone")) as url, bench(tmp_path, {"shop": SHOP.format(url=url)}) as on:
        await on.arrived("webhook")
        shop = (await on.incident(title="shop is down"))["id"]
        await on.command("incident", "false-alarm", shop, "a test", "--by", "on-call-1")
        found = await on.incident(id=shop, state="false_alarm")
        assert (found["useful"], found["useful_by"]) == (False, "on-call-1")
