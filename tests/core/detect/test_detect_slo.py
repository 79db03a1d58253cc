"""slo: burn rates against hand-computed ones, and against a plain count of the samples themselves."""

from __future__ import annotations

from array import array
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forewarn.core.detect import slo
from forewarn.core.detect.counts import Ring
from forewarn.core.detect.slo import FAST, SLOW, SloOptions
from forewarn.model.finding import Claim, RuleState
from forewarn.model.series import Bound, Window

MONTH = SloOptions(objective=0.995)
BUDGET = SloOptions(objective=0.995, pairs=SLOW)
START = 1_763_769_600.0  # 2025-11-22T00:00:00Z: the first second of an hour and a day
HOUR = 3600


class Played:
    """A promise that is fed: `up` and `down` for so many seconds."""

    def __init__(self, options: SloOptions = MONTH, every_s: float = 10.0, bad: float = 0.0, good: float = 1.0) -> None:
        self.options, self.every_s, self.values = options, every_s, {"up": good, "down": bad}
        self.now_s, self.state, self.claim = START, None, Claim(state=RuleState.UNKNOWN, why=None)  # type: ignore[arg-type]
        self.turns: list[tuple[float, bool]] = []

    def feed(self, span_s: float, *words: str) -> Played:
        """The words in turn, one at each interval."""
        for at in range(round(span_s / self.every_s)):
            was = bool(self.state and self.state.firing)
            window = Window(array("d", [self.now_s]), array("d", [self.values[words[at % len(words)]]]), 1, self.every_s)
            self.state, self.claim = slo.step(self.options, self.state, window, datetime.fromtimestamp(self.now_s, UTC))
            if self.state.firing is not was:
                self.turns.append((self.now_s - START, self.state.firing))
            self.now_s += self.every_s
        return self

    def nothing(self, span_s: float) -> Played:
        self.now_s += span_s
        return self

    @property
    def left(self) -> float:
        return slo.left(self.options, self.state)

    @property
    def burn(self) -> float | None:
        return self.claim.evidence.value


def test_a_month_of_good_samples_keeps_all_of_its_budget() -> None:
    played = Played().feed(8 * HOUR, "up")
    assert played.claim.state is RuleState.OK
    assert (played.burn, played.claim.why.key, played.claim.why.facts["left"]) == (0.0, "why.slo.keeps", 1.0)


# An outage after a good day. The budget of 99.5 % of 30 days is 3.6 h of the 720.
# In the hour 14.4 x 0.5 % = 7.2 % of 360 samples = 25.92: with the 26th bad one it fires, 250 s after the first. The short
# window is at 26 of 30 by then. It ends when five minutes hold less than 7.2 x 0.5 % = 3.6 % of 30 = 1.08 bad ones.
def test_an_outage_fires_with_the_sample_that_the_book_says() -> None:
    played = Played().feed(24 * HOUR, "up").feed(600, "down").feed(2 * HOUR, "up")
    began, ended = played.turns
    assert began == (24 * HOUR + 250, True)
    assert 240 <= ended[0] - (24 * HOUR + 600) <= 300 and not ended[1]


# (objective, every, how many of ten are bad, pair that fires first, seconds after the fault began)
RATES = [
    # 20 % bad = 40x. The hour needs 26 bad ones: the 26th is sample 126 (two in ten, the first two), 1250 s. Short: 20 % of 30.
    (0.995, 10.0, 2, 14.4, (1200, 1300)),
    # 10 % bad = 20x: the 26th bad one is sample 251, 2500 s.
    (0.995, 10.0, 1, 14.4, (2500, 2500)),
    # 99.9 %: 14.4 x 0.1 % of 360 = 5.2, six bad ones in a row, 50 s.
    (0.999, 10.0, 10, 14.4, (50, 50)),
    # 99 %: 14.4 % of 360 = 51.8: 52 in a row, 510 s.
    (0.99, 10.0, 10, 14.4, (510, 510)),
    # every minute, 99.5 %: 4.32 of 60: five in a row, 240 s.
    (0.995, 60.0, 10, 14.4, (240, 240)),
    # every five minutes: twelve in the hour; 0.86 would do, but three bad ones are the least: 600 s.
    (0.995, 300.0, 10, 14.4, (600, 600)),
]


