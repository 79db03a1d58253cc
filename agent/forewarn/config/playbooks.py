"""Files under playbooks/: steps that a machine can run, one playbook a document."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from forewarn.config.files import Document, Path, Place
from forewarn.config.problems import Problems, Wrong, suggestion
from forewarn.config.units import shown
from forewarn.config.validate import validated
from forewarn.config.written import Duration, Name, Positive, Written, described, name_of
from forewarn.core.respond import conditions
from forewarn.model.level import Mode
from forewarn.model.message import Subkind
from forewarn.model.playbook import Limits, Match, Playbook, PlaybookNeed, Step
from forewarn.reach.machine import HERE

KINDS = ("probe", "run", "ask", "tell", "wait")
LANGUAGES = ("en", "zh")
OWN_NAMES = ("verify", "undo")
"""Steps that a run adds by itself: verify, and undo-NAME for each change that it takes back."""


def _probe_name(value: str) -> str:
    return value if value == "${probe}" else name_of(value)


_LIMITS = Limits()  # for its defaults
ProbeName = Annotated[str, AfterValidator(_probe_name)]


READING = ("GET", "HEAD")


class HttpWritten(Written):
    """An HTTP call. With `reads: true` GET or HEAD; any of the others changes something."""

    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    url: str = described("address", "https://shop.example/queue")
    headers: dict[str, str] = {}
    json_: dict[str, Any] | list[Any] | None = described("what is sent as JSON", {"size": 3}, default=None, alias="json")


class RunWritten(Written):
    """A program with its arguments, or an HTTP call."""

    argv: tuple[str, ...] = ()
    http: HttpWritten | None = None


def _run(value: object) -> object:
    """A list is an argument vector; no shell ever reads it."""
    if isinstance(value, str):
        plain = not set("|&;<>$`*?(){}\"'") & set(value)
        words = ", ".join(value.split()[:8]) if plain else "PROGRAM, ARGUMENT, ..."
        raise Wrong(f"{shown(value)} would need a shell, which is never used", f"write run: [{words}]")
    if isinstance(value, list):
        bad = next((item for item in value if not isinstance(item, str)), None)
        if bad is not None:
            raise Wrong(f"{shown(bad)} is not a text", f'write "{shown(bad)}" in quotes')
        if not value:
            raise Wrong("a run without a program", "write run: [df, -h]")
        return {"argv": value}
    return {"http": value["http"]} if isinstance(value, dict) and set(value) == {"http"} else value


_HTTP = {
    "type": "object",
    "properties": {
        "method": {"enum": ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]},
        "url": {"type": "string"},
        "headers": {"type": "object"},
        "json": {"type": ["object", "array"]},
    },
    "required": ["url"],
    "additionalProperties": False,
}
RUN_SCHEMA = WithJsonSchema(
    {
        "anyOf": [
            {"type": "array", "items": {"type": "string"}, "minItems": 1, "examples": [["df", "-h"]]},
            {"type": "object", "required": ["http"], "properties": {"http": _HTTP}, "additionalProperties": False},
        ]
    }
)
Run = Annotated[RunWritten, BeforeValidator(_run), RUN_SCHEMA]


def _question(value: object) -> object:
    """One text for all, or one for each language."""
    if isinstance(value, dict):
        strange = next((key for key in value if key not in LANGUAGES), None)
        if strange is not None or not all(isinstance(text, str) for text in value.values()) or not value:
            raise Wrong(f"{shown(strange)} is not a language that Forewarn writes", "write {en: ..., zh: ...}")
    elif not isinstance(value, str):
        raise Wrong(f"{shown(value)} is not a text", "write a sentence, or {en: ..., zh: ...}")
    return value


Question = Annotated[
    str | dict[str, str],
    BeforeValidator(_question),
    WithJsonSchema({"type": ["string", "object"], "additionalProperties": {"type": "string"}}),
]


def _undo(value: object) -> object:
    try:
        return _run(value)
    except Wrong as wrong:
        raise Wrong(wrong.what, (wrong.right or "").replace("write run:", "write undo:")) from None


class StepWritten(Written):
    """One step: exactly one of probe, run, ask, tell and wait."""

    name: Name | None = described("unique in the playbook; its kind if left out", "look", default=None)
    probe: ProbeName | None = described("a probe to run once; ${probe} is the one that fired", "volume", default=None)
    target: str | None = described("of the probe: one target; all if left out", "web-1", default=None)
    run: Run | None = described("argument vector, or {http: ...}", ["df", "-h"], default=None)
    ask: Question | None = described("a question to whoever owns the incident", "Shall old dumps go?", default=None)
    choices: tuple[str, ...] = described("of an ask: the answers", ["yes", "no"], default=())
    tell: Subkind | None = described("a notice that is drafted", "update", default=None)
    wait: Positive | None = described("a span of time", "5m", default=None)
    when: str | None = described(
        "only if this is true of a step before: STEP, STEP failed, or STEP.FACT == VALUE", "look failed", default=None
    )
    where: str = described("the host it runs on; local is this one", "local", default="local")
    timeout: Positive = described("how long it may take", "30s", default=30.0)
    reads: bool = described("of a run: it changes nothing, so it may run unasked", True, default=False)
    undo: Annotated[RunWritten, BeforeValidator(_undo), RUN_SCHEMA] | None = described(
        "of a changing run: what takes it back", ["mv", "/srv/old", "/srv/data"], default=None
    )
    idempotent: bool = described("of a changing run: twice does no harm", False, default=False)
    irreversible: bool = described("of a changing run: nothing takes it back", False, default=False)
    allow_dash: bool = described("values put into arguments may begin with -", False, default=False)


class MatchWritten(Written):
    """What it is for; globs. Everything that is given must match."""

    service: str | None = described("the finding's service", "checkout", default=None)
    rule: str | None = described("its rule", "down", default=None)
    probe: str | None = described("its probe", "volume", default=None)
    tag: str | None = described("a tag of its probe or service", "core-payment", default=None)


class LimitsWritten(Written):
    """How often it may change something; looking is never limited."""

    per_hour: int = described("runs that change something, in an hour", 3, default=_LIMITS.per_hour, ge=0)
    per_day: int = described("and in a day", 10, default=_LIMITS.per_day, ge=0)
    cooldown: Duration = described("between two changes to one service", "5m", default=_LIMITS.cooldown_s)
    at_once: int = described("how many of its runs may be changing something at the same moment", 1, default=_LIMITS.at_once, ge=1)


class NeedWritten(Written):
    """Something that must be there first."""

    spare: str | None = described("a part", "disk-4t", default=None)
    permission: str | None = described("whose permission", "head", default=None)
    lead: Duration = described("how long it takes, in working time: 3d is three working days", "3d", default=0.0)


def kind_of(one: StepWritten) -> str:
    """The one kind that is given; raises Wrong."""
    given = [kind for kind in KINDS if getattr(one, kind) is not None]
    if len(given) != 1:
        said = f"{' and '.join(given)} in one step" if given else "a step without a kind"
        raise Wrong(said, f"write exactly one of {', '.join(KINDS)}")
    return given[0]


def _one_step(one: StepWritten) -> StepWritten:
    """A run that changes something must say how it can be undone, or that it can't."""
    kind = kind_of(one)
    if one.where != HERE and kind != "run":
        raise Wrong(
            "where belongs to a run", "take where out; a probe looks where it says itself: write target: web-1 for one host"
        )
    if one.where != HERE and ((one.run and one.run.http) or (one.undo and one.undo.http)):
        raise Wrong(
            "an http call is made from this machine", f"write run: [curl, ...] to make it on {one.where}, or take where out"
        )
    said = [name for name in ("undo", "idempotent", "irreversible") if getattr(one, name)]
    if kind == "run" and not one.reads and not said:
        raise Wrong(
            "this run may change something and does not say what becomes of that",
            "write reads: true if it only looks, else undo: [PROGRAM, ARGUMENT ...], idempotent: true or irreversible: true",
        )
    if one.undo and one.irreversible:
        raise Wrong("undo and irreversible are both given", "keep undo if it takes everything back, else irreversible")
    if one.run and one.run.http and one.reads and one.run.http.method not in READING:
        raise Wrong(f"{one.run.http.method} does not only read", "write method: GET, or take reads out and say what becomes of it")
    if one.name and (one.name in OWN_NAMES or one.name.startswith("undo-")):
        raise Wrong(f'"{one.name}" is a step that Forewarn adds by itself', "give this one another name")
    if said and (kind != "run" or one.reads):
        raise Wrong(f"{said[0]} belongs to a run that changes something", f"take {said[0]} out")
    if one.reads and kind != "run":
        raise Wrong("reads belongs to a run", "take reads out")
    if one.target and kind != "probe":
        raise Wrong("target belongs to a probe step", "take target out")
    if one.choices and kind != "ask":
        raise Wrong("choices belong to an ask", "take choices out")
    return one


