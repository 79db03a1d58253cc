"""design.md section 7: a normal week of a host gives no page and at most three findings."""

from __future__ import annotations

from datetime import timedelta

import pytest
from host_week import DAY, HOUR
from life import Life

CLOCK = {4 * DAY + 11 * HOUR: timedelta(hours=1), 4 * DAY + 15 * HOUR: timedelta()}
"""On Friday a bad time server sets the clock an hour forward; in the afternoon it is set back."""
MOST_FINDINGS = 3


def _judged(life: Life) -> None:
    print(life.said())
    assert not life.pages, life.said()
    assert len(life.findings) <= MOST_FINDINGS, life.said()


@pytest.mark.timeout(300)
def test_a_normal_week_is_quiet() -> None:
    life = Life(1, CLOCK, step_s=120).live()
    _judged(life)
    assert any(finding.rule == "cpu-busy" for finding in life.findings), "the release build is worth a line; was anything seen?"


@pytest.mark.slow
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("seed", [2, 3])
def test_other_weeks_are_quiet_too(seed: int) -> None:
    _judged(Life(seed, CLOCK, step_s=30).live())


@pytest.mark.timeout(300)
def test_a_host_with_a_journal_only_is_quiet_though_its_last_week_is_read_first() -> None:
    """Two days; the week before stands in the journal with its builds, its reboot and its lost lease."""
    life = Life(6, days=2, step_s=120, journal_only=True).live()
    _judged(life)
    assert len(life.history) > 500, "its minutes are told one by one"
    assert sum(
        value
        for (metric, _), value in zip(life.history[-1].columns, life.history[-1].values, strict=True)
        if metric == "failed_logins_total"
    )


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_a_whole_week_of_a_host_with_a_journal_only_is_quiet() -> None:
    _judged(Life(7, CLOCK, step_s=60, journal_only=True).live())


@pytest.mark.timeout(120)
def test_a_disk_that_fills_on_such_a_host_is_still_seen() -> None:
    """Quiet, but not deaf: the same host, and something writes 3 GB an hour to /srv."""
    life = Life(5, days=1.0, step_s=120)
    before = life.host.step

    def step(at_s: float) -> None:
        before(at_s)
        life.host.used["/srv"] = min(120.0, life.host.used["/srv"] + 4.0 * life.host.step_s / HOUR)

    life.host.step = step  # type: ignore[method-assign]
    life.live()
    assert any(f.rule == "disk-fills" and 'mount="/srv"' in f.series for f in life.findings), life.said()
