"""What a page of the console shows, as JSON, where no list of the API is the same already.

    /           GET /api/v1/ahead           /now        GET /api/v1/now
    /i/ID       GET /api/v1/incidents/ID    /p/NAME     GET /api/v1/probes/NAME, /api/v1/series/ID
    /messages   GET /api/v1/messages        /loaded     GET /api/v1/loaded
    /search     GET /api/v1/search          /why/ID     GET /api/v1/why/ID
    /scorecard  GET /api/v1/scorecard

Each page names its own in the header Link (rel="alternate").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from forewarn.core import overview
from forewarn.core.reader import Body, Reader, page, stamp
from forewarn.web.first import MOST_WAITING
from forewarn.web.now import MOST_LEARNING, MOST_TASKS, blind
from forewarn.web.reads import Live, Query, Reads
from forewarn.web.rows import waiting


def ahead(reads: Reads, live: Live, query: Query, reader: Reader) -> Body:
    """Forewarnings, the soonest first, beside what waits for a yes and how things stand. Blocks on the store."""
    seen = reads.seen(live)
    found = reads.ledger.ahead(query.limit + 1, query.after)
    return {
        **page(reads.shown(found[: query.limit], reader), more=len(found) > query.limit),
        "count": seen.ahead,
        "status": overview.status(seen, reader),
        "waiting": reads.shown(waiting(reads, MOST_WAITING), reader),
        "waiting_count": seen.messages.get("waiting_approval", 0),
    }


def now(reads: Reads, live: Live, query: Query, reader: Reader) -> Body:
    """Trouble that is there now, the gravest first, beside what can't be seen and what is being learnt. Blocks on the store."""
    seen = reads.seen(live)
    found = reads.ledger.live(query.limit + 1, query.after)
    learning = live.glance.learning
    return {
        **page(reads.shown(found[: query.limit], reader), more=len(found) > query.limit),
        "count": sum(seen.live_levels.values()),
        "status": overview.status(seen, reader),
        "tasks": reads.shown(reads.ledger.tasks(MOST_TASKS), reader),
        "tasks_count": seen.tasks,
        "cannot_see": [{"why": one.reason, "targets": list(one.names)} for one in blind(live.glance, reader)],
        "learning": [{"series": str(one.series), "ready_at": stamp(one.ready_at)} for one in learning[:MOST_LEARNING]],
        "learning_count": len(learning),
    }


TWINS: Mapping[str, Callable[[Reads, Live, Query, Reader], Body]] = {"ahead": ahead, "now": now}