def _something(match: MatchWritten) -> MatchWritten:
    if not (match.service or match.rule or match.probe or match.tag):
        raise Wrong("this playbook would be for everything", "write for: {probe: NAME}, or service, rule, tag")
    return match


def _one_need(one: NeedWritten) -> NeedWritten:
    if bool(one.spare) == bool(one.permission):
        raise Wrong("a need is one of spare and permission", "write {spare: disk-4t, lead: 3d}")
    return one


class PlaybookWritten(Written):
    """One playbook."""

    playbook: Name = described("its name, unique", "free-volume")
    title: dict[str, str] = described("language -> what it is about", {"en": "Free a full volume"}, default={})
    for_: Annotated[MatchWritten, AfterValidator(_something)] = Field(
        alias="for", description="which findings it is for", examples=[{"probe": "volume"}]
    )
    takes: Positive = described("how long it takes until the trouble is gone", "2h", default=7200.0)
    needs: tuple[Annotated[NeedWritten, AfterValidator(_one_need)], ...] = described("what must be there first", default=())
    risk: Literal["low", "medium", "high"] = described("what can go wrong", "low", default="low")
    mode: Mode = described("whether changing steps run, are suggested or only recorded", "suggest", default=Mode.SUGGEST)
    limits: LimitsWritten = LimitsWritten()
    verify: Positive = described("how long the probe that fired gets to agree after a change", "60s", default=60.0)
    steps: tuple[Annotated[StepWritten, AfterValidator(_one_step)], ...] = Field(min_length=1, description="one after another")


