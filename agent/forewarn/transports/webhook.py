"""A message as a JSON document, posted to an address.

A webhook is never `maybe_sent`: `Idempotency-Key` makes a repeat recognisable, so after a hang or a cut connection the
same key is simply sent again. Redirects are not followed: a notice would go to where nobody has configured it.
"""

from __future__ import annotations

import base64
import http.client
import json
import re
from collections.abc import Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from urllib.parse import quote, urlencode

from forewarn.model.errors import DeliveryError, Reason
from forewarn.model.map import Channel
from forewarn.model.message import Envelope
from forewarn.model.settings import Daemon
from forewarn.reach.call import Reply, Request, exchange
from forewarn.reach.mask import mask
from forewarn.reach.wire import Line, on_thread
from forewarn.transports.address import Url, read, refuse

CAP_BYTES = 2048
"""How much of an answer is read; only its beginning is ever shown."""
LONGEST_WAIT_S = 86_400.0
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_OURS = frozenset({"content-type", "content-length", "host", "idempotency-key", "transfer-encoding", "connection"})


@dataclass(frozen=True, slots=True)
class WebhookAddress:
    url: str = field(repr=False)
    headers: Mapping[str, str] = field(repr=False)
    secrets: tuple[str, ...] = field(repr=False)


def webhook_address(url: str) -> WebhookAddress:
    """`json://host[:port]/path`, or `jsons://` with TLS. As in Apprise `?+Name=value` adds a header, `?-name=value` goes
    into the query, and `user:password@` is sent as basic authentication. Raises DeliveryError(ADDRESS)."""
    parts = read(url, ("json", "jsons"))
    if not parts.host:
        refuse("no host is named; write jsons://host/path")
    headers, query = _options(parts)
    if parts.user is not None:
        pair = f"{parts.user}:{parts.password or ''}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    host = f"[{parts.host}]" if ":" in parts.host else parts.host
    place = host + (f":{parts.port}" if parts.port else "")
    path = quote(parts.path or "/", safe="/%:@!$&'()*+,;=~-._")
    target = f"{'https' if parts.scheme == 'jsons' else 'http'}://{place}{path}" + (f"?{urlencode(query)}" if query else "")
    return WebhookAddress(target, headers, (parts.password or "", *headers.values(), *query.values()))


def _options(parts: Url) -> tuple[dict[str, str], dict[str, str]]:
    headers: dict[str, str] = {}
    query: dict[str, str] = {}
    for option, value in parts.options.items():
        mark, name = option[:1], option[1:]
        if mark == "-" and name:
            query[name] = value
        elif mark == "+" and _HEADER.fullmatch(name) and name.lower() not in _OURS and value.isascii() and value.isprintable():
            headers[name] = value
        else:
            plain = option.lstrip("+-") or "name"
            refuse(f'"{option}" is not an option of a webhook; write +{plain}=.. for a header, -{plain}=.. for the query')
    return headers, query


class Webhook:
    """Posts over HTTP on a thread, with one deadline for all of it."""

    def __init__(self, daemon: Daemon, threads: Executor | None = None) -> None:
        self._threads = threads

    async def __call__(self, envelope: Envelope, channel: Channel, timeout_s: float) -> None:
        address = webhook_address(channel.url.reveal())
        headers = {
            **address.headers,
            "Content-Type": "application/json; charset=utf-8",
            "Idempotency-Key": f'"{envelope.key}"',
            "User-Agent": "forewarn",
            "Connection": "close",
        }
        request = Request(method="POST", url=address.url, headers=headers, body=document(envelope))
        try:
            reply = await on_thread(lambda line: _post(request, line), timeout_s, self._threads)
        except TimeoutError as error:
            raise DeliveryError(Reason.TIMEOUT, str(error)) from error
        judge(reply, address.secrets)


def document(envelope: Envelope) -> bytes:
    """What is posted. Fields are only ever added."""
    body = {
        "id": envelope.message,
        "kind": envelope.kind,
        "subkind": envelope.subkind,
        "to": envelope.to,
        "language": envelope.language,
        "subject": envelope.subject,
        "text": envelope.text,
        "incident": envelope.incident,
        "key": envelope.key,
    }
    return json.dumps(body, ensure_ascii=False).encode()


def _post(request: Request, line: Line) -> Reply:
    try:
        return exchange(request, line, CAP_BYTES)
    except (OSError, http.client.HTTPException) as error:
        reason, detail = line.why(error)
        raise DeliveryError(reason, detail, permanent=reason is Reason.TLS) from error


def judge(reply: Reply, secrets: tuple[str, ...] = ()) -> None:
    """Returns for 2xx; raises the classified DeliveryError for every other answer.

    409 means that the first request with this key is still at work (draft-ietf-httpapi-idempotency-key-header).
    """
    if 200 <= reply.status < 300:
        return
    text = " ".join(reply.body.decode("utf-8", "replace").split())
    detail = mask(f"HTTP {reply.status} {reply.phrase}" + (f": {text[:200]}" if text else ""), *secrets)
    if 300 <= reply.status < 400:
        detail = f"HTTP {reply.status}: redirects are not followed; write the final address"
    reason, permanent = classify(reply.status)
    raise DeliveryError(reason, detail, permanent=permanent, retry_after_s=None if permanent else retry_after_s(reply.headers))


def classify(status: int) -> tuple[Reason, bool]:
    """Reason and permanence of a status that is not 2xx."""
    match status:
        case 401 | 403 | 407:
            return Reason.AUTH, True
        case 404 | 410:
            return Reason.NO_SUCH, True
        case 408:
            return Reason.TIMEOUT, False
        case 429:
            return Reason.RATE, False
        case 409 | 425:
            return Reason.SERVER, False
        case _ if 300 <= status < 500:
            return Reason.REFUSED, True
    return Reason.SERVER, False


def retry_after_s(headers: Mapping[str, str]) -> float | None:
    """Seconds that the answer asks us to wait, at most a day (RFC 9110 section 10.2.3).

    A date counts from the answer's own Date, so that a wrong clock on either side does no harm; None without one.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return min(float(text[:12]), LONGEST_WAIT_S)
    try:
        until, sent = (parsedate_to_datetime(value).astimezone(UTC) for value in (text, headers.get("date", "")))
    except (TypeError, ValueError, OverflowError):
        return None
    return min(max(0.0, (until - sent).total_seconds()), LONGEST_WAIT_S)