@pytest.mark.parametrize(("objective", "every", "bad", "rate", "after"), RATES)
def test_rates(objective: float, every: float, bad: int, rate: float, after: tuple[float, float]) -> None:
    words = ["down"] * bad + ["up"] * (10 - bad)
    played = Played(SloOptions(objective=objective), every).feed(24 * HOUR, "up").feed(2 * HOUR, *words)
    began = played.turns[0][0] - 24 * HOUR
    assert after[0] <= began <= after[1]
    assert played.claim.state is RuleState.FIRING
    assert played.claim.evidence.limit == rate


def test_a_slower_burn_needs_the_six_hours() -> None:
    """One in 25 is bad: 4 % = 8x, below 14.4 and above 6. Six hours need 6 x 0.5 % of 2160 = 64.8: the 65th bad sample is
    number 1601, 16,000 s on. The short window then has 4 % of 180 = 7.2, above 5.4."""
    played = Played().feed(24 * HOUR, "up").feed(6 * HOUR, "down", *["up"] * 24)
    assert played.turns == [(24 * HOUR + 16_000, True)]
    assert (played.burn, played.claim.evidence.limit, played.claim.evidence.window_s) == (8.1, 6.0, 6.0 * HOUR)  # 87 of 2160
    assert played.claim.why.facts["used"] == pytest.approx(8 * 6 / 720, rel=0.02)


def test_what_is_too_slow_to_page_is_a_task() -> None:
    """One in 50: 2 % = 4x. It never pages; of the day 3 x 0.5 % of 8640 = 129.6 bad ones: the 130th after 64,500 s."""
    words = ("down", *["up"] * 49)
    assert Played().feed(24 * HOUR, "up").feed(24 * HOUR, *words).turns == []
    played = Played(BUDGET).feed(5 * 24 * HOUR, "up").feed(24 * HOUR, *words)
    [(began, firing)] = played.turns
    assert firing and abs(began - 5 * 24 * HOUR - 64_500) <= HOUR  # its windows are made of hours
    assert played.claim.evidence.limit == 3.0


def test_the_slowest_burn() -> None:
    """One in 100 is 2x; of three days 1 x 0.5 % of 25,920 = 129.6: the 130th after 129,000 s, and six hours burn at 2x."""
    played = Played(BUDGET).feed(5 * 24 * HOUR, "up").feed(48 * HOUR, "down", *["up"] * 99)
    [(began, _)] = played.turns
    assert abs(began - 5 * 24 * HOUR - 129_000) <= HOUR
    assert (played.burn, played.claim.evidence.limit) == (1.3, 1.0)  # two of the three days at 2x


def test_the_budget_that_is_left_is_of_the_whole_month() -> None:
    """Half an hour down is 180 of 259,200 samples; 1296 may be bad: 13.9 % are gone."""
    played = Played().feed(24 * HOUR, "up").feed(1800, "down")
    assert played.left == pytest.approx(1 - 180 / 1296)
    facts = played.claim.why.facts  # told with the first sample of the last minute
    assert (facts["bad"], facts["n"], facts["used"]) == (175, 355, pytest.approx(175 / 355 / 0.005 / 720))
    assert facts["left"] == pytest.approx(1 - 175 / 1296)
    played.feed(4 * HOUR, "down")
    assert (played.claim.why.key, played.claim.why.facts["left"]) == ("why.slo.burns_gone", 0.0)


def test_what_is_older_than_the_window_is_forgotten() -> None:
    week = SloOptions(objective=0.995, window_s=7 * 86400.0)
    played = Played(week, 60.0).feed(1800, "down").feed(6 * 86400, "up")
    assert played.claim.why.facts["left"] == pytest.approx(1 - 30 / (0.005 * 7 * 1440))
    assert played.feed(86400, "up").claim.why.facts["left"] == 1.0


# --- too little -------------------------------------------------------------------------------------------------------


