"""A disk's risk: from its counters and their growth, calm about what stood already, and as good as we say on real disks."""

from __future__ import annotations

from array import array
from datetime import UTC, datetime
from itertools import pairwise
from math import log1p

import pytest

from forewarn.core.detect import risk_model as model
from forewarn.core.detect import risk_trees
from forewarn.core.detect.risk import RiskOptions, RiskState, resume, step
from forewarn.core.detect.risk_signs import BESIDE
from forewarn.core.detect.risk_track import COUNTS, NAMES, features, followed
from forewarn.model.finding import Claim, RuleState
from forewarn.model.series import Window

CLEAN = dict.fromkeys(COUNTS, 0.0)
BAD = CLEAN | {"pending_sectors": 16.0, "reported_uncorrectable_total": 3.0}
WOUND = CLEAN | {"reallocated_total": 1975.0, "pending_sectors": 300.0, "reported_uncorrectable_total": 40.0}
DAY = 86400.0
BEGAN = datetime(2026, 11, 1, tzinfo=UTC).timestamp()


class Disk:
    """A disk that is read once a day."""

    def __init__(self, name: str = "", **options) -> None:
        self.options, self.state, self.day = RiskOptions(**options), None, 0
        self.labels = (("model", name), ("serial", "S"))

    def read(self, ok: float = 1.0, **counts: float) -> Claim:
        at_s = BEGAN + self.day * DAY
        self.day += 1
        beside = {name: Window.of([(at_s, value)]) for name, value in counts.items()}
        window = Window(array("d", [at_s]), array("d", [ok]), 1, DAY, beside=beside, labels=self.labels)
        self.state, claim = step(self.options, self.state, window, datetime.fromtimestamp(at_s, UTC))
        return claim


def p(claim: Claim) -> float:
    assert claim.forecast and claim.forecast.p is not None
    return claim.forecast.p


def test_a_clean_disk_has_the_risk_of_a_clean_disk_and_no_dates():
    claim = Disk().read(**CLEAN)
    assert claim.state is RuleState.OK and claim.why.key == "why.risk.none" and not claim.old
    assert 0.0005 < p(claim) < 0.003
    forecast = claim.forecast
    assert forecast and (forecast.earliest, forecast.likely, forecast.latest, forecast.horizon_s) == (None, None, None, 30 * DAY)


def test_counters_that_begin_to_grow_fire_and_say_which_and_how_likely_it_is_sooner_and_later():
    disk = Disk()
    disk.read(**CLEAN)
    claim = disk.read(**BAD)
    assert claim.state is RuleState.FIRING and not claim.old and p(claim) > 0.1
    facts = claim.why.facts
    assert claim.why.key == "why.risk.grew" and 0 < facts["p3"] < p(claim) < facts["p90"] < 1
    assert (facts["sign"], facts["count"], facts["rise"]) == ("metric.pending_sectors", 16.0, 16.0)
    assert not claim.confirmed and disk.read(**BAD).confirmed


def test_what_stood_when_the_disk_was_first_seen_is_an_old_wound_until_it_grows():
    disk = Disk(above=0.05)
    for _ in range(20):
        claim = disk.read(**WOUND)
        assert (claim.state, claim.old, claim.why.key) == (RuleState.FIRING, True, "why.risk.stands")
    before = p(claim)
    claim = disk.read(**WOUND | {"pending_sectors": 316.0})
    assert claim.state is RuleState.FIRING and not claim.old and claim.why.facts["rise"] == 16.0 and p(claim) > before


def test_a_counter_that_falls_is_no_growth():
    disk = Disk(above=0.02)
    disk.read(**WOUND)
    assert disk.read(**WOUND | {"pending_sectors": 290.0}).old


def test_it_ends_when_nothing_grew_for_long_and_the_rest_is_small():
    disk = Disk()
    disk.read(**CLEAN)
    assert disk.read(**BAD).state is RuleState.FIRING
    quiet = [disk.read(**CLEAN | {"reported_uncorrectable_total": 3.0}) for _ in range(200)]
    assert p(quiet[-1]) < p(quiet[0]) and quiet[-1].state is RuleState.OK


