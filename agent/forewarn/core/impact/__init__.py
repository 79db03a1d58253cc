"""How badly, how many, and the level that follows.

effect.py     what a finding means
exposure.py   what the map says: who uses a service, who needs whom
affected.py   who is touched
matrix.py     effect x reach -> level
score.py      the order inside a level
factors.py    every step with its value and source
assess.py     all of it for one incident
correlate.py  which incident a finding belongs to
orders.py     how far orders have dropped
"""

from forewarn.core.impact.assess import assess
from forewarn.core.impact.effect import Meaning, Role, effect_of, meaning

__all__ = ["Meaning", "Role", "assess", "effect_of", "meaning"]
