"""GET /api/v1/scorecard and the console's page of it."""

from __future__ import annotations

from forewarn.core.learn.card import card
from forewarn.core.reader import Body
from forewarn.model.scorecard import Score
from forewarn.web.reads import Reads

MOST_RULES = 2000


def scorecard(reads: Reads) -> Body:
    """How right forecasts were, by kind and rule, and which gates are open. Blocks on the store."""
    policy = reads.settings().policy
    return card(_scores(reads), policy.gates, policy.priors)


def so_far(reads: Reads) -> Body | None:
    """`right`, `of` and `median_lead_s` in all; None while nothing was judged."""
    found = scorecard(reads)
    return {name: found[name] for name in ("right", "of", "median_lead_s")} if found["of"] else None


def _scores(reads: Reads) -> list[Score]:
    return [one for one in reads.ledger.find("score", limit=MOST_RULES) if isinstance(one, Score)]
