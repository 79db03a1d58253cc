"""Text that others wrote (an answer, a program's output, a log line) stays text wherever Forewarn shows it."""

from __future__ import annotations

import asyncio
import json
import re
import sys
from pathlib import Path

import pytest
from fault_bench import SHOP, bench

sys.path.append(str(Path(__file__).parents[1] / "probers"))  # for the servers that misbehave
from probing import answering, server

HOSTILE = "<script>alert(1)</script>\u202egnp\u2066\x1b[31m\x07"
COMMANDS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
PROGRAM = "import sys; sys.stdout.buffer.write(bytes.fromhex('{hex}')); sys.exit(2)"


def answer(url: str) -> str:
    return SHOP.format(url=url) + "expect: {json: {$.status: ok}}\n"


def program(url: str) -> str:
    argv = [sys.executable, "-c", PROGRAM.format(hex=HOSTILE.encode().hex())]
    return f"probe: shop\nkind: command\nevery: 1s\nservice: shop\ntags: [public]\nargv: {json.dumps(argv)}\n"


@pytest.mark.parametrize("written", [answer, program])
async def test_what_others_wrote_stays_text_in_pages_console_and_commands(tmp_path, written):
    # a lone surrogate is allowed in JSON (RFC 8259 section 8.2) and can't be written as UTF-8
    body = json.dumps({"status": HOSTILE}).replace("gnp", "gnp\\ud800").encode()
    async with server(answering(body)) as url, bench(tmp_path, {"shop": written(url)}) as on:
        for by in ("webhook", "mail") if written is answer else ("webhook",):  # a P1 asks one person, by webhook
            page = await on.arrived(by)
            assert "<script>alert(1)</script>" in page.text, page
            assert not COMMANDS.search(page.text.replace("\r\n", "\n") + page.subject), ascii(page)
        on.cookie = await on.signed_in()
        shown = await asyncio.to_thread(on.ask, "/i/INC-1")
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in shown and "<script>alert" not in shown
        assert not COMMANDS.search(shown), ascii(COMMANDS.findall(shown))
        for language in ("en", "zh"):
            said = (await on.command("incident", "show", "INC-1", language=language)).stdout
            assert "<script>alert(1)</script>" in said and not COMMANDS.search(said), ascii(said)
