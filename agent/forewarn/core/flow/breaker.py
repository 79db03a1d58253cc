"""What a playbook's changes come to over time: counted for its limits, and its breaker when too many did not help.

The breaker is a hold over actions that names the playbook. Nothing but a person ends it.
"""

from __future__ import annotations

from dataclasses import replace

from forewarn.core.respond import guard
from forewarn.core.respond.playbook import USELESS
from forewarn.core.work import Work
from forewarn.model.errors import Refused
from forewarn.model.hold import Hold
from forewarn.model.playbook import Repair, Run, RunState
from forewarn.model.text import Say, say

REASON = "hold.breaker"


def begun(work: Work, run: Run) -> None:
    """A change begins: it counts, whatever comes of it."""
    work.put(guard.counted(work.guard(run.playbook), run, work.now))


def ended(work: Work, run: Run) -> None:
    """A run with changes has ended: one that helped wipes the slate, one that failed or was in vain counts."""
    if not any(step.changing and step.started_at for step in run.steps):
        return
    kept = work.guard(run.playbook)
    if run.repair is Repair.REPAIRED:
        work.put(replace(kept, bad=0))
    elif run.repair in USELESS or run.state in (RunState.FAILED, RunState.UNKNOWN):
        work.put(replace(kept, bad=kept.bad + 1))
        if kept.bad + 1 >= work.settings.policy.breaker and hold_of(work, run.playbook) is None:
            _open(work, run, kept.bad + 1)


def hold_of(work: Work, playbook: str) -> Hold | None:
    """The playbook's open breaker."""
    return next((h for h in work.holds() if h.reason.key == REASON and h.matcher.get("playbook") == playbook), None)


def _open(work: Work, run: Run, count: int) -> None:
    reason = say(REASON, playbook=run.playbook, count=count)
    hold = Hold(
        id=work.new_id("H"), reason=reason, owner="forewarn", matcher={"playbook": run.playbook}, audience="actions",
        from_at=work.now, until=None,
    )  # fmt: skip
    work.put(hold)
    work.note(run.incident, say("repair.breaker_opened", playbook=run.playbook, count=count), run.id, hold.id)


def no_playbook(work: Work, name: str) -> Say:
    """There is none of this name, and these there are."""
    return say("refused.no_playbook", name=name, known=", ".join(work.settings.playbooks))


def close(work: Work, playbook: str, by: str) -> str:
    """A person allows the playbook to change things again; answers the hold that ended. Raises Refused."""
    if playbook not in work.settings.playbooks:
        raise Refused(no_playbook(work, playbook))
    hold = hold_of(work, playbook)
    if hold is None:
        raise Refused(say("refused.no_breaker", playbook=playbook))
    work.put(replace(hold, ended_at=work.now, reason=say("hold.breaker_closed", playbook=playbook, who=by)))
    work.put(replace(work.guard(playbook), bad=0))
    return hold.id
