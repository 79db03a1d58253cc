"""What must never reach a customer, checked on every text: ours and what a person wrote.

Each check is one function in CHECKS and answers Says; `lint` puts them into the daemon's language for whoever approves.
The two strict rules: a text says that work is done only when it is on record (scene.doing), and that all is well only when
every probe of the services is up. Patterns are written for English and Chinese; names of hosts, probes' targets and other
customers come from the settings. It finds slips, not intentions: a person still approves.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from forewarn.core.tell import patterns
from forewarn.core.tell.scene import Doing, Scene, doing
from forewarn.core.tell.voice import voice
from forewarn.core.tell.when import Reader, zone
from forewarn.core.tell.words import render
from forewarn.model.incident import IncidentState
from forewarn.model.map import Customer
from forewarn.model.message import Subkind
from forewarn.model.settings import Settings
from forewarn.model.text import Say, say

SUBJECT_MOST = {"zh": 60}
TEXT_MOST = {"zh": 500}
LATIN_SUBJECT_MOST, LATIN_TEXT_MOST = 120, 1000
PROMISING = frozenset({Subkind.FOREWARNING, Subkind.STARTED, Subkind.UPDATE, Subkind.CORRECTED})


@dataclass(frozen=True, slots=True)
class Case:
    """A text to judge. `plain` is subject and text without the names that it may show: the service's and the reader's own."""

    subject: str
    text: str
    plain: str
    customer: Customer
    scene: Scene
    settings: Settings
    subkind: Subkind | None

    @property
    def whole(self) -> str:
        return f"{self.subject}\n{self.text}"

    @property
    def sentences(self) -> list[str]:
        return [part.strip() for part in patterns.SENTENCE_ENDS.split(self.plain) if part.strip()]


Check = Callable[[Case], Iterator[Say]]


def lint(text: str, subject: str, customer: Customer, scene: Scene, settings: Settings, subkind: Subkind) -> tuple[str, ...]:
    """Everything that speaks against sending this, in the daemon's language; () when it may go."""
    return _told(list(found(text, subject, customer, scene, settings, subkind)), settings)


def found(text: str, subject: str, customer: Customer, scene: Scene, settings: Settings, subkind: Subkind) -> tuple[Say, ...]:
    """The same as sentences without a language yet."""
    case = _case(text, subject, customer, scene, settings, subkind)
    return tuple(what for check in (*NEVER, *RULES) for what in check(case))


def leaks(text: str, customer: Customer, scene: Scene, settings: Settings) -> tuple[Say, ...]:
    """What of the "never" list stands in a piece of text."""
    case = _case(text, "", customer, scene, settings, None)
    return tuple(found for check in NEVER for found in check(case))


def missing(keys: Iterable[str], settings: Settings) -> tuple[str, ...]:
    """Phrases that a text needs and the catalogue lacks."""
    return _told([say("lint.missing", what=key) for key in keys], settings)


def speaks(text: str, language: str) -> bool:
    """Whether a text is in the script of that language."""
    return bool(patterns.HAN.search(text)) == language.startswith("zh")


def _told(found: list[Say], settings: Settings) -> tuple[str, ...]:
    words = voice(settings.daemon.language, settings.daemon.zone, settings, settings.loaded_at)
    return tuple(dict.fromkeys(render(what, words.catalogue, words.zone, words.now) for what in found))


def _case(text: str, subject: str, customer: Customer, scene: Scene, settings: Settings, subkind: Subkind | None) -> Case:
    own = {customer.title, customer.name}
    for service in scene.services:
        own |= {service.name, *service.names.values()}
    plain = f"{subject}\n{text}" if subject else text
    for name in sorted(own - {""}, key=len, reverse=True):
        plain = re.sub(_bounded(name), "·", plain, flags=re.IGNORECASE)
    return Case(subject, text, plain, customer, scene, settings, subkind)


def _bounded(name: str) -> str:
    """A name as a word of its own; Chinese has no word ends to look for."""
    return rf"(?<![A-Za-z0-9_-]){re.escape(name)}(?![A-Za-z0-9_-])"


# --- never ------------------------------------------------------------------------------------------------------------


def _by_pattern(key: str, pattern: re.Pattern[str]) -> Check:
    def check(case: Case) -> Iterator[Say]:
        for found in pattern.finditer(case.plain):
            yield say(key, what=found[0].strip().rstrip(".,;:")[:60])

    return check