def test_it_learns_until_half_an_hour_is_known() -> None:
    played = Played().feed(10, "up")
    assert (played.claim.state, played.claim.why.key) == (RuleState.LEARNING, "why.slo.learning")
    assert played.claim.ready_at == datetime.fromtimestamp(START + 1800, UTC)
    assert played.feed(1780, "up").claim.state is RuleState.LEARNING
    assert played.feed(70, "up").claim.state is RuleState.OK


def test_the_first_minutes_are_not_a_whole_hour() -> None:
    """Two minutes of down after a start: 12 of 12 are bad, and of half an hour's 180 that is 6.7 %, below 7.2 %."""
    played = Played().feed(120, "down")
    assert played.claim.state is RuleState.LEARNING
    assert played.feed(10, "down").claim.state is RuleState.FIRING


def test_samples_that_never_came_burn_nothing() -> None:
    """Nobody could look for 40 min of the hour: 24 bad ones of 120 that are known, of 180 they count as."""
    played = Played().feed(24 * HOUR, "up").feed(240, "down")
    assert played.claim.state is RuleState.OK
    assert played.nothing(6 * HOUR).feed(10, "up").claim.state is RuleState.LEARNING
    assert not played.turns


@pytest.mark.parametrize("bad", [1, 2])
def test_one_or_two_bad_samples_of_a_rare_probe_are_no_burn(bad: int) -> None:
    played = Played(every_s=1800.0).feed(86400, "up").feed(1800 * bad, "down").feed(86400, "up")
    assert not played.turns


def test_a_loose_promise_can_burn() -> None:
    """90 % can't burn 14.4 times as fast: at 9x (nine of ten bad) it fires."""
    played = Played(SloOptions(objective=0.9)).feed(24 * HOUR, "up").feed(HOUR, "down")
    assert played.turns and played.claim.evidence.limit in (9.0, 6.0)


# --- sides, clocks, restarts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bound", "good", "bad"),
    [(Bound(below=0.3), 0.29, 0.3), (Bound(above=10.0), 11.0, 10.0), (Bound(above=0.0), 1.0, 0.0)],
)
def test_what_is_good(bound: Bound, good: float, bad: float) -> None:
    options = SloOptions(objective=0.995, bound=bound)
    assert Played(options, bad=bad, good=good).feed(24 * HOUR, "up").feed(250, "down").claim.state is RuleState.OK
    assert Played(options, bad=bad, good=good).feed(24 * HOUR, "up").feed(260, "down").claim.state is RuleState.FIRING


def test_a_clock_that_is_set_back_forgets_what_lies_ahead_and_goes_on() -> None:
    played = Played().feed(24 * HOUR, "up").feed(600, "down").nothing(-HOUR)
    assert played.feed(10, "up").claim.state is RuleState.OK
    assert played.feed(2 * HOUR, "up").feed(250, "down").claim.state is RuleState.OK
    assert played.feed(10, "down").claim.state is RuleState.FIRING


def test_a_clock_that_is_set_forward_leaves_a_gap() -> None:
    played = Played().feed(24 * HOUR, "up").feed(600, "down").nothing(HOUR).feed(3000, "up")
    assert played.claim.state is not RuleState.FIRING
    assert played.claim.why.facts["left"] == pytest.approx(1 - 60 / 1296)


def test_a_resumed_burn_goes_on_and_ends() -> None:
    before = Played().feed(24 * HOUR, "up").feed(600, "down")
    played = Played()
    played.now_s, played.state = before.now_s, slo.resume(MONTH, before.state)
    assert played.feed(10, "up").claim.state is RuleState.FIRING
    assert played.feed(600, "up").claim.state is RuleState.OK


