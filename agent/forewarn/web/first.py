"""The console's first page: what is ahead on a line of time, what waits for a yes, and in a few lines how things stand."""

from __future__ import annotations

from forewarn.core import overview
from forewarn.core.reader import Body, Reader
from forewarn.model.incident import IncidentState
from forewarn.web.now import cannot_see, live_incidents, tasks
from forewarn.web.reads import Live, Reads
from forewarn.web.rows import row, waiting
from forewarn.web.strip import outlook


def first_page(reads: Reads, live: Live, reader: Reader) -> Body:
    """Everything that the first page shows. Blocks on the store."""
    seen, settings = reads.seen(live), reads.settings()
    ahead = overview.soonest(i for i in seen.incidents if i.state is IncidentState.AHEAD)
    ready = overview.learning(live.probes)
    updates = reads.next_updates()
    dates = sorted(at for at in ready if at)
    return {
        "status": overview.status(seen, reader),
        "outlook": outlook((row(reads, settings, incident, reader, updates) for incident in ahead), reader),
        "ahead": len(ahead),
        "now": [row(reads, settings, incident, reader, updates) for incident in live_incidents(seen.incidents)],
        "tasks": tasks(reads),
        "troubles": [reader.tell(trouble) for trouble in live.troubles],
        "waiting": waiting(reads),
        "cannot_see": cannot_see(live.probes, reader),
        "learning": len(ready),
        "first_date": dates[0] if dates else None,
        "last_date": dates[-1] if dates and len(dates) == len(ready) else None,
        "watching": len(live.probes),
    }
