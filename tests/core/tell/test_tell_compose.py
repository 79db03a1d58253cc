"""Notices: golden texts in both languages, and every combination clean of what a customer must never read."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from itertools import product

import pytest
from tell_things import (
    CATALOGUES,
    CHECKOUT,
    EARLIEST,
    EN,
    LATEST,
    NOW,
    SEARCH,
    SENT,
    ZH,
    customer,
    finding,
    impact,
    incident,
    run,
    scene,
    settings,
)

from forewarn.core.tell.compose import DRAFTS, Composed, notice
from forewarn.core.tell.scene import Scene
from forewarn.model.errors import Refused
from forewarn.model.forecast import Forecast
from forewarn.model.incident import Incident, IncidentState
from forewarn.model.level import Effect, Level
from forewarn.model.message import Subkind
from forewarn.model.playbook import RunState, StepState

SETTINGS = settings()
LIVE = incident(IncidentState.OPEN, Effect.STOPPED, breached_at=NOW - timedelta(minutes=4))
LATER = NOW + timedelta(hours=2)
AVERTED = incident(IncidentState.AVERTED, Effect.SLOW, ended_at=LATER)
LOOKING = run(StepState.RUNNING, StepState.WAITING)
REPAIRING = run(StepState.OK, StepState.RUNNING)


def told(subkind: Subkind, given: Scene, who: object = EN, now: object = NOW) -> Composed:
    return notice(subkind, who, given, SETTINGS, now)  # type: ignore[arg-type]


def page(composed: Composed) -> str:
    return f"{composed.subject}\n\n{composed.text}"


FOREWARNED = scene(incident(effect=Effect.SLOW), findings=(finding(),), all_up=True, plan="storage is being added")
GOLDEN = [
    (
        Subkind.FOREWARNING,
        FOREWARNED,
        EN,
        NOW,
        """Checkout may be slow tonight 02:10–04:40 (Shanghai time)

Checkout may take longer than usual to respond between 02:10 and 04:40 on Monday 23 November (Shanghai time). Nothing is wrong at the moment.
We have seen early that storage behind Checkout is filling up. What we are doing: storage is being added.
You need not do anything. If you plan a large job, please run it before then. We will write again by 22:00, or at once if anything changes.""",
    ),
    (
        Subkind.FOREWARNING,
        replace(FOREWARNED, plan="扩容已开始"),
        ZH,
        NOW,
        """【提前告知】明天凌晨 02:10–04:40 结账可能变慢

11 月 23 日（周一）02:10–04:40（北京时间），结账的响应可能比平时慢。目前一切正常。
我们提前发现结账的存储空间即将不足。我们的处理：扩容已开始。
您无需任何操作；如有大批量任务，建议安排在此之前。我们会在 22:00 前再次告知进展，如有变化会立即通知您。""",
    ),
    (
        Subkind.STARTED,
        scene(replace(LIVE, owner="on-call-1"), runs=(LOOKING,)),
        EN,
        NOW,
        """Checkout is not available

Checkout has not been available since 18:08 (Shanghai time).
An engineer has taken this on, and we are looking for the cause.
You need not do anything for now. We will write again by 18:40, or at once when it is over.""",
    ),
    (
        Subkind.STARTED,
        scene(replace(LIVE, owner="on-call-1"), runs=(LOOKING,)),
        ZH,
        NOW,
        """【故障通知】结账目前无法使用

自 18:08（北京时间）起，结账无法使用。
工程师已接手，我们正在排查原因。
您暂时无需任何操作。我们会在 18:40 前再次告知进展，恢复后会立即通知您。""",
    ),
    (
        Subkind.RESOLVED,
        scene(replace(LIVE, state=IncidentState.RESOLVED, ended_at=LATER), all_up=True),
        EN,
        LATER,
        """Checkout works again

Checkout is available again. It was not available between 18:08 and 20:12 (Shanghai time). Nothing is wrong at the moment.
You need not do anything. We are sorry for the trouble. We will write again only if it comes back.""",
    ),
    (
        Subkind.RESOLVED,
        scene(replace(LIVE, state=IncidentState.RESOLVED, ended_at=LATER), all_up=True),
        ZH,
        LATER,
        """【恢复通知】结账已恢复正常

结账已恢复使用。18:08 至 20:12（北京时间）期间曾无法使用。目前一切正常。
您无需任何操作。给您带来不便，敬请谅解。如再次出现，我们会另行通知您。""",
    ),
    (
        Subkind.WITHDRAWN,
        scene(AVERTED, earlier=(SENT,)),
        EN,
        LATER,
        """All clear tonight: Checkout will not be slow

The cause was removed at 20:12 (Shanghai time), so the slowdown that we wrote about at 18:12 will not happen.
You need not do anything. Sorry for the extra message.""",
    ),
    (
        Subkind.WITHDRAWN,
        scene(AVERTED, earlier=(SENT,)),
        ZH,
        LATER,
        """【解除】明天凌晨结账不会变慢