def test_a_little_under_the_limit_it_goes_on():
    disk, calm = Disk(), Disk()
    disk.read(**CLEAN)
    limit = p(disk.read(**BAD)) - 0.001
    disk, calm = Disk(above=limit), Disk(above=limit)
    disk.read(**CLEAN)
    assert disk.read(**BAD).state is RuleState.FIRING
    later = [disk.read(**BAD) for _ in range(40)]
    between = [claim for claim in later if limit / 2 < p(claim) < limit]
    assert between and between[0].state is RuleState.FIRING
    assert calm.read(**BAD).state is RuleState.OK, "it begins only above the limit"


def test_a_disk_that_says_that_it_fails_is_never_old():
    claim = Disk().read(ok=0.0)
    assert claim.state is RuleState.FIRING and not claim.old and p(claim) >= 0.5
    assert (claim.why.key, claim.why.facts["sign"]) == ("why.risk.says", "why.risk.sign.failed")


@pytest.mark.parametrize(("bit", "name"), [(1, "spare"), (4, "reliability"), (8, "read_only"), (16, "backup"), (32, "memory")])
def test_each_critical_warning_of_an_nvme_has_its_words(bit, name):
    claim = Disk().read(critical_warning=bit, media_errors_total=0)
    assert claim.state is RuleState.FIRING and claim.why.facts["sign"] == f"why.risk.sign.{name}"


def test_a_warm_nvme_is_not_a_failing_one():
    assert Disk().read(critical_warning=2, media_errors_total=0).state is RuleState.OK


def test_media_errors_matter_once_they_grow():
    disk = Disk()
    assert disk.read(media_errors_total=7).state is RuleState.OK
    claim = disk.read(media_errors_total=9)
    assert claim.state is RuleState.FIRING and (claim.why.facts["count"], claim.why.facts["rise"]) == (9.0, 2.0)


def test_the_worse_the_more_likely():
    disk = Disk()
    ordered = [CLEAN, CLEAN | {"pending_sectors": 8.0}, BAD, BAD | {"pending_sectors": 200.0, "reported_uncorrectable_total": 60.0}]
    found = [p(disk.read(**counts)) for counts in ordered]
    assert found == sorted(found) and found[-1] > 50 * found[0]


def test_a_model_that_fails_often_is_told_and_opens_nothing():
    more = CLEAN | {"power_on_s": 8000 * 3600.0, "power_cycles_total": 10.0, "high_fly_writes_total": 0.0}
    often, seldom = Disk("ST3000DM001-1CH166", above=0.003), Disk("HGST HMS5C4040BLE640", above=0.003)
    claim = often.read(**more)
    assert p(claim) > 4 * p(seldom.read(**more))
    assert (claim.state, claim.old, claim.why.facts["sign"]) == (RuleState.FIRING, True, "why.risk.sign.model")


def test_a_model_is_known_by_its_family_else_its_maker_else_as_any():
    assert model.prior("ST3000DM001-1CH166") == model.prior("Seagate ST3000DM001") == risk_trees.PRIORS["ST3000DM001"]
    assert model.prior("ST99999XX") == risk_trees.PRIORS["maker:ST"] and model.prior("?") == risk_trees.PRIORS[""]
    assert model.prior("Hitachi HUA999") == risk_trees.PRIORS["maker:HGST"]


def test_the_table_is_whole():
    for points in risk_trees.KNOTS.values():
        assert all(low < high and at_low < at_high for (low, at_low), (high, at_high) in pairwise(points))
    x = features({}, 0.0, 0.0)
    assert len(x) == len(NAMES) and -20 < model.score(x) < 20
    spans = [3 * DAY, 10 * DAY, 30 * DAY, 60 * DAY, 90 * DAY, 365 * DAY]
    for score in (-9.0, -3.0, 0.0, 2.0, 9.0):
        chances = [model.probability(score, span) for span in spans]
        assert chances == sorted(chances) and chances[0] > 0 and chances[-1] <= 1


