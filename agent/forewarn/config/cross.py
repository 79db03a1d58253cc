"""What holds between files: every name that is used exists, nothing needs itself in a circle."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass

from forewarn.config.files import Document, Path, Place
from forewarn.config.people import Oncall
from forewarn.config.problems import Problems, suggestion
from forewarn.model.map import Customer, Host, Service
from forewarn.model.playbook import Playbook
from forewarn.model.probe import Probe
from forewarn.model.series import SeriesId
from forewarn.reach.machine import HERE

GLOB = frozenset("*?[")
ALWAYS_THERE = ("down", "cannot-see")


@dataclass(frozen=True, slots=True)
class Everything:
    """All that was read. The documents are those of the map files, by their name, where there is one."""

    probes: Mapping[str, Probe]
    hosts: Mapping[str, Host]
    services: Mapping[str, Service]
    customers: Mapping[str, Customer]
    oncall: Oncall
    playbooks: Mapping[str, Playbook]
    documents: Mapping[str, Document]
    probe_places: Mapping[str, Place]
    playbook_places: Mapping[str, Place]


class _Names:
    """Reports names that nothing has."""

    def __init__(self, problems: Problems) -> None:
        self.problems = problems

    def check(self, what: str, name: str, known: Iterable[str], doc: Document, path: Path) -> None:
        known = tuple(known)
        if name in known or {what, f"{what} {name}"} & self.problems.incomplete:
            return
        article = "an" if what[0] in "aeiou" else "a"
        self.problems.add(doc, path, f'"{name}" is not {article} {what}', suggestion(name, known) or f"there is no {what} yet")


def check(all: Everything, problems: Problems) -> None:
    """Adds a problem for each name that is used and not there, and for each circle."""
    names = _Names(problems)
    _probes(all, names)
    _services(all, names)
    _people(all, names)
    _playbooks(all, names)


def _probes(all: Everything, names: _Names) -> None:
    for probe in all.probes.values():
        doc, at = all.probe_places[probe.name]
        if probe.service:
            names.check("service", probe.service, all.services, doc, (*at, "service"))
        for index, other in enumerate(probe.depends_on):
            names.check("probe", other, all.probes, doc, (*at, "depends_on", index))

    def place(name: str) -> Place:
        doc, at = all.probe_places[name]
        return doc, (*at, "depends_on")

    _circles({name: probe.depends_on for name, probe in all.probes.items()}, "depends on", place, names.problems)


def _services(all: Everything, names: _Names) -> None:
    doc = all.documents.get("services")
    if doc is None:
        return
    for name, service in all.services.items():
        at: Path = ("services", name)
        for index, need in enumerate(service.needs):
            for other in need.services:
                names.check("service", other, all.services, doc, (*at, "needs", index))
        if service.team:
            names.check("team", service.team, all.oncall.escalations, doc, (*at, "team"))
        for index, witness in enumerate(service.witness):
            names.check("probe", witness, all.probes, doc, (*at, "witness", index))
        if service.business:
            _series(service.business, all, names, doc, (*at, "business"))
    hard = {name: [s for need in one.needs if not need.soft for s in need.services] for name, one in all.services.items()}
    _circles(hard, "needs", lambda name: (doc, ("services", name, "needs")), names.problems)


def _series(text: str, all: Everything, names: _Names, doc: Document, path: Path) -> None:
    series = SeriesId.parse(text)
    names.check("probe", series.probe, all.probes, doc, path)
    probe = all.probes.get(series.probe)
    if probe and probe.targets and f"probe {probe.name}" not in names.problems.incomplete:
        names.check("target", series.target, [target.name for target in probe.targets], doc, path)


def _people(all: Everything, names: _Names) -> None:
    customers, oncall = all.documents.get("customers"), all.documents.get("oncall")
    for name, customer in all.customers.items() if customers else ():
        assert customers is not None
        for service in customer.uses:
            names.check("service", service, all.services, customers, ("customers", name, "uses", service))
    if oncall is None:
        return
    for name, rota in all.oncall.rotas.items():
        if name in all.oncall.people:
            names.problems.add(oncall, ("rotas", name), f'"{name}" is a person too', "give the rota another name")
        for index, member in enumerate(rota.members):
            names.check("person", member, all.oncall.people, oncall, ("rotas", name, "members", index))
    callable_ = (*all.oncall.people, *all.oncall.rotas)
    for team, steps in all.oncall.escalations.items():
        for index, step in enumerate(steps):
            names.check("person or rota", step.to, callable_, oncall, ("escalations", team, index, "to"))


def _playbooks(all: Everything, names: _Names) -> None:
    rules = {rule.name for probe in all.probes.values() for rule in probe.rules} | set(ALWAYS_THERE)
    tags = {tag for probe in all.probes.values() for tag in probe.tags}
    tags |= {tag for service in all.services.values() for tag in service.tags}
    for playbook in all.playbooks.values():
        doc, at = all.playbook_places[playbook.name]
        match = playbook.match
        for what, glob, known in (
            ("service", match.service, all.services),
            ("probe", match.probe, all.probes),
            ("rule", match.rule, rules),
            ("tag", match.tag, tags),
        ):
            hidden = what in ("rule", "tag") and names.problems.unread("probe", "service")
            if glob and not hidden and not GLOB & set(glob):
                names.check(what, glob, known, doc, (*at, "for", what))
        for index, step in enumerate(playbook.steps):
            if step.kind == "probe":
                _probe_step(step.spec, all, names, doc, (*at, "steps", index))
            if step.where != HERE:
                names.check("host", step.where, all.hosts, doc, (*at, "steps", index, "where"))


def _probe_step(spec: Mapping[str, object], all: Everything, names: _Names, doc: Document, at: Path) -> None:
    name, target = str(spec["probe"]), spec.get("target")
    if name == "${probe}":  # the one that fired
        return
    names.check("probe", name, all.probes, doc, (*at, "probe"))
    known = f"probe {name}" not in names.problems.incomplete
    if known and name in all.probes and isinstance(target, str) and "${" not in target:
        names.check("target", target, [one.name for one in all.probes[name].targets], doc, (*at, "target"))


def _circles(edges: Mapping[str, Iterable[str]], verb: str, place: Callable[[str], Place], problems: Problems) -> None:
    """Each circle once. Without recursion, since a chain may be as long as there are probes."""
    done: set[str] = set()
    for start in edges:
        trail: dict[str, Iterator[str]] = {} if start in done else {start: iter(edges[start])}
        while trail:
            name = next(reversed(trail))
            other = next(trail[name], None)
            if other is None:
                done.add(name)
                del trail[name]
            elif other in trail:
                walked = list(trail)
                circle = [*walked[walked.index(other) :], other]
                problems.add(*place(name), f"a circle: {f' {verb} '.join(circle)}", "take one of these out")
            elif other in edges and other not in done:
                trail[other] = iter(edges[other])
