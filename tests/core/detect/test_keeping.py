"""States of detectors as bytes: every kind, after all sorts of series, comes back equal; nothing else is taken for a state."""

from __future__ import annotations

import random
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from math import inf, sin
from typing import Any, NamedTuple

import pytest

from forewarn.core.detect import DETECTORS, keeping
from forewarn.core.detect.absence import AbsenceOptions
from forewarn.core.detect.baseline import BaselineOptions
from forewarn.core.detect.change import ChangeOptions
from forewarn.core.detect.distinct import CardinalityOptions, ComposeOptions
from forewarn.core.detect.flatline import FlatlineOptions
from forewarn.core.detect.forecast import ForecastOptions
from forewarn.core.detect.new_term import NewTermOptions
from forewarn.core.detect.rate import RateOptions
from forewarn.core.detect.risk import RiskOptions
from forewarn.core.detect.slo import SloOptions
from forewarn.model.series import Bound, Window

START = 1_790_000_000.0
SLO = SloOptions(bound=Bound(below=0.9), objective=0.99, window_s=7 * 86400.0)
OPTIONS: Mapping[str, tuple[Any, ...]] = {
    "forecast": (ForecastOptions(above=1.0), ForecastOptions(below=0.1, window_s=3600.0)),
    "baseline": (BaselineOptions(), BaselineOptions(season="week"), BaselineOptions(season="none")),
    "flatline": (FlatlineOptions(within_s=3600.0), FlatlineOptions(within_s=3600.0, counter=False)),
    "change": (ChangeOptions(times=2.0, within_s=1200.0, reference_s=14_400.0, counter=False),),
    "rate": (RateOptions(limit=1.0), RateOptions(limit=0.01, counter=False, window_s=1200.0)),
    "risk": (RiskOptions(),),
    "slo": (SLO,),
    "slo-budget": (SLO,),
    "absence": (AbsenceOptions(for_s=600.0, first_s=3600.0), AbsenceOptions(for_s=600.0, first_s=60.0, counter=True)),
    "new-term": (NewTermOptions(learn_s=600.0, clear_after_s=3600.0),),
    "cardinality": (CardinalityOptions(of=("user",), within_s=3600.0, above=3),),
    "compose": (ComposeOptions(of=("a", "b"), at_least=2, within_s=600.0),),
}


def series(chance: random.Random, n: int) -> list[float]:
    """One of several sorts: noise, growth, a season, steps, a counter; now and then something out of all proportion."""
    sort, value, made = chance.randrange(5), chance.random(), []
    for at in range(n):
        noise = chance.gauss(0, 0.01)
        value = (
            (abs(noise), value + 1e-3 + noise / 10, 0.5 + 0.4 * sin(at / 50) + noise, value, value + chance.randrange(3))[sort]
            if chance.random() > 0.01
            else chance.choice((0.0, -0.0, 1e9, -3.0, 1e-320, value))
        )
        made.append(value)
    return made


def states(kind: str, options: Any, seed: int, n: int = 400) -> list[Any]:
    """The states that a detector had on its way."""
    chance, detector, state, found = random.Random(seed), DETECTORS[kind], None, []
    times, values = array("d"), array("d")
    for at, value in enumerate(series(chance, n)):
        times.append(START + 60.0 * at)
        values.append(value)
        came = tuple(chance.sample("abcdef用", chance.randrange(3)))
        beside = {name: Window(times, values, 1) for name in detector.beside}
        window = Window(times, values, 1, 60.0, "r", "d", ("a line 行 \udcff",), beside, times[-1], START, came, (("model", "X"),))
        state, _ = detector.step(options, state, window, datetime.fromtimestamp(times[-1], UTC))
        found.append(state)
    return found


def test_all_kinds_that_keep_a_state_are_tried_here():
    assert {kind for kind, detector in DETECTORS.items() if detector.kept} == set(OPTIONS)


@pytest.mark.parametrize("kind", OPTIONS)
@pytest.mark.parametrize("seed", [1, 2])
def test_every_state_comes_back_as_it_was(kind, seed):
    for options in OPTIONS[kind]:
        form = keeping.form_of(DETECTORS[kind].step, DETECTORS[kind].form)
        for state in states(kind, options, seed)[:: 7 + seed]:
            back = form.unpacked(form.packed(state))
            assert back == state and type(back) is type(state)
            assert repr(back) == repr(state)  # also -0.0, and lists that are no tuples


