"""absence: what comes, what stops coming, what never comes; and times that nobody may count as waiting."""

from __future__ import annotations

from array import array
from datetime import UTC, datetime, time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forewarn.core.detect import absence
from forewarn.core.detect.absence import AbsenceOptions
from forewarn.model.due import Calendar, Weekly
from forewarn.model.finding import RuleState
from forewarn.model.series import Window

START = 1_763_800_000.0
PLAIN = AbsenceOptions(for_s=60.0, first_s=60.0)
COUNTER = AbsenceOptions(for_s=60.0, first_s=60.0, counter=True)
LETTER = {RuleState.OK: ".", RuleState.FIRING: "F", RuleState.LEARNING: "l"}
EMPTY = array("d")


class Played:
    """One thing happens every ten seconds: a sample (a number), `-` a good run without one, `?` a run that could not look."""

    def __init__(self, options: AbsenceOptions, every_s: float = 10.0, start_s: float = START) -> None:
        self.options, self.every_s, self.now_s, self.state = options, every_s, start_s, None
        self.claim = None

    def feed(self, *words: float | str) -> str:
        said = ""
        for word in words:
            fresh = not isinstance(word, str)
            times, values = (array("d", [self.now_s]), array("d", [word])) if fresh else (EMPTY, EMPTY)
            window = Window(times, values, int(fresh), self.every_s, up_s=None if word == "?" else self.now_s)
            self.state, self.claim = absence.step(self.options, self.state, window, datetime.fromtimestamp(self.now_s, UTC))
            said += LETTER[self.claim.state]
            self.now_s += self.every_s
        return said


TABLE = {
    "it comes": (PLAIN, (1, 1, 1), "..."),
    "it stops": (PLAIN, (1, *"--------"), "......FFF"),
    "it comes again": (PLAIN, (1, *"-------", 1, "-"), "......FF.."),
    "it never comes": (PLAIN, tuple("--------"), "llllllFF"),
    "a grace for the first": (AbsenceOptions(for_s=60.0, first_s=80.0), tuple("----------"), "llllllllFF"),
    "nobody could look": (PLAIN, (1, "-", *"????????", "-", "-", "-", "-"), ".............F"),
    "a counter that rests": (COUNTER, (5, 5, 5, 5, 5, 5, 5, 5), "......FF"),
    "a counter that grows": (COUNTER, (5, 5, 5, 6, 6, 6, 6, 6, 6, 6), ".........F"),
    "a counter that began anew": (COUNTER, (5, 5, 5, 5, 1, 1, 1), "......."),
    "a counter that has never grown": (COUNTER, (0, 0, 0, 0, 0, 0, 0), "llllllF"),
}


@pytest.mark.parametrize("name", TABLE)
def test_table(name: str) -> None:
    options, words, expected = TABLE[name]
    assert Played(options).feed(*words) == expected


def test_it_says_since_when_and_how_long() -> None:
    played = Played(PLAIN)
    played.feed(1, *"-------")
    facts = played.claim.why.facts
    assert (played.claim.why.key, facts["since"], facts["waited_s"], facts["limit_s"]) == ("why.absence.stopped", START, 70.0, 60.0)
    assert (played.claim.evidence.value, played.claim.evidence.limit, played.claim.evidence.n) == (70.0, 60.0, 1)
    never = Played(PLAIN)
    never.feed(*"-------")
    assert (never.claim.why.key, never.claim.why.facts["since"]) == ("why.absence.never", START)


@pytest.mark.parametrize("jump", [7200.0, -7200.0])
def test_a_clock_that_is_set_adds_two_intervals_at_most(jump: float) -> None:
    played = Played(PLAIN)
    played.feed(1, "-")
    played.now_s += jump
    assert played.feed("-", "-", "-") == "..."  # 10 s before it, 20 or none over it
    assert played.feed("-", "-", "-").endswith("F")


OFFICE = Weekly(frozenset(range(5)), time(9), time(18), UTC, "Mon-Fri 09:00-18:00")
CALENDAR = Calendar(name="office", zone=UTC, week=(*[((time(9), time(18)),)] * 5, (), ()))


@pytest.mark.parametrize("hours", [OFFICE, CALENDAR])
def test_it_is_waited_for_in_its_hours_only(hours: Weekly | Calendar) -> None:
    evening = datetime(2025, 11, 21, 17, 59, 30, tzinfo=UTC).timestamp()  # a Friday
    options = AbsenceOptions(for_s=60.0, first_s=60.0, only="office", hours=hours)
    played = Played(options, start_s=evening)
    assert played.feed(1, *"------") == "......."
    assert played.claim.why.key == "why.absence.closed"
    played.now_s = datetime(2025, 11, 24, 9, 0, 0, tzinfo=UTC).timestamp()  # Monday: the first run adds two intervals at most
    assert played.feed(*"------") in ("..FFFF", ".FFFFF", "...FFF")


def test_a_resumed_claim_ends_when_it_comes() -> None:
    played = Played(PLAIN)
    played.state = absence.resume(PLAIN, None)
    assert played.feed("-", "?", "-", 1) == "FFF."


def test_history_tells_how_long_it_has_been_missing() -> None:
    times = array("d", (START + 10 * at for at in range(8)))
    state, claim = absence.step(
        COUNTER, None, Window(times, array("d", [3.0] * 8), 7, 10.0), datetime.fromtimestamp(START + 70, UTC)
    )
    assert state.waited_s == 70.0 and claim.state is RuleState.FIRING


def test_without_news_the_claim_is_the_same() -> None:
    played = Played(PLAIN)
    played.feed(1, "-")
    before = played.claim
    _, claim = absence.step(PLAIN, played.state, Window(EMPTY, EMPTY, 0, 10.0, up_s=played.now_s - 10), datetime.now(UTC))
    assert claim is before


@given(st.lists(st.sampled_from(["-", "-", "-", "?", "1"]), max_size=80))
@settings(deadline=None)
def test_it_fires_when_seven_good_runs_in_a_row_saw_nothing_and_never_within_three(words: list[str]) -> None:
    """Sixty seconds of waiting are at least three good runs after the last, at ten seconds each and twenty at most."""
    played, missed = Played(PLAIN), 0
    for word in words:
        said = played.feed(1 if word == "1" else word)
        missed = 0 if word == "1" else missed + (word == "-")
        if missed >= 7:
            assert said == "F"
        if missed < 3:
            assert said != "F"
