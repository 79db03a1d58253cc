"""The table of transports, the console, and Apprise with its own senders against a real server."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from datetime import UTC, datetime

import pytest
import structlog
from fault_servers import HANG, Hook, answer, channel, daemon, envelope

from forewarn.model.errors import DeliveryError, Reason
from forewarn.model.map import Channel, Secret
from forewarn.model.settings import Settings
from forewarn.transports import TRANSPORTS, build, problem
from forewarn.transports.apprise_ import Apprise, judge
from forewarn.transports.console import Console

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr':DeprecationWarning")  # Apprise still imports it
SECRET = "s3cret-Pa55"


def settings() -> Settings:
    return Settings(id="3fa9c1", folder=".", loaded_at=datetime(2026, 11, 22, tzinfo=UTC), files=1, daemon=daemon())


def test_every_kind_is_built():
    assert set(build(settings())) == set(TRANSPORTS) == {"mail", "webhook", "console", "apprise"}


def test_building_does_not_load_apprise():
    code = "import sys, forewarn.transports; print('apprise' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "False\n"


@pytest.mark.parametrize(
    ("kind", "url", "says"),
    [
        ("mail", "mailto://ops@customer-zh.example", None),
        ("webhook", "jsons://hooks.example/in", None),
        ("console", "console://", None),
        ("apprise", "slack://a/b/c", None),
        ("apprise", "dingtalk://token", "Apprise would call a refusal a success"),
        ("apprise", "WeCom://key", "Apprise would call a refusal a success"),
        ("apprise", "lark://key", "Apprise would call a refusal a success"),
        ("apprise", "feishu://key", "Apprise would call a refusal a success"),
        ("mail", "mailto://host", "nobody"),
        ("person", "person", "no transport for person"),
    ],
)
def test_what_is_wrong_with_an_address(kind, url, says):
    found = problem(Channel(kind, Secret(url)))
    assert found is None if says is None else says in (found or "")


async def test_console_is_one_event_with_the_whole_text():
    with structlog.testing.capture_logs() as lines:
        await Console(daemon())(envelope(), channel("console://", "console"), 1.0)
    assert [(line["event"], line["message"], line["title"], line["text"]) for line in lines] == [
        ("message", "M-7", envelope().subject, envelope().text)
    ]


async def by_apprise(url: str, timeout_s: float = 5.0) -> None:
    await Apprise(daemon())(envelope(), channel(url, "apprise"), timeout_s)


async def test_apprise_delivers_and_classifies():
    async with Hook(answer("200 OK"), answer("500 Oops")).up() as hook:
        await by_apprise(f"json://127.0.0.1:{hook.port}/x")
        with pytest.raises(DeliveryError) as caught:
            await by_apprise(f"json://u:{SECRET}@127.0.0.1:{hook.port}/x")
    posted = json.loads(hook.bodies[0])
    assert (posted["title"], posted["message"].strip()) == (envelope().subject, envelope().text.strip())
    assert (caught.value.reason, caught.value.permanent, caught.value.maybe_sent) == (Reason.SERVER, False, False)
    assert SECRET not in str(caught.value)


async def test_a_hang_behind_apprise_may_have_been_sent(capfd):
    import apprise

    apprise.Apprise.instantiate("json://localhost")  # loads all plug-ins, which takes longer than this time-out
    async with Hook(HANG).up() as hook:
        began = time.monotonic()
        with pytest.raises(DeliveryError) as caught:
            await by_apprise(f"json://u:{SECRET}@127.0.0.1:{hook.port}/x", 0.3)
        assert time.monotonic() - began < 10.0
    assert (caught.value.reason, caught.value.maybe_sent) == (Reason.TIMEOUT, True)
    assert SECRET not in "".join(capfd.readouterr())


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("nonesuch://x", "does not know"),
        ("slack://", "lacks a part"),
        ("https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=" + "a" * 36, "call a refusal a success"),
    ],
)
async def test_addresses_that_apprise_must_not_get(url, says):
    with pytest.raises(DeliveryError) as caught:
        await by_apprise(url)
    assert caught.value.permanent
    assert says in caught.value.detail


@pytest.mark.parametrize(
    ("status", "reason", "permanent", "maybe"),
    [
        ("FAILURE", Reason.SERVER, False, False),
        ("PARTIAL", Reason.SERVER, False, True),
        ("TIMEOUT", Reason.TIMEOUT, False, True),
        ("NOMATCH", Reason.ADDRESS, True, False),
        ("SOMETHING NEW", Reason.SERVER, False, False),
    ],
)
def test_words_of_apprise(status, reason, permanent, maybe):
    judge("SUCCESS", "slack", 1.0)
    with pytest.raises(DeliveryError) as caught:
        judge(status, "slack", 1.0)
    assert (caught.value.reason, caught.value.permanent, caught.value.maybe_sent) == (reason, permanent, maybe)
