"""GET /api/v1/report: what Forewarn kept from responders lately, and what it did not."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from forewarn.core.reader import Body, Reader
from forewarn.model.message import Message, MessageKind
from forewarn.web.precision import precision
from forewarn.web.reads import Reads
from forewarn.web.said import Trouble, Unanswerable

MOST_DAYS = 35
BATCH = 500


def reported(reads: Reads, days: str | None, reader: Reader) -> Body:
    """The report of the last `days` (1 unless given) until now; raises Unanswerable for a number that is none."""
    span = days or "1"
    if not (span.isascii() and span.isdigit() and 1 <= int(span) <= MOST_DAYS):
        raise Unanswerable(Trouble(400, "web.days", {"days": span, "most": MOST_DAYS}))
    since = reader.now - timedelta(days=int(span))
    pages = [message for message in _since(reads, since) if message.kind is MessageKind.PAGE]
    recorded = [message for message in pages if message.shadow]
    until = _until(reads, reader.now)
    return {
        "from": since.isoformat(),
        "until": reader.now.isoformat(),
        "shadow_until": until.isoformat() if until else None,
        "paged": len(pages) - len(recorded),
        "judged": precision(reads.ledger, (page.incident for page in pages if page.incident and not page.shadow)),
        "would_have_paged": [_line(message) for message in reversed(recorded)],
    }


def _line(message: Message) -> Body:
    return {
        "id": message.id,
        "at": message.at.isoformat(),
        "to": message.to,
        "incident": message.incident,
        "subject": message.subject,
        "text": message.text,
    }


def _since(reads: Reads, since: datetime) -> Iterator[Message]:
    """Messages from then on, newest first."""
    after: str | None = None
    while True:
        found = reads.ledger.find("message", limit=BATCH, after=after)
        for message in found:
            if isinstance(message, Message):
                if message.at < since:
                    return
                yield message
                after = message.id
        if len(found) < BATCH:
            return


def _until(reads: Reads, now: datetime) -> datetime | None:
    first = reads.ledger.first_start()
    ends = first + timedelta(seconds=reads.settings().policy.shadow_s) if first else None
    return ends if ends and ends > now else None
