"""The policy: what may act by itself, what needs a person's yes, what is only recorded."""

from __future__ import annotations

from collections.abc import Mapping

from forewarn.model.level import Mode
from forewarn.model.policy import Permission, Verdict
from forewarn.model.scorecard import Gate
from forewarn.model.settings import Settings
from forewarn.model.text import say

DEFAULTS: Mapping[str, Mode] = {
    "page": Mode.LIVE,
    "ask": Mode.LIVE,
    "report": Mode.LIVE,
    "notice": Mode.SUGGEST,
    "step.reads": Mode.LIVE,
    "step.changes": Mode.SUGGEST,
}
"""As shipped: everything that a customer or a machine would feel waits for a person."""

VERDICTS: Mapping[Mode, Verdict] = {Mode.LIVE: Verdict.DO, Mode.SUGGEST: Verdict.ASK, Mode.SHADOW: Verdict.RECORD}


def may(kind: str, subkind: str | None, settings: Settings, asked: tuple[str, ...], gate: Gate | None = None) -> Permission:
    """Whether an action of this kind happens now. `asked` are the people who may say yes to it, `gate` is what the score of the
    forecast that it rests on allows: while that is not open, what is live waits for a person too.

    The most specific mode wins, the user's before the shipped one of the same key: notice.started, then notice.
    What no table knows needs a person.
    """
    rule, mode = _mode(f"{kind}.{subkind}" if subkind else str(kind), settings.policy.modes)
    verdict = VERDICTS[mode]
    why = say(f"may.{mode}", kind=str(kind).partition(".")[0], rule=rule)
    if verdict is Verdict.DO and gate is not None and not gate.open:
        verdict = Verdict.ASK
        why = say("may.gate", rule=rule, right=gate.right, of=gate.of, low=round(gate.low, 3), need=gate.need)
    waits = verdict is Verdict.ASK
    return Permission(
        verdict,
        why,
        asked=asked if waits else (),
        expires_s=settings.policy.approval_s if waits else None,
    )


def _mode(key: str, modes: Mapping[str, Mode]) -> tuple[str, Mode]:
    name = key
    while name:
        for table in (modes, DEFAULTS):
            if name in table:
                return name, table[name]
        name = name.rpartition(".")[0]
    return key, Mode.SUGGEST