隐患已于 20:12（北京时间）排除，我们于 18:12 告知的变慢情况不会发生。
您无需任何操作。给您带来打扰，敬请谅解。""",
    ),
    (
        Subkind.WITHDRAWN,
        scene(replace(AVERTED, state=IncidentState.WITHDRAWN), earlier=(SENT,)),
        EN,
        LATER,
        """All clear tonight: Checkout will not be slow

The early sign has gone away by itself. We no longer expect the slowdown that we wrote about at 18:12 (Shanghai time).
You need not do anything. Sorry for the extra message.""",
    ),
    (
        Subkind.CORRECTED,
        scene(findings=(finding(),), earlier=(SENT,)),
        ZH,
        LATER,
        """【更正】结账

现对我们于 18:12（北京时间）告知的内容作如下更正。最新情况如下。11 月 23 日（周一）02:10–04:40（北京时间），您使用结账时部分操作可能失败。
我们提前发现结账的存储空间即将不足。
您无需任何操作；如有大批量任务，建议安排在此之前。我们会在 22:00 前再次告知进展，如有变化会立即通知您。""",
    ),
]


@pytest.mark.parametrize(
    ("subkind", "given", "who", "now", "text"), GOLDEN, ids=[f"{g[0]}-{g[2].language}-{i}" for i, g in enumerate(GOLDEN)]
)
def test_golden(subkind: Subkind, given: Scene, who: object, now: object, text: str) -> None:
    composed = told(subkind, given, who, now)
    assert page(composed) == text
    assert composed.problems == ()


# --- every combination --------------------------------------------------------------------------------------------------

RISK = Forecast(earliest=None, likely=None, latest=None, p=0.4, horizon_s=259200)
OPEN_END = Forecast(earliest=EARLIEST, likely=None, latest=None, horizon_s=259200)
SCENES = {
    "dated": {"findings": (finding(),), "all_up": True},
    "risk": {"findings": (finding(forecast=RISK),), "all_up": True},
    "open-end": {"findings": (finding(forecast=OPEN_END),)},
    "bare": {},
    "no-service": {"services": ()},
    "two-services": {"services": (CHECKOUT, SEARCH)},
    "told": {"earlier": (SENT,), "all_up": True},
    "looking": {"runs": (LOOKING,)},
    "repairing": {"runs": (REPAIRING,)},
    "repaired": {"runs": (run(StepState.OK, StepState.OK, RunState.DONE),)},
}


@pytest.mark.parametrize(
    ("subkind", "language", "effect", "state"),
    list(product(DRAFTS, ("en", "zh"), Effect, IncidentState)),
    ids=lambda value: str(value),
)
def test_every_combination_is_clean(subkind: Subkind, language: str, effect: Effect, state: IncidentState) -> None:
    who = customer("c", title="x", language=language, uses={"checkout": 0.5, "search": 0.5})
    for owner, (name, given) in product((None, "on-call-1"), SCENES.items()):
        what: Incident = incident(state, effect, owner=owner)
        composed = told(subkind, scene(what, **given), who, LATER)
        assert composed.problems == (), (name, page(composed))
        assert 2 <= len(page(composed).splitlines()) <= 6
        assert "{" not in page(composed)
        promised = composed.next_update_at
        assert promised is None or promised > LATER


# --- what may be said ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, None),
        ({"owner": "on-call-1"}, "An engineer has taken this on."),
        ({"runs": (LOOKING,)}, "We are looking for the cause."),
        ({"owner": "on-call-1", "runs": (LOOKING,)}, "An engineer has taken this on, and we are looking for the cause."),
        ({"runs": (REPAIRING,)}, "The repair has been started."),
        (
            {"runs": (run(StepState.OK, StepState.OK, RunState.DONE),)},
            "The repair has been carried out, and we are checking whether it holds.",
        ),
        ({"runs": (run(StepState.OK, StepState.FAILED, RunState.FAILED),)}, None),
        ({"runs": (run(StepState.OK, StepState.UNKNOWN, RunState.UNKNOWN),)}, None),
        ({"plan": "we switch to the spare line."}, "What we are doing: we switch to the spare line."),
        ({"plan": "切换到备用线路"}, None),  # not in the customer's language
        ({"plan": "restart db-1"}, None),  # names a machine
        ({"plan": "move /srv/orders"}, None),
        ({"plan": "ask 客户甲 to wait"}, None),  # another customer
    ],
)
def test_only_what_is_on_record_is_said(given: dict[str, object], expected: str | None) -> None:
    what = replace(LIVE, owner=given.get("owner"))
    lines = told(Subkind.STARTED, scene(what, **{k: v for k, v in given.items() if k != "owner"})).text.splitlines()
    assert lines[1:-1] == ([expected] if expected else [])


def test_all_is_well_needs_every_probe_up() -> None:
    down = scene(findings=(finding(),), all_up=False)
    assert "Nothing is wrong" not in told(Subkind.FOREWARNING, down).text
    ended = scene(replace(LIVE, state=IncidentState.RESOLVED, ended_at=LATER), all_up=False)
    assert told(Subkind.RESOLVED, ended).subject == "Checkout: the disturbance is over"


def test_the_end_speaks_of_the_worst_that_was() -> None:
    ended = replace(LIVE, state=IncidentState.RESOLVED, ended_at=LATER, impact=impact(Effect.SLOW), worst=impact(Effect.STOPPED))
    assert told(Subkind.RESOLVED, scene(ended), now=LATER).text.startswith("Checkout is available again.")


def test_what_lasted_less_than_a_minute_is_a_moment() -> None:
    ended = replace(LIVE, state=IncidentState.RESOLVED, ended_at=LATER, mitigated_at=LIVE.opened_at, breached_at=None)
    assert "not available around 18:02 (Shanghai time)." in told(Subkind.RESOLVED, scene(ended), now=LATER).text


def test_customers_hear_only_of_services_they_use() -> None:
    composed = told(Subkind.STARTED, scene(LIVE, services=(SEARCH, CHECKOUT)))
    assert "Search" not in page(composed)
    unknown = told(Subkind.STARTED, scene(LIVE, services=(SEARCH,)))
    assert unknown.subject == "Our service is not available"


def test_a_technical_cause_has_the_customers_words_or_neutral_ones() -> None:
    by_latency = scene(findings=(finding(metric="total_s"),))
    assert "Checkout is gradually taking longer" in told(Subkind.FOREWARNING, by_latency).text
    by_unknown = scene(findings=(finding(metric="jvm_old_gen_ratio"),))
    assert "something behind Checkout is nearing a limit" in told(Subkind.FOREWARNING, by_unknown).text


def test_a_services_own_phrase_goes_before_the_general_one() -> None:
    own = {"service.checkout.notice.started.what.stopped": "Orders do not go through since {since:time} ({since:zone})."}
    adapted = settings(phrases={**CATALOGUES, "en": {**CATALOGUES["en"], **own}})
    assert notice(Subkind.STARTED, EN, scene(LIVE), adapted, NOW).text.startswith(
        "Orders do not go through since 18:08 (Shanghai time)."
    )


def test_an_unknown_language_gets_the_daemons() -> None:
    assert told(Subkind.STARTED, scene(LIVE), customer("c", language="fr")).subject == "Checkout is not available"


def test_a_missing_phrase_is_a_problem_for_the_approver() -> None:
    poor = {key: text for key, text in CATALOGUES["en"].items() if key != "notice.started.what.stopped"}
    composed = notice(Subkind.STARTED, EN, scene(LIVE), settings(phrases={**CATALOGUES, "en": poor}), NOW)
    assert 'there are no words for "notice.started.what.stopped"' in composed.problems


@pytest.mark.parametrize("subkind", sorted(set(Subkind) - set(DRAFTS)))
def test_a_kind_without_ready_text_is_refused(subkind: Subkind) -> None:
    with pytest.raises(Refused) as refused:
        told(subkind, scene(LIVE))
    assert refused.value.say.key == "refused.no_text"


# --- when we write next -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("what", "given", "minutes"),
    [
        (LIVE, {}, 28),  # P0: 30 min, named as 18:40
        (replace(LIVE, level=Level.P1), {}, 58),
        (replace(LIVE, level=Level.P3), {}, 24 * 60 - 2),  # the ladder names no cadence: daily
        (incident(), {"findings": (finding(),)}, 228),  # act-by, 22:00
        (incident(act_by=NOW - timedelta(hours=1)), {"findings": (finding(),)}, 238),  # past: half-way
        (incident(act_by=None), {"findings": (finding(forecast=RISK),)}, 24 * 60 - 2),
        (incident(earliest=NOW + timedelta(minutes=5)), {}, 58),  # too near: the cadence of P1, which it would be
    ],
)
def test_next_update(what: Incident, given: dict[str, object], minutes: int) -> None:
    subkind = Subkind.FOREWARNING if what.state is IncidentState.AHEAD else Subkind.STARTED
    composed = told(subkind, scene(what, **given))
    assert composed.next_update_at == NOW + timedelta(minutes=minutes)


def test_the_end_promises_nothing_more() -> None:
    ended = scene(replace(LIVE, state=IncidentState.RESOLVED, ended_at=LATER))
    assert told(Subkind.RESOLVED, ended, now=LATER).next_update_at is None
    assert told(Subkind.UPDATE, ended, now=LATER).next_update_at is None


def test_a_passed_window_is_not_named() -> None:
    composed = told(Subkind.FOREWARNING, scene(findings=(finding(),)), now=LATEST + timedelta(minutes=1))
    assert composed.subject == "Checkout may fail at times soon"
