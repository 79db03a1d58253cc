"""The console's first page: what is ahead on a line of time, what waits for a yes, and in a few lines how things stand."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from forewarn.core import overview
from forewarn.core.reader import Body, Reader
from forewarn.model.incident import IncidentState
from forewarn.model.playbook import command_text
from forewarn.ports import ProbeView
from forewarn.web.letters import changes_asked, occasions, speaks_against, takes_back
from forewarn.web.now import cannot_see, live_incidents, tasks
from forewarn.web.reads import Live, Reads
from forewarn.web.rows import row, waiting
from forewarn.web.strip import outlook

CERTIFICATE = "certificate_s"
FAR_S = 100 * 365 * 86400.0
"""A date further off than that is none."""


def first_page(reads: Reads, live: Live, reader: Reader) -> Body:
    """Everything that the first page shows. Blocks on the store."""
    seen, settings = reads.seen(live), reads.settings()
    ahead = overview.soonest(i for i in seen.incidents if i.state is IncidentState.AHEAD)
    ready = overview.learning(live.probes)
    updates = reads.next_updates()
    dates, drafts = sorted(at for at in ready if at), waiting(reads)
    return {
        "status": overview.status(seen, reader),
        "outlook": outlook((row(reads, settings, incident, reader, updates) for incident in ahead), reader),
        "ahead": len(ahead),
        "now": [row(reads, settings, incident, reader, updates) for incident in live_incidents(seen.incidents)],
        "tasks": tasks(reads),
        "troubles": [reader.tell(trouble) for trouble in live.troubles],
        "waiting": occasions(drafts),
        "lint": speaks_against(reads, drafts, reader),
        "leaving": takes_back(reads),
        "changes": changes_asked(reads),
        "command_text": command_text,
        "known": None if ahead else next_known(live.probes, reader.now),
        "cannot_see": cannot_see(live.probes, reader),
        "learning": len(ready),
        "first_date": dates[0] if dates else None,
        "last_date": dates[-1] if dates and len(dates) == len(ready) else None,
        "watching": len(live.probes),
    }


def next_known(probes: Iterable[ProbeView], now: datetime) -> tuple[datetime, str] | None:
    """The soonest end of a certificate that probes have seen, and the probe: the next date where nothing is ahead."""
    ends = [
        (one.value, view.probe.name)
        for view in probes
        for target in view.targets
        for one in target.series
        if one.series.metric == CERTIFICATE and 0 < one.value < FAR_S
    ]
    return (now + timedelta(seconds=min(ends)[0]), min(ends)[1]) if ends else None
