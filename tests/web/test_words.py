"""Every sentence that console, API and command line can say exists in both languages."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import forewarn
from forewarn.app.reload import OTHERS, TABLES
from forewarn.cli.words import phrases
from forewarn.core.tell.words import problems
from forewarn.model.finding import RuleState
from forewarn.model.incident import IncidentState
from forewarn.model.level import Mode
from forewarn.model.message import MessageState
from forewarn.model.playbook import RunState, StepState
from forewarn.model.series import Outcome
from forewarn.web.console import FORM_VERBS
from forewarn.web.probe import PHASES

PACKAGE = Path(forewarn.__file__).parent
SOURCES = [
    *(PACKAGE / "web").rglob("*.py"),
    *(PACKAGE / "web").rglob("*.html"),
    *(PACKAGE / "cli").glob("*.py"),
    PACKAGE / "core" / "show.py",
    PACKAGE / "core" / "overview.py",
    PACKAGE / "app" / "offline_reads.py",
    PACKAGE / "app" / "banner.py",
]
KEY = re.compile(r"""["']((?:console|web|cli|trouble)\.[a-z_.]+[a-z_])["']""")
OPEN_ENDED = {
    "console.state.": ("ok", "warning", "problem", "nothing"),
    "cli.status.state.": ("ok", "warning", "problem"),
    "cli.reload.how.": ("added", "removed", "changed"),
    "cli.reload.table.": (*TABLES, *OTHERS),
    "console.mark.": ("ok", "down", "firing", "unknown", "learning"),
    "console.outcome.": tuple(Outcome),
    "console.rule_state.": tuple(RuleState),
    "console.mode.": tuple(Mode),
    "console.run_state.": tuple(RunState),
    "console.step_state.": tuple(StepState),
    "cli.hosts.key.": ("known", "unknown", "pinned"),
    "cli.hosts.refused.": ("revoked", "other"),
    "console.due_ended.": ("met", "late", "dropped"),
    "cli.outreach.": ("people", "people_left", "customers", "customers_left"),
    "cli.outreach.would.": ("page", "notice", "ask"),
    "console.nav.": ("first", "now", "messages", "loaded"),
    "console.strip.": ("now", "near", "far", "undated", "legend"),
    "console.phase.": (*PHASES, "rest"),
    "console.keys.": ("title", "close", "search", "acknowledge", "edit", "resolve", "help", "leave"),
    "console.loaded.": ("title", "at", "good", "mend", "probes", "services", "customers", "people", "playbooks"),
    "console.verb.": (*FORM_VERBS - {"answer"}, "yes", "no"),
    "state.": tuple(IncidentState),
    "message.state.": tuple(MessageState),
}


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_key_in_the_sources_is_in_the_catalogue(language: str) -> None:
    named = {key for source in SOURCES for key in KEY.findall(source.read_text("utf-8"))}
    named |= {f"{prefix}{word}" for prefix, words in OPEN_ENDED.items() for word in words}
    assert len(named) > 150
    assert named - set(phrases(language)) == {"trouble.html"}  # the name of a template


def test_both_languages_say_the_same_with_the_same_facts() -> None:
    own = {language: dict(phrases(language)) for language in ("en", "zh")}
    assert [line for line in problems(own) if re.search(r'"(console|web|cli|trouble)\.', line)] == []


def test_no_sentence_of_ours_is_left_unused() -> None:
    text = "".join(source.read_text("utf-8") for source in SOURCES).replace("'", '"')
    computed = (*OPEN_ENDED, "console.language.", "console.find.", "cli.case.", "trouble.")
    own = {key for key in phrases("en") if key.startswith(("console.", "web.", "cli."))}
    unused = {key for key in own if f'"{key}"' not in text and not key.startswith(computed)}
    assert unused - {"console.plan", "console.resolution"} == set()