def test_growth_is_known_by_the_day_the_week_and_the_month():
    track, start = None, BEGAN // DAY * DAY
    for day, value in ((0, 0), (1, 4), (1.2, 5), (25, 6), (31, 9)):
        track = followed(track, Window.of([(start + day * DAY, float(value))]))
    assert track and [by for _, by in track.steps] == [5.0, 1.0, 3.0], "growth of one day is one step"
    found = dict(zip(NAMES, features({"pending_sectors": track}, start + 31.5 * DAY, 0.0), strict=True))
    names = ("day", "week", "month", "days")
    grown = [found[f"{name}.pending_sectors"] for name in names]
    assert grown == pytest.approx([log1p(3), log1p(3 + 1), log1p(3 + 1), 2]), "the first step is out of the month"
    assert followed(track, Window.of([(start, 99.0)])) is track, "what is older than what was seen is passed over"


def test_published_rates_are_a_choice():
    disk = Disk(model="published", within_s=365.25 * DAY)
    assert p(disk.read(**CLEAN)) == pytest.approx(1 - 2.718281828**-0.025, abs=1e-4)
    assert p(disk.read(**CLEAN | {"pending_sectors": 1.0})) == pytest.approx(1 - 2.718281828**-0.342, abs=1e-4)
    assert p(disk.read(**CLEAN | {"pending_sectors": 1.0, "uncorrectable_sectors": 1.0})) > 0.5
    for name, steps in model.PUBLISHED.items():
        assert all(a < b for a, b in pairwise([rate for _, rate in steps])), name
        assert model.yearly(name, 0.0) == model.PUBLISHED_CLEAN and model.yearly(name, 1e9) == steps[-1][1]


@pytest.mark.parametrize("kind", [{"rotation_rpm": 0.0}, {"wear_ratio": 0.1}])
def test_flash_is_judged_by_its_own_measure(kind):
    """Bad blocks are common on it."""
    disk = Disk()
    assert disk.read(**kind, reallocated_total=4.0).state is RuleState.OK
    assert disk.read(**kind, reallocated_total=9.0).state is RuleState.OK
    claim = disk.read(**kind, reallocated_total=9.0, reported_uncorrectable_total=0.0)
    claim = disk.read(**kind, reallocated_total=9.0, reported_uncorrectable_total=2.0)
    assert claim.state is RuleState.FIRING and claim.why.facts["sign"] == "metric.reported_uncorrectable_total"
    worn = Disk(above=0.04).read(**kind | {"wear_ratio": 1.02})
    assert worn.state is RuleState.FIRING and worn.old and worn.why.facts["sign"] == "why.risk.sign.worn_out"


def test_a_disk_that_only_says_that_it_is_well_is_a_usual_one():
    assert p(Disk().read()) == pytest.approx(model.normal(30 * DAY), abs=1e-4)


def test_another_horizon_is_the_same_hazard():
    assert model.within(0.2, 60 * DAY) == pytest.approx(1 - 0.8**2) and model.within(0.2, 30 * DAY) == pytest.approx(0.2)


def test_without_samples_nothing_is_said():
    state, claim = step(RiskOptions(), None, Window.of([]), datetime.fromtimestamp(BEGAN, UTC))
    assert claim.state is RuleState.UNKNOWN and not state.firing


def test_history_tells_what_is_old_and_what_grew():
    """After a restart: the past of the counters comes beside that of the verdict."""
    times = [BEGAN + hour * 3600 for hour in range(24 * 30)]
    main = Window.of([(at, 1.0) for at in times])
    flat = Window.of([(at, 300.0) for at in times])
    rising = Window.of([(at, 300.0 + (at > times[-24]) * 5) for at in times])
    now = datetime.fromtimestamp(times[-1], UTC)
    for pending, old in ((flat, True), (rising, False)):
        window = Window(main.times_s, main.values, len(times), 3600.0, beside={"pending_sectors": pending})
        _, claim = step(RiskOptions(above=0.005), None, window, now)
        assert (claim.state, claim.old) == (RuleState.FIRING, old)
    resumed = resume(RiskOptions(), None)
    assert isinstance(resumed, RiskState) and resumed.firing


def test_it_asks_to_see_what_the_prober_gives():
    from forewarn.probers.smart import METRICS

    assert set(BESIDE) <= set(METRICS)