def test_a_state_that_recalls_counts_says_what_the_one_said_that_saw_the_samples() -> None:
    """Hours as counts up to seven hours ago, the rest sample by sample."""
    seen = Played(BUDGET).feed(20 * HOUR, "up").feed(HOUR, "down").feed(30 * HOUR, "up").feed(900, "down").feed(2 * HOUR, "up")
    samples = [(START + 10 * i, 1.0) for i in range(round((seen.now_s - START) / 10))]
    bad = [(20 * HOUR, 21 * HOUR), (51 * HOUR, 51 * HOUR + 900)]
    samples = [(at, 0.0 if any(a <= at - START < b for a, b in bad) else 1.0) for at, _ in samples]
    split = ((seen.now_s - slo.EXACT_S) // HOUR + 1) * HOUR
    hours: dict[float, list[float]] = {}
    for at, value in samples:
        if at < split:
            hours.setdefault(at // HOUR * HOUR, []).append(value)
    state = slo.recall(BUDGET, [(begin, len(values), values.count(0.0)) for begin, values in sorted(hours.items())])
    late = [sample for sample in samples if sample[0] >= seen.now_s - slo.EXACT_S]
    state, claim = slo.step(BUDGET, state, Window.of(late, len(late) - 1), datetime.fromtimestamp(seen.now_s, UTC))
    state, claim = slo.step(BUDGET, state, Window(array("d", [seen.now_s]), array("d", [1.0]), 1, 10.0), seen_now(seen))
    seen.feed(10, "up")
    for fact in ("burn", "left", "n", "bad"):
        assert claim.why.facts[fact] == pytest.approx(seen.claim.why.facts[fact], abs=1e-9), fact


def seen_now(played: Played) -> datetime:
    return datetime.fromtimestamp(played.now_s, UTC)


def test_a_state_stays_small() -> None:
    played = Played().feed(9 * HOUR, "up", "down")
    rings = (played.state.minutes, played.state.hours)
    assert sum(len(ring.ns) * 4 + len(ring.bads) * 4 for ring in rings) < 9000
    assert len(FAST) == len(SLOW) == 2


# --- in general -------------------------------------------------------------------------------------------------------

SLOTS = st.lists(st.tuples(st.integers(-3, 12), st.integers(0, 4), st.integers(0, 4)), max_size=60)


@given(SLOTS)
@settings(deadline=None)
def test_a_ring_holds_what_a_plain_table_holds(moves: list[tuple[int, int, int]]) -> None:
    ring, table, at = Ring(8), dict[int, list[int]](), 100
    for move, good, bad in moves:
        at += move
        table = {slot: counts for slot, counts in table.items() if at - 8 < slot <= at}
        counts = table.setdefault(at, [0, 0])
        counts[0] += good + bad
        counts[1] += bad
        ring = ring.added(at, good + bad, bad)
        newest = {slot: table.get(slot, [0, 0]) for slot in range(at - 7, at + 1)}
        assert (ring.n, ring.bad) == tuple(newest[at])
        for slots in range(1, 9):
            within = [newest[slot] for slot in range(at - slots + 1, at)]
            assert ring.closed(slots) == (sum(n for n, _ in within), sum(b for _, b in within))


WORDS = st.lists(st.tuples(st.sampled_from(["up", "down", "gap"]), st.integers(1, 90)), min_size=1, max_size=8)


@given(WORDS, st.sampled_from([0.9, 0.99, 0.995, 0.999]))
@settings(deadline=None, max_examples=60)
def test_it_fires_only_where_a_plain_count_burns(words: list[tuple[str, int]], objective: float) -> None:
    """At each beginning both windows of one pair burn, counted over the samples themselves, one minute of them more or less."""
    played, samples = Played(SloOptions(objective=objective), 20.0), list[tuple[float, str]]()
    for word, count in words:
        for _ in range(count):
            if word == "gap":
                played.nothing(20.0)
                continue
            samples.append((played.now_s, word))
            before = len(played.turns)
            played.feed(20.0, word)
            if len(played.turns) > before and played.turns[-1][1]:
                assert any(_burns(samples, pair, objective) for pair in FAST)
            assert 0.0 <= played.claim.why.facts["left"] <= 1.0


def _burns(samples: list[tuple[float, str]], pair: slo.Pair, objective: float) -> bool:
    now_s, rate = samples[-1][0], min(pair.rate, 0.9 / (1 - objective))
    for span_s in (pair.long_s, pair.short_s):
        within = [word for at, word in samples if at // 60 > now_s // 60 - span_s / 60]
        share = within.count("down") / max(len(within), 0.5 * span_s / 20.0)
        if share / (1 - objective) < rate - 1e-9:
            return False
    return True
