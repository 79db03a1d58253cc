"""docs/incident-states.md draws the table that decides, and explains every state of it."""

from __future__ import annotations

import re
from pathlib import Path

from forewarn.core.respond.lifecycle import NEXT, diagram

PAGE = (Path(__file__).parents[2] / "docs" / "incident-states.md").read_text("utf-8")


def test_the_picture_is_current() -> None:
    drawn = re.findall(r"```mermaid\n(.*?)```", PAGE, re.DOTALL)
    assert drawn == [diagram()], "put the output of forewarn.core.respond.lifecycle.diagram() into docs/incident-states.md"


def test_every_state_is_explained_once() -> None:
    assert sorted(re.findall(r"^\| `(\w+)` \|", PAGE, re.MULTILINE)) == sorted(map(str, NEXT))
