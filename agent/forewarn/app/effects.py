"""What a decision did, in the words of the scenario grammar, and whether a story's claims fit."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo

from forewarn.core.work import Decision, State
from forewarn.model.actions import RunStep
from forewarn.model.due import Due
from forewarn.model.incident import Incident, IncidentState
from forewarn.model.message import Message, MessageKind, MessageState
from forewarn.model.playbook import Run, RunState, StepState

Effect = tuple[str, ...]
SILENT = frozenset({MessageState.QUEUED, MessageState.SENDING, MessageState.PLANNED})
OPTIONAL = ("due",)
SENT = ("page", "ask", "report", "shadow", "notice")


def effects_of(before: State, decision: Decision, zone: tzinfo) -> list[Effect]:
    """Incidents first, then dues, rooms, pages, runs, notices and holds: the order in which a story names them."""
    incidents: list[Effect] = []
    dues: list[Effect] = []
    rooms: list[Effect] = []
    pages: list[Effect] = []
    runs: list[Effect] = []
    notices: list[Effect] = []
    rest: list[Effect] = []
    for thing in decision.entities:
        match thing:
            case Incident():
                incidents += _incident(before.incidents.get(thing.id), thing)
                if thing.room and not getattr(before.incidents.get(thing.id), "room", None):
                    rooms.append(("room", thing.id))
            case Due():
                if thing.open and getattr(before.dues.get(thing.id), "due_at", None) != thing.due_at:
                    at = thing.due_at.astimezone(zone)
                    dues.append(("due", thing.subject, thing.what, f"{at:%H:%M}"))
            case Message():
                new = _message(before.messages.get(thing.id), thing)
                (pages if thing.kind is not MessageKind.NOTICE else notices).extend(e for e in new if e[0] in SENT)
                rest += [e for e in new if e[0] not in SENT]
            case Run():
                runs += _run(before.runs.get(thing.id), thing, decision)
            case _:
                pass
    return [*incidents, *dues, *rooms, *pages, *runs, *notices, *rest]


def _incident(before: Incident | None, after: Incident) -> list[Effect]:
    found: list[Effect] = []
    if before is None or (before.state, before.level, before.would_be) != (after.state, after.level, after.would_be):
        ahead = after.state is IncidentState.AHEAD and after.would_be is not None
        found.append((after.id, str(after.state), str(after.level), *(("would-be", str(after.would_be)) if ahead else ())))
    if before and after.state is IncidentState.AHEAD and after.owner and before.owner != after.owner:
        found.append((after.id, "owned"))
    return found


def _message(before: Message | None, after: Message) -> list[Effect]:
    found: list[Effect] = []
    if after.shadow and before is None:
        return [("shadow", after.to)]
    if before is None or (before.shadow and not after.shadow):
        channel = after.channel_kind
        if after.kind is MessageKind.NOTICE:
            found.append(("notice", str(after.subkind), after.to, after.language))
        else:
            found.append((str(after.kind), after.to, *((channel,) if channel else ())))
    if after.state is MessageState.HELD and (before is None or before.held != after.held) and after.held:
        reason = after.held.by.key.removeprefix("hold.")
        found.append(
            ("held", str(after.subkind), after.to, reason) if after.kind is MessageKind.NOTICE else ("held", after.to, reason)
        )
    elif (before is None or before.state != after.state) and after.state not in SILENT and after.state is not MessageState.WAITING:
        found.append((after.id, str(after.state)))
    return found


def _run(before: Run | None, after: Run, decision: Decision) -> list[Effect]:
    ordered = {(action.run, action.step) for action in decision.actions if isinstance(action, RunStep)}
    found: list[Effect] = []
    known = {step.name: step.state for step in before.steps} if before else {}
    for at, step in enumerate(after.steps):
        fresh = known.get(step.name) != step.state
        if fresh and (step.state is StepState.RUNNING or (after.id, at) in ordered):
            found.append(("run", after.playbook, step.name))
    if after.state not in (RunState.RUNNING, RunState.WAITING) and (before is None or before.state != after.state):
        found.append((after.id, str(after.state), *((str(after.repair),) if after.repair else ())))
    return found


def differences(claimed: Sequence[str] | None, more: bool, seen: Sequence[Effect]) -> str | None:
    """Why a line's claims don't fit what was seen, or None. Claims are complete and in order unless `more`."""
    if claimed is None:
        return None
    wanted = [tuple(claim.split()) for claim in claimed if claim != "nothing"]
    optional = [claim for claim in wanted if claim[0] in OPTIONAL]
    missing = [claim for claim in optional if not any(_fits(claim, effect) for effect in seen)]
    strict = [claim for claim in wanted if claim[0] not in OPTIONAL]
    left = [effect for effect in seen if effect[0] not in OPTIONAL]
    for claim in strict:
        at = next((i for i, effect in enumerate(left) if _fits(claim, effect)), None)
        if at is None or (at > 0 and not more):
            missing.append(claim)
            break
        left = left[at + 1 :] if not more else left[:at] + left[at + 1 :]
    if missing or (left and not more):
        return f"claimed {_text(wanted) or 'nothing'}; seen {_text(seen) or 'nothing'}"
    return None


def _text(effects: Sequence[Effect]) -> str:
    return "; ".join(" ".join(effect) for effect in effects)


def _fits(claim: Effect, effect: Effect) -> bool:
    """Optional words of a claim may be left out, those that stand must agree."""
    if claim[0] in (*SENT, "held", "run", "room", "due"):
        return effect[: len(claim)] == claim
    if claim[:2] != effect[:2]:
        return False
    rest = list(claim[2:])
    if "would-be" in rest:
        at = rest.index("would-be")
        would = tuple(rest[at : at + 2])
        del rest[at : at + 2]
        if tuple(effect[-2:]) != would:
            return False
    return not rest or (len(effect) > 2 and effect[2] == rest[0])