def _host_names(case: Case) -> Iterator[Say]:
    """Names of our machines. A name that is an ordinary word (local, search) can't be told from one."""
    known = {need.partition(":")[2] or need for service in case.settings.services.values() for need in service.runs_on}
    known |= {name for probe in case.settings.probes.values() for target in probe.targets for name in (target.name, target.address)}
    known |= {finding.target for finding in case.scene.findings}
    for name in sorted(known):
        if not name.isalpha() and len(name) > 2 and re.search(_bounded(name), case.plain, re.IGNORECASE):
            yield say("lint.host", what=name)


def _disk_use(case: Case) -> Iterator[Say]:
    for sentence in case.sentences:
        share = patterns.PERCENT.search(sentence)
        if share and patterns.DISK.search(sentence):
            yield say("lint.disk", what=share[0])


def _other_customers(case: Case) -> Iterator[Say]:
    for other in case.settings.customers.values():
        if other.name == case.customer.name:
            continue
        for name in dict.fromkeys((other.name, other.title)):
            if len(name) > 1 and re.search(_bounded(name), case.plain, re.IGNORECASE):
                yield say("lint.customer", what=name)


NEVER: tuple[Check, ...] = (
    _by_pattern("lint.address", patterns.ADDRESS),
    _by_pattern("lint.host", patterns.HOST),
    _host_names,
    _by_pattern("lint.path", patterns.PATH),
    _disk_use,
    _by_pattern("lint.trace", patterns.INSIDES),
    _other_customers,
    _by_pattern("lint.blame", patterns.BLAME),
    _by_pattern("lint.phrase", patterns.EMPTY_PHRASES),
)


# --- rules ------------------------------------------------------------------------------------------------------------


def _size(case: Case) -> Iterator[Say]:
    subject_most = SUBJECT_MOST.get(case.customer.language, LATIN_SUBJECT_MOST)
    text_most = TEXT_MOST.get(case.customer.language, LATIN_TEXT_MOST)
    for part, text, most in (("subject", case.subject, subject_most), ("text", case.text, text_most)):
        if not text.strip():
            yield say("lint.empty", part=f"lint.{part}")
        elif len(text) > most:
            yield say("lint.long", part=f"lint.{part}", n=len(text), most=most)


def _language(case: Case) -> Iterator[Say]:
    if case.text.strip() and not speaks(case.plain, case.customer.language):
        yield say("lint.language", what=case.customer.language)


def _apology(case: Case) -> Iterator[Say]:
    body = [part for part in patterns.SENTENCE_ENDS.split(case.text) if part.strip()]
    if body and all(patterns.APOLOGY.search(part) for part in body):
        yield say("lint.apology")


def _promises(case: Case) -> Iterator[Say]:
    promised = [part for part in case.sentences if patterns.PROMISE.search(part)]
    for part in promised:
        if not patterns.ANY_TIME.search(part) and not patterns.CONDITION.search(part):
            yield say("lint.promise", what=part[:60])
    expected = case.subkind in PROMISING and case.scene.incident.unresolved
    if expected and not any(patterns.ANY_TIME.search(part) for part in promised):
        yield say("lint.no_time")


def _zone(case: Case) -> Iterator[Say]:
    if not patterns.CLOCK.search(case.whole) or patterns.OFFSET.search(case.whole):
        return
    words = voice(case.customer.language, case.customer.zone, case.settings, case.settings.loaded_at)
    name = zone(Reader(words.catalogue, words.zone, words.now), words.now.timestamp())
    if name not in case.whole:
        yield say("lint.zone", what=name)


def _all_is_well(case: Case) -> Iterator[Say]:
    found = patterns.FINE.search(case.plain)
    if found and not case.scene.all_up:
        yield say("lint.fine", what=found[0])


def _actions(case: Case) -> Iterator[Say]:
    """What we do names only a recorded run, an approved step, the owner's plan, or what was recorded at the end."""
    incident, done = case.scene.incident, doing(case.scene, case.settings)
    recorded = bool(case.scene.plan or incident.resolution) or incident.state is IncidentState.AVERTED
    if (found := patterns.ACTION.search(case.plain)) and not (recorded or done in (Doing.REPAIRING, Doing.REPAIRED)):
        yield say("lint.action", what=found[0])
    if (found := patterns.LOOKING.search(case.plain)) and not (recorded or done):
        yield say("lint.action", what=found[0])
    if (found := patterns.ENGINEER.search(case.plain)) and not incident.owner:
        yield say("lint.engineer", what=found[0])


RULES: tuple[Check, ...] = (_size, _language, _apology, _promises, _zone, _all_is_well, _actions)
