"""A disk's risk: from its counters and their growth, calm about what stood already, and as good as we say on real disks."""

from __future__ import annotations

import csv
import gzip
import importlib.util
import os
from array import array
from datetime import UTC, datetime
from pathlib import Path

import pytest

from forewarn.core.detect import risk_model as model
from forewarn.core.detect.risk import BESIDE, RiskOptions, RiskState, resume, step
from forewarn.model.finding import Claim, RuleState
from forewarn.model.series import Window

REAL = Path(os.environ.get("FOREWARN_DATA", "data")) / "smart"
DAY = 86400.0
BEGAN = datetime(2026, 11, 1, tzinfo=UTC).timestamp()


class Disk:
    """A disk that is read once a day."""

    def __init__(self, **options) -> None:
        self.options, self.state, self.day = RiskOptions(**options), None, 0

    def read(self, ok: float = 1.0, **counts: float) -> Claim:
        at_s = BEGAN + self.day * DAY
        self.day += 1
        beside = {name: Window.of([(at_s, value)]) for name, value in counts.items()}
        window = Window(array("d", [at_s]), array("d", [ok]), 1, DAY, beside=beside)
        self.state, claim = step(self.options, self.state, window, datetime.fromtimestamp(at_s, UTC))
        return claim


def p(claim: Claim) -> float:
    assert claim.forecast and claim.forecast.p is not None
    return claim.forecast.p


def test_a_clean_disk_has_the_risk_of_a_clean_disk_and_no_dates():
    claim = Disk().read(reallocated_total=0, pending_sectors=0)
    assert claim.state is RuleState.OK and claim.why.key == "why.risk.none" and not claim.old
    assert 0.0005 < p(claim) < 0.003
    forecast = claim.forecast
    assert forecast and (forecast.earliest, forecast.likely, forecast.latest, forecast.horizon_s) == (None, None, None, 30 * DAY)


def test_counters_that_begin_to_grow_fire_and_say_which():
    disk = Disk()
    disk.read(reallocated_total=0, pending_sectors=0, reported_uncorrectable_total=0)
    claim = disk.read(reallocated_total=0, pending_sectors=16, reported_uncorrectable_total=2)
    assert claim.state is RuleState.FIRING and not claim.old and p(claim) > 0.14
    assert claim.why.key == "why.risk.grew"
    assert (claim.why.facts["sign"], claim.why.facts["count"], claim.why.facts["rise"]) == ("metric.pending_sectors", 16.0, 16.0)
    assert not claim.confirmed and disk.read(reallocated_total=0, pending_sectors=16, reported_uncorrectable_total=2).confirmed


def test_what_stood_when_the_disk_was_first_seen_is_an_old_wound_until_it_grows():
    disk, wound = Disk(), {"reallocated_total": 1975.0, "pending_sectors": 300.0, "reported_uncorrectable_total": 40.0}
    for _ in range(20):
        claim = disk.read(**wound)
        assert (claim.state, claim.old, claim.why.key) == (RuleState.FIRING, True, "why.risk.stands")
    claim = disk.read(**wound | {"pending_sectors": 301.0})
    assert claim.state is RuleState.FIRING and not claim.old and claim.why.facts["rise"] == 1.0


def test_a_counter_that_falls_is_no_growth():
    disk = Disk()
    disk.read(pending_sectors=400.0, reported_uncorrectable_total=40.0)
    assert disk.read(pending_sectors=390.0, reported_uncorrectable_total=40.0).old


def test_it_ends_when_nothing_grew_for_long_and_the_rest_is_small():
    disk = Disk()
    disk.read(reallocated_total=0, pending_sectors=0)
    assert disk.read(reallocated_total=1, pending_sectors=8).state is RuleState.FIRING
    states = [disk.read(reallocated_total=1, pending_sectors=0).state for _ in range(10)]
    assert states[0] is RuleState.FIRING or states[-1] is RuleState.OK
    assert states[-1] is RuleState.OK


def test_a_little_under_the_limit_it_goes_on():
    disk = Disk(above=0.1)
    disk.read(reallocated_total=0, pending_sectors=0, reported_uncorrectable_total=0)
    firing = disk.read(reallocated_total=0, pending_sectors=8, reported_uncorrectable_total=1)
    later = [disk.read(reallocated_total=0, pending_sectors=8, reported_uncorrectable_total=1) for _ in range(10)][-1]
    assert p(later) < p(firing) and 0.05 < p(later) < 0.1 and later.state is RuleState.FIRING


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


def test_more_errors_never_mean_less_risk():
    before = 0.0
    for count in (0, 1, 2, 5, 10, 100, 1000, 1e5, 1e9):
        now = [model.measured({name: count}, False) for name in model.COUNTS]
        assert min(now) >= model.NORMAL * 0.99
        assert sum(now) >= before
        before = sum(now)
    everything = dict.fromkeys(model.COUNTS, 1e6)
    assert model.measured(everything, True) >= model.measured(everything, False) > 0.3


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
        _, claim = step(RiskOptions(above=0.05), None, window, now)
        assert (claim.state, claim.old) == (RuleState.FIRING, old)
    resumed = resume(RiskOptions(), None)
    assert isinstance(resumed, RiskState) and resumed.firing


def test_it_asks_to_see_what_the_prober_gives():
    from forewarn.probers.smart import METRICS

    assert set(BESIDE) <= set(METRICS)


@pytest.mark.skipif(not REAL.is_dir(), reason=f"histories of real disks are not in {REAL} (set FOREWARN_DATA)")
def test_on_disks_that_really_failed():
    """Recall 72 h ahead, and how many good drives are ever alarmed, at the shipped limit and at 1 % of them."""
    spec = importlib.util.spec_from_file_location("smart_score", REAL / "smart_score.py")
    assert spec and spec.loader
    score = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(score)
    drives = {drive: known for drive, known in score.load(REAL / "series").items() if drive % 5 == 0}
    alarms: dict[float, dict[int, int]] = {0.05: {}, 0.1: {}, 0.15: {}}
    states: dict[int, RiskState | None] = {}
    columns = dict(zip(model.COUNTS, ("smart_5", "smart_187", "smart_188", "smart_197", "smart_198"), strict=True))
    with gzip.open(REAL / "series" / "changes.csv.gz", "rt", newline="") as file:
        for row in csv.DictReader(file):
            drive, hours = int(row["drive"]), int(row["hours"])
            if drive not in drives:
                continue
            at_s = hours * 3600.0
            counts = {
                name: int(row[column]) & (0xFFFF if column == "smart_188" else -1)
                for name, column in columns.items()
                if row[column]
            }
            beside = {name: Window.of([(at_s, float(value))]) for name, value in counts.items()}
            window = Window(array("d", [at_s]), array("d", [1.0]), 1, 0.0, beside=beside)
            states[drive], claim = step(RiskOptions(), states.get(drive), window, datetime.fromtimestamp(at_s, UTC))
            for limit, first in alarms.items():
                if p(claim) >= limit and not claim.old:
                    first.setdefault(drive, hours)
    found = {limit: score.measure(drives, first) for limit, first in alarms.items()}
    shown = {limit: (round(one["recall@72h"], 3), round(one["false_share"], 4)) for limit, one in found.items()}
    assert found[0.1]["recall@72h"] > 0.40 and found[0.1]["false_share"] < 0.02 and found[0.1]["precision"] > 0.6, shown
    assert found[0.05]["recall@72h"] > found[0.1]["recall@72h"] > found[0.15]["recall@72h"], shown
