"""Everything that Apprise reaches and we have no sender for: the long tail.

Apprise says whether it worked, not why: a 4xx and a 5xx look alike. It costs 0.6 s and 20 MB, so it is imported by the
first message that needs it, on a thread. WeCom, DingTalk, Feishu and Lark are refused: they answer HTTP 200 also when
they refuse a message, and Apprise (seen in 2.2.0) looks at nothing else, so it would call a refusal a success.
"""

from __future__ import annotations

import logging
from concurrent.futures import Executor
from typing import Any

from forewarn.model.errors import DeliveryError, Reason
from forewarn.model.map import Channel
from forewarn.model.message import Envelope
from forewarn.model.settings import Daemon
from forewarn.reach.wire import Line, on_thread
from forewarn.transports.address import refuse

UNSAFE = frozenset({"wecom", "wecombot", "dingtalk", "feishu", "lark"})


def apprise_address(url: str) -> str:
    """The scheme of an Apprise URL that we let Apprise serve. Raises DeliveryError(ADDRESS)."""
    scheme, mark, _ = url.partition("://")
    scheme = scheme.lower()
    if not mark or not scheme.replace("+", "").replace("-", "").replace(".", "").isalnum():
        refuse("the address has no scheme; write it as Apprise does, e.g. slack://...")
    if scheme in UNSAFE:
        _unsafe(scheme)
    return scheme


def _unsafe(scheme: str) -> None:
    refuse(f"{scheme}:// can't be used: Apprise would call a refusal a success there; use a webhook or mail")


class Apprise:
    """Sends through Apprise on a thread."""

    def __init__(self, daemon: Daemon, threads: Executor | None = None) -> None:
        self._threads = threads

    async def __call__(self, envelope: Envelope, channel: Channel, timeout_s: float) -> None:
        url = channel.url.reveal()
        scheme = apprise_address(url)
        try:
            await on_thread(lambda line: _notify(url, scheme, envelope, line), timeout_s, self._threads)
        except TimeoutError:
            judge("TIMEOUT", scheme, timeout_s)


def _notify(url: str, scheme: str, envelope: Envelope, line: Line) -> None:
    import apprise

    logging.getLogger("apprise").disabled = True  # its warnings repeat addresses with their tokens
    service = apprise.Apprise.instantiate(url, suppress_exceptions=True)
    if service is None:
        refuse(f"Apprise does not know {scheme}://, or the address lacks a part that {scheme} needs")
    if _schemes(service) & UNSAFE:  # a vendor's https:// address becomes the vendor's plug-in
        _unsafe(scheme)
    if not line.left_s:
        raise DeliveryError(Reason.TIMEOUT, f"{scheme} was not begun within {line.timeout_s:g} s")
    service.socket_connect_timeout = min(service.socket_connect_timeout, line.left_s)
    service.socket_read_timeout = line.left_s + 0.3  # else Apprise calls an answer that came late a failure, not a time-out
    everyone = apprise.Apprise()
    everyone.add(service)
    result = everyone.notify(
        body=envelope.text, title=envelope.subject, body_format=apprise.NotifyFormat.TEXT, timeout=max(0.001, line.left_s)
    )
    judge(result.status.name, scheme, line.timeout_s)


def _schemes(service: Any) -> set[str]:
    names: set[str] = set()
    for declared in (service.protocol, service.secure_protocol):
        names |= {declared} if isinstance(declared, str) else set(declared or ())
    return names


def judge(status: str, scheme: str, timeout_s: float) -> None:
    """Returns for SUCCESS; raises the DeliveryError that Apprise's other words stand for."""
    match status:
        case "SUCCESS":
            return
        case "PARTIAL":
            raise DeliveryError(Reason.SERVER, f"{scheme}: some of its receivers got it, others did not", maybe_sent=True)
        case "TIMEOUT":
            raise DeliveryError(Reason.TIMEOUT, f"{scheme} gave no answer within {timeout_s:g} s", maybe_sent=True)
        case "NOMATCH":
            refuse(f"Apprise found nobody to send to behind {scheme}://")
    raise DeliveryError(Reason.SERVER, f"{scheme}: Apprise reports a failure and does not say which")
