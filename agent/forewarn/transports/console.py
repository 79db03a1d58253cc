"""A message as one line of the daemon's own log: for hosts without an account anywhere."""

from __future__ import annotations

from concurrent.futures import Executor

import structlog

from forewarn.model.map import Channel
from forewarn.model.message import Envelope
from forewarn.model.settings import Daemon
from forewarn.transports.address import only, read


def console_address(url: str) -> None:
    """`console://`; there is nothing to say about it. Raises DeliveryError(ADDRESS)."""
    only(read(url, ("console",)).options)


class Console:
    """Logs; can't fail."""

    def __init__(self, daemon: Daemon, threads: Executor | None = None) -> None:
        self._log = structlog.get_logger("forewarn.message")

    async def __call__(self, envelope: Envelope, channel: Channel, timeout_s: float) -> None:
        console_address(channel.url.reveal())
        self._log.info(
            "message",
            incident=envelope.incident,
            message=envelope.message,
            kind=envelope.kind,
            subkind=envelope.subkind,
            to=envelope.to,
            title=envelope.subject,
            text=envelope.text,
        )
