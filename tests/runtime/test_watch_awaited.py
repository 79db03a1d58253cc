"""Rules that wait: series that have never come, come under labels, are gone, and lives that end in between."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from test_watch import BLIND, DOWN, START, Player, finding, probe, rule, told

from forewarn.core.detect.absence import AbsenceOptions
from forewarn.core.detect.slo import SloOptions
from forewarn.model.series import Bound, Column, Outcome, SeriesId, Tally, Window
from forewarn.runtime.watch import Watch

ORDERS: Column = ("orders", ())
PAID: Column = ("paid_total", (("shop", "a"),))
NO_ORDERS = rule("no-orders", AbsenceOptions(for_s=60.0, first_s=60.0), "orders")
NOT_PAID = rule("not-paid", AbsenceOptions(for_s=60.0, first_s=60.0, counter=True), "paid_total")


class Ticked(Player):
    """A watch that is ticked after each run, as the daemon does."""

    def run(self, *given, **named):
        moves = super().run(*given, **named)
        return moves + self.watch.tick(self.now - self.every)


def test_what_never_comes_fires_ends_when_it_comes_and_fires_again() -> None:
    player = Ticked(Watch(probe(NO_ORDERS)))
    assert told([m for _ in range(6) for m in player.run()]) == []
    (fired,) = player.run()
    assert told([fired]) == ["no-orders fires"] and str(fired.series) == "disk|t0|orders"
    assert told(player.run(values={ORDERS: 3})) == ["no-orders ends"]
    assert told([m for _ in range(7) for m in player.run()]) == ["no-orders fires"]


def test_each_target_is_waited_for() -> None:
    player = Ticked(Watch(probe(NO_ORDERS, targets=2)))
    moves = [
        m
        for _ in range(9)
        for target in ("t0", "t1")
        for m in player.run(target=target, values={ORDERS: 1} if target == "t0" else {})
    ]
    assert [str(m.series) for m in moves] == ["disk|t1|orders"]


def test_nothing_is_waited_for_while_nobody_can_look_or_the_target_is_down() -> None:
    player = Ticked(Watch(replace(probe(NO_ORDERS), rules=(NO_ORDERS,))))
    player.watch = Watch(replace(probe(NO_ORDERS), rules=(NO_ORDERS, DOWN, BLIND)))
    player.run(values={ORDERS: 3})
    moves = [m for outcome in (Outcome.UNKNOWN, Outcome.DOWN) for _ in range(20) for m in player.run(outcome)]
    assert "no-orders fires" not in told(moves)
    assert "no-orders fires" in told([m for _ in range(7) for m in player.run()])


def test_a_series_with_labels_ends_the_wait_and_is_waited_for_by_itself() -> None:
    player = Ticked(Watch(probe(NOT_PAID)))
    assert told([m for _ in range(7) for m in player.run()]) == ["not-paid fires"]
    (ended,) = player.run(values={PAID: 1})
    assert (str(ended.series), ended.claim, ended.unwatched) == ("disk|t0|paid_total", None, False)
    assert [str(m.series) for _ in range(7) for m in player.run(values={PAID: 1})] == ['disk|t0|paid_total{shop="a"}']


def test_a_series_that_is_waited_for_is_never_gone() -> None:
    player = Ticked(Watch(probe(NO_ORDERS)))
    player.run(values={ORDERS: 3})
    moves = [m for _ in range(200) for m in player.run()]
    assert told(moves) == ["no-orders fires", *["no-orders fires"] * (len(moves) - 1)]  # told again as the wait grows
    assert len(player.watch.view(player.now)[0].series) == 2


def test_it_is_shown_before_it_has_ever_come() -> None:
    player = Ticked(Watch(probe(NO_ORDERS)))
    player.run()
    (shown,) = [one for one in player.watch.view(player.now)[0].series if one.series.metric == "orders"]
    assert shown.at is None and shown.value != shown.value
    assert [(r.rule, r.state) for r in shown.rules] == [("no-orders", "learning")]


def test_the_wait_outlives_a_restart() -> None:
    """40 s are known from the stored runs of the life before; 20 s more and it fires."""
    watch = Watch(probe(NO_ORDERS))
    assert watch.awaits_s() == 120.0
    at_s = START.timestamp()
    ups = Window.of([(at_s - 50 + 10 * i, 1.0) for i in range(5)])
    watch.look_back("t0", ups, START)
    player = Ticked(watch)
    assert told(player.run()) == []  # 50 s
    assert told(player.run()) == ["no-orders fires"]


def test_time_in_which_forewarn_was_stopped_is_no_waiting() -> None:
    watch = Watch(probe(NO_ORDERS))
    watch.warm(SeriesId("disk", "t0", "orders"), Window.of([(START.timestamp() - 7200, 3.0)]))
    watch.look_back("t0", Window.of([]), START)
    player = Ticked(watch)
    assert told([m for _ in range(4) for m in player.run()]) == []
    assert told([m for _ in range(4) for m in player.run()]) == ["no-orders fires"]


def test_an_open_claim_of_what_never_came_goes_on_after_a_restart() -> None:
    player = Ticked(Watch(probe(NO_ORDERS)))
    (fired,) = [m for _ in range(7) for m in player.run()]
    after = Ticked(Watch(probe(NO_ORDERS)), player.now)
    after.watch.resume([finding(fired)])
    assert after.watch.forget_strangers(player.now) == []
    assert told([m for _ in range(3) for m in after.run()]) == []
    assert told(after.run(values={ORDERS: 1})) == ["no-orders ends"]


def test_a_reload_keeps_the_wait_and_ends_it_with_its_rule() -> None:
    player = Ticked(Watch(probe(NO_ORDERS)))
    assert told([m for _ in range(7) for m in player.run()]) == ["no-orders fires"]
    kept = Watch(probe(NO_ORDERS, rule("more", SloOptions(objective=0.99), "up")))
    assert kept.adopt(player.watch, player.now) == []
    assert told(kept.unwatch(player.now)) == ["no-orders gone"]
    other = Ticked(Watch(probe(NO_ORDERS)))
    assert told([m for _ in range(7) for m in other.run()]) == ["no-orders fires"]
    assert told(Watch(probe()).adopt(other.watch, other.now)) == ["no-orders gone"]


def test_a_promise_recalls_what_lies_before_its_history() -> None:
    options = SloOptions(objective=0.995)
    watch, asked = Watch(probe(rule("promise", options, "up"))), list[Tally]()
    series = SeriesId("disk", "t0", "up")
    at_s = START.timestamp()

    def ask(tally: Tally) -> list[tuple[float, int, int]]:
        asked.append(tally)
        return [(at_s - 86400, 360, 36)]

    watch.recall(series, ask)
    watch.warm(series, Window.of([(at_s - 3600 + 10 * i, 1.0) for i in range(360)]))
    watch.take(Player(watch).watch and _up(at_s), START + timedelta(seconds=1))
    assert asked == [Tally(Bound(above=0.0), 3600.0, 30 * 86400.0)]
    (shown,) = watch.view(START)[0].series
    (said,) = [one.why for one in shown.rules if one.rule == "promise"]
    assert said and abs(float(said.facts["left"] or 0) - (1 - 36 / 1296)) < 1e-6


def _up(at_s: float):
    from forewarn.model.series import ProbeRun

    return ProbeRun("disk", "t0", at_s, Outcome.UP)
