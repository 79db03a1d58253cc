"""The console's first page: what is ahead on a line of time, what waits for a yes, and in a few lines how things stand."""

from __future__ import annotations

from datetime import datetime

from forewarn.core import overview
from forewarn.core.reader import Body, Reader
from forewarn.model.glance import Glance
from forewarn.model.playbook import command_text
from forewarn.web.letters import changes_asked, occasions, speaks_against, takes_back
from forewarn.web.now import cannot_see
from forewarn.web.reads import Live, Reads
from forewarn.web.rows import rows, waiting
from forewarn.web.scores import so_far
from forewarn.web.strip import outlook

MOST_AHEAD = 25
MOST_WAITING = 10
MOST_LEAVING = 10
MOST_NOW = 10
MOST_TASKS = 5
"""What one takes in; the links below lead to the rest."""


def first_page(reads: Reads, live: Live, reader: Reader, after: str | None = None) -> Body:
    """Everything that the first page shows; `after` is the last forewarning of the page before. Blocks on the store."""
    seen = reads.seen(live)
    ahead = reads.ledger.ahead(MOST_AHEAD + 1, after)
    status = overview.status(seen, reader)
    learning = live.glance.learning
    dates = [one.ready_at for one in learning if one.ready_at]
    drafts, leaving, changes = waiting(reads, MOST_WAITING), takes_back(reads), changes_asked(reads)
    return {
        "status": status,
        "outlook": outlook(rows(reads, ahead[:MOST_AHEAD], reader), reader),
        "ahead": seen.ahead,
        "ahead_next": ahead[MOST_AHEAD - 1].id if len(ahead) > MOST_AHEAD else None,
        "known": None if seen.ahead else next_known(live.glance, reader.now),
        "now": rows(reads, reads.ledger.live(MOST_NOW), reader),
        "now_all": sum(seen.live_levels.values()),
        "tasks": reads.ledger.tasks(MOST_TASKS),
        "tasks_all": seen.tasks,
        "troubles": status["troubles"],
        "waiting": occasions(drafts),
        "waiting_shown": len(drafts),
        "waiting_all": seen.messages.get("waiting_approval", 0),
        "lint": speaks_against(reads, drafts, reader),
        "leaving": leaving[:MOST_LEAVING],
        "leaving_all": len(leaving),
        "changes": changes[:MOST_WAITING],
        "changes_all": len(changes),
        "command_text": command_text,
        "cannot_see": cannot_see(live.glance, reader),
        "learning": len(learning),
        "first_date": dates[0] if dates else None,
        "last_date": dates[-1] if dates and len(dates) == len(learning) else None,
        "watching": len(live.glance.stands),
        "so_far": so_far(reads),
    }


def next_known(glance: Glance, now: datetime) -> tuple[datetime, str] | None:
    """The soonest end of a certificate that probes have seen, and the probe: the next date where nothing is ahead."""
    ends = [(stand.ends_at, stand.probe.name) for stand in glance.stands if stand.ends_at and stand.ends_at > now]
    return min(ends, default=None)