@pytest.mark.parametrize("kind", ["baseline", "forecast"])
def test_what_goes_on_from_a_kept_state_says_the_same(kind):
    form, detector = keeping.form_of(DETECTORS[kind].step), DETECTORS[kind]
    for options in OPTIONS[kind]:
        state = again = states(kind, options, 5, 300)[-1]
        for at, value in enumerate(series(random.Random(6), 200)):
            window, now = Window.of([(START + 18_000 + 60.0 * at, value)]), datetime.fromtimestamp(START + 18_000 + 60.0 * at, UTC)
            state, claim = detector.step(options, state, replace(window, every_s=60.0), now)
            again, same = detector.step(options, form.unpacked(form.packed(again)), replace(window, every_s=60.0), now)
            assert (again, same) == (state, claim)


@pytest.mark.parametrize(("kind", "most"), [("baseline", 1_200), ("forecast", 4_500), ("flatline", 1_500), ("slo", 3_000)])
def test_a_state_that_has_seen_much_is_small(kind, most):
    form = keeping.form_of(DETECTORS[kind].step)
    for seed in (1, 2):
        assert len(form.packed(states(kind, OPTIONS[kind][0], seed, 3_000)[-1])) <= most


def test_bytes_that_are_no_state_are_refused_and_harm_nothing():
    chance, form = random.Random(3), keeping.form_of(DETECTORS["forecast"].step)
    good = form.packed(states("forecast", OPTIONS["forecast"][0], 1)[-1])
    for _ in range(300):
        bad = bytearray(good)
        for _ in range(chance.randrange(1, 4)):
            bad[chance.randrange(len(bad))] ^= 1 << chance.randrange(8)
        if bad != good:
            with pytest.raises(keeping.Unreadable):
                form.unpacked(bytes(bad))
    for bad in (b"", good[:5], good[:-1], good + b"x", b"\0" * 40, chance.randbytes(500)):
        with pytest.raises(keeping.Unreadable):
            form.unpacked(bad)


def test_what_is_sound_and_no_value_is_refused_as_well():
    """Whoever can make the checksum right can still only make values of the state's own classes."""
    import struct
    import zlib

    form, chance = keeping.form_of(DETECTORS["baseline"].step), random.Random(4)
    for _ in range(500):
        body = zlib.compress(bytes(chance.choices(range(16), k=chance.randrange(60))))
        data = struct.pack("<BII", keeping.VERSION, form.check, zlib.crc32(body)) + body
        try:
            form.unpacked(data)
        except keeping.Unreadable:
            continue
    bomb = zlib.compress(bytes(50_000_000))
    with pytest.raises(keeping.Unreadable, match="not whole"):
        form.unpacked(struct.pack("<BII", keeping.VERSION, form.check, zlib.crc32(bomb)) + bomb)
    deep = zlib.compress(bytes([keeping.TUPLE, 1]) * 100_000 + bytes([keeping.NONE]))
    with pytest.raises(keeping.Unreadable):
        form.unpacked(struct.pack("<BII", keeping.VERSION, form.check, zlib.crc32(deep)) + deep)


class Colour(StrEnum):
    RED = "red"


class Pair(NamedTuple):
    a: float
    b: int | None = None


@dataclass(frozen=True)
class State:
    pairs: tuple[Pair, ...] = ()
    colour: Colour | None = None
    seen: Mapping[str, tuple[float, int]] = field(default_factory=dict)
    counts: array[int] = field(default_factory=lambda: array("H"))
    more: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class Larger(State):
    extra: int = 0


Larger.__qualname__ = "State"


def test_a_form_is_that_of_the_fields():
    form = keeping.Form(State)
    state = State((Pair(1.5), Pair(-inf, -7)), Colour.RED, {"数": (0.1, 2**70)}, array("H", range(1000)), [1.0, 2.0])
    data = form.packed(state)
    assert form.unpacked(data) == state
    for other in (keeping.Form(Larger), keeping.Form(State, 2)):  # a field more; a detector that means something else by them
        with pytest.raises(keeping.Unreadable, match="another form"):
            other.unpacked(data)


def test_what_can_not_be_kept_is_said():
    form = keeping.Form(State)
    for state, why in [
        (State(more=[object()]), "object is no part of a state"),  # type: ignore[list-item]
        (State(counts=array("d", bytes(8 * 40_000))), "are kept at most"),
        (State(seen={"at": datetime(1950, 1, 1, tzinfo=UTC)}), "can't be kept"),  # type: ignore[dict-item]
    ]:
        with pytest.raises(keeping.Unreadable, match=why):
            form.packed(state)