def playbooks(docs: Sequence[Document], problems: Problems) -> tuple[dict[str, Playbook], dict[str, Place]]:
    """All playbooks by name, in the order of their files, and where each stands."""
    found: dict[str, Playbook] = {}
    places: dict[str, Place] = {}
    for doc in docs:
        written = validated(PlaybookWritten, doc.value, doc, (), problems)
        if written is None:
            continue
        if written.playbook in found:
            first = found[written.playbook].source
            problems.add(
                doc, ("playbook",), f'the playbook "{written.playbook}" is in {first} already', "give one of them another name"
            )
            continue
        found[written.playbook], places[written.playbook] = _playbook(doc, written, problems), (doc, ())
    return found, places


def _playbook(doc: Document, written: PlaybookWritten, problems: Problems) -> Playbook:
    match = written.for_
    return Playbook(
        name=written.playbook,
        title=written.title,
        match=Match(service=match.service, rule=match.rule, probe=match.probe, tag=match.tag),
        takes_s=written.takes,
        needs=tuple(PlaybookNeed(what=str(need.spare or need.permission), lead_s=need.lead) for need in written.needs),
        risk=written.risk,
        mode=written.mode,
        limits=Limits(
            per_hour=written.limits.per_hour,
            per_day=written.limits.per_day,
            cooldown_s=written.limits.cooldown,
            at_once=written.limits.at_once,
        ),
        verify_s=written.verify,
        steps=_steps(doc, written.steps, problems),
        source=doc.at(("playbook",)),
    )


def _steps(doc: Document, written: Sequence[StepWritten], problems: Problems) -> tuple[Step, ...]:
    steps: list[Step] = []
    for index, one in enumerate(written):
        at, before = ("steps", index), {step.name for step in steps}
        step = _step(doc, at, one)
        if step.name in before:
            problems.add(doc, at, f'a second step "{step.name}"', "give it a name of its own")
        if any(one.changing for one in steps) and not step.changing:
            before.add("verify")  # it stands behind the last change
        _check_when(doc, at, step, before, problems)
        steps.append(step)
    return tuple(steps)


def _step(doc: Document, at: Path, one: StepWritten) -> Step:
    kind = kind_of(one)
    return Step(
        name=one.name or kind,
        kind=kind,
        spec=_spec(kind, one),
        when=one.when,
        where=one.where,
        timeout_s=one.timeout,
        reads=one.reads,
        undo=_run_spec(one.undo) if one.undo else None,
        idempotent=one.idempotent,
        irreversible=one.irreversible,
        source=doc.at(at),
    )


def _spec(kind: str, one: StepWritten) -> dict[str, Any]:
    match kind:
        case "probe":
            return {"probe": one.probe} | ({"target": one.target} if one.target else {})
        case "ask":
            return {"text": one.ask} | ({"choices": list(one.choices)} if one.choices else {})
        case "tell":
            return {"notice": str(one.tell)}
        case "wait":
            return {"for_s": one.wait}
    assert one.run is not None
    return _run_spec(one.run) | ({"allow_dash": True} if one.allow_dash else {})


def _run_spec(run: RunWritten) -> dict[str, Any]:
    return {"http": run.http.model_dump(exclude_none=True, by_alias=True)} if run.http else {"argv": list(run.argv)}


def _check_when(doc: Document, at: Path, step: Step, before: set[str], problems: Problems) -> None:
    if not step.when:
        return
    try:
        condition = conditions.read(step.when)
    except ValueError as error:
        what, _, right = str(error).partition("; ")
        problems.add(doc, (*at, "when"), what, right)
        return
    name, ending = condition.step, condition.ending
    if name not in before:
        problems.add(doc, (*at, "when"), f'"{name}" is not a step before this one', suggestion(name, before))
    if condition.op is None and ending not in conditions.ENDINGS:
        problems.add(
            doc,
            (*at, "when"),
            f'"{ending}" is not how a step ends',
            f'write "{name} failed"; endings: {", ".join(conditions.ENDINGS)}',
        )
