"""How messages leave: one module a kind of channel, one line in this table."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass

from forewarn.model.errors import DeliveryError
from forewarn.model.map import Channel
from forewarn.model.settings import Settings
from forewarn.ports import Transport
from forewarn.transports.apprise_ import Apprise, apprise_address
from forewarn.transports.console import Console, console_address
from forewarn.transports.smtp import Mail, mail_address
from forewarn.transports.webhook import Webhook, webhook_address


@dataclass(frozen=True, slots=True)
class Kind:
    """`read` raises DeliveryError(ADDRESS) for an address that can't be used; `make` takes `settings.daemon` and threads."""

    read: Callable[[str], object]
    make: Callable[..., Transport]


TRANSPORTS: Mapping[str, Kind] = {
    "mail": Kind(mail_address, Mail),
    "webhook": Kind(webhook_address, Webhook),
    "console": Kind(console_address, Console),
    "apprise": Kind(apprise_address, Apprise),
}


def build(settings: Settings, threads: Executor | None = None) -> Mapping[str, Transport]:
    """The transports by kind of channel, for these settings. They keep no connection, so a reload simply builds anew.

    Blocking libraries run on `threads`, or on the loop's own pool.
    """
    return {name: kind.make(settings.daemon, threads) for name, kind in TRANSPORTS.items()}


def problem(channel: Channel) -> str | None:
    """What is wrong with a channel's address, without sending anything; None if it can be used."""
    kind = TRANSPORTS.get(channel.kind)
    if kind is None:
        return f"there is no transport for {channel.kind}; there is {', '.join(TRANSPORTS)}"
    try:
        kind.read(channel.url.reveal())
    except DeliveryError as error:
        return error.detail
    return None
