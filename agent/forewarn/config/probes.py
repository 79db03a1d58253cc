"""Files under probes/: a probe a document, or several under `probes:`."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path as FilePath
from typing import Any, get_args

from pydantic import Field

from forewarn.config.environment import SecretFiles
from forewarn.config.files import Document, Path, Place
from forewarn.config.hosts import named
from forewarn.config.problems import Problems, Wrong, suggestion
from forewarn.config.rules import Given, rules
from forewarn.config.units import duration_text, shown
from forewarn.config.validate import fields_of, models_of, validated, validated_parts
from forewarn.config.written import Name, Positive, Tag, Texts, Written, described
from forewarn.model.level import Mode
from forewarn.model.map import Host
from forewarn.model.probe import Probe, Target
from forewarn.ports import Kind
from forewarn.reach.machine import HERE

LATER = ("heartbeat", "dns", "icmp")
"""Kinds of the design that this version may not have yet: named in the error, so that nobody looks for a typing error."""

NO_HOSTS: Mapping[str, Host] = {}


class ProbeWritten(Written):
    """What probes of every kind have; all other keys belong to the kind."""

    probe: Name = described("the probe's name, unique", "checkout-api")
    kind: str = described("what looks", "http")
    every: Positive | None = described("how often", "10s", default=None)
    timeout: Positive | None = described("how long one run may take", "3s", default=None)
    where: Texts = described("hosts and groups of hosts.yaml to look at over SSH; local is here", ["web-1", "db"], default=())
    service: Name | None = described("the service it tells about", "checkout", default=None)
    targets: Any = described("addresses, or name: address", ["https://shop.example/health"], default=None)
    rules: list[Any] = Field(default=[], description="what to make of the values")
    depends_on: tuple[Name, ...] = described("probes that this one can't do without", default=())
    tags: tuple[Tag, ...] = described("words that playbooks and holds match", default=())
    mode: Mode = described("live, suggest or shadow", "live", default=Mode.LIVE)


COMMON = tuple(fields_of(ProbeWritten))


def probes(
    docs: Sequence[Document],
    kinds: Mapping[str, Kind],
    problems: Problems,
    secrets: SecretFiles,
    hosts: Mapping[str, Host] = NO_HOSTS,
) -> tuple[dict[str, Probe], dict[str, Place]]:
    """All probes by name, in the order of their files, and where each stands; those with problems too, as far as they go."""
    found: dict[str, Probe] = {}
    places: dict[str, Place] = {}
    first: dict[str, str] = {}
    for doc, at, value in _each(docs, problems):
        name = value.get("probe")
        if isinstance(name, str) and name in first:
            problems.add(doc, (*at, "probe"), f'the probe "{name}" is in {first[name]} already', "give one of them another name")
            problems.incomplete.add(f"probe {name}")  # what is said of this name may be meant for the other one
            continue
        first[str(name)] = str(doc.at((*at, "probe")))
        probe = _probe(doc, at, value, kinds, problems, secrets)
        if probe and probe.where:
            probe = replace(probe, targets=_on_hosts(doc, (*at, "where"), probe, kinds, hosts, problems))
        if probe:
            found[probe.name], places[probe.name] = probe, (doc, at)
        elif isinstance(name, str):
            problems.incomplete.add(f"probe {name}")
    return found, places


def _each(docs: Sequence[Document], problems: Problems) -> list[tuple[Document, Path, dict[str, Any]]]:
    """Each probe that is written, with its path in its document."""
    found: list[tuple[Document, Path, dict[str, Any]]] = []
    for doc in docs:
        listed = doc.value.get("probes") if isinstance(doc.value, dict) and "probe" not in doc.value else None
        items: list[tuple[Path, Any]] = [((), doc.value)]
        if isinstance(listed, list):
            items = [(("probes", index), item) for index, item in enumerate(listed)]
            for key in doc.value:
                if key != "probes":
                    problems.add(doc, (key,), f'"{key}" beside probes:', "put it into the probe that it belongs to")
        for at, value in items:
            if isinstance(value, dict):
                found.append((doc, at, value))
            else:
                problems.add(doc, at, f"{shown(value)} is not a probe", "write probe: NAME, kind: http ...")
    return found


def _probe(
    doc: Document, at: Path, value: dict[str, Any], kinds: Mapping[str, Kind], problems: Problems, secrets: SecretFiles
) -> Probe | None:
    common = {key: item for key, item in value.items() if key in COMMON}
    kind = kinds.get(str(value.get("kind")))
    if kind is None and "kind" in value:
        _unknown_kind(doc, (*at, "kind"), value["kind"], kinds, problems)
    written, _ = validated_parts(ProbeWritten, common, doc, problems, 1, at)
    if kind is None:
        return None
    own = {key: item for key, item in value.items() if key not in COMMON}
    own = _with_files(kind.options, own, doc, at, problems, secrets)
    options = validated(kind.options, own, doc, at, problems, also=COMMON)
    if written is None:
        return None
    given = Given(_metrics(kind, options), written.mode)
    every, timeout = _times(doc, at, written, kind, problems)
    return Probe(
        name=written.probe,
        kind=written.kind,
        every_s=every,
        timeout_s=timeout,
        targets=_targets(doc, (*at, "targets"), written.targets, kind, problems),
        options=options,
        rules=rules(doc, (*at, "rules"), written.rules, given, problems),
        service=written.service,
        depends_on=written.depends_on,
        tags=written.tags,
        where=written.where,
        mode=written.mode,
        source=doc.at((*at, "probe")),
        kind_source=doc.at((*at, "kind")),
    )


def _with_files(model: Any, value: Any, doc: Document, at: Path, problems: Problems, secrets: SecretFiles) -> Any:
    """Names of files, where the options want files, as full paths."""
    result, fields = dict(value), fields_of(model)
    for key, given in value.items():
        annotation = fields[key].annotation if key in fields else None
        if isinstance(given, str) and FilePath in (annotation, *get_args(annotation)):
            path = problems.reading(doc, (*at, key), secrets.path, given)
            result[key] = str(path) if path else given
        elif isinstance(given, dict) and (inner := models_of(annotation)):
            result[key] = _with_files(inner[0], given, doc, (*at, key), problems, secrets)
    return result


def _unknown_kind(doc: Document, path: Path, given: object, kinds: Mapping[str, Kind], problems: Problems) -> None:
    if given in LATER:
        problems.add(doc, path, f'probe kind "{given}" is not in this version', f"kinds: {', '.join(kinds)}")
    else:
        problems.add(doc, path, f"{shown(given)} is not a kind of probe", suggestion(str(given), kinds))


def _metrics(kind: Kind, options: Any) -> frozenset[str]:
    """Names that rules may use: those of the kind, and those that the probe's own `values:` and `patterns:` make.
    Empty when the kind does not say, or when the probe's own could not be read."""
    if not kind.metrics or options is None:
        return frozenset()
    values = getattr(options, "values", None)
    patterns = getattr(options, "patterns", None)
    own = list(values) if isinstance(values, Mapping) else []
    own += getattr(options, "own_metrics", ())
    own += [name if name.endswith("_total") else f"{name}_total" for name in patterns] if isinstance(patterns, Mapping) else []
    return frozenset((*kind.metrics, *own, "up"))


def _times(doc: Document, at: Path, written: ProbeWritten, kind: Kind, problems: Problems) -> tuple[float, float]:
    every = written.every or kind.every_s
    timeout = written.timeout or min(kind.timeout_s, every)
    if timeout > every:
        what = f"{duration_text(timeout)} is longer than every {duration_text(every)}"
        problems.add(doc, (*at, "timeout"), what, "runs of one target would overlap; make it shorter")
    return every, timeout


def _on_hosts(
    doc: Document, path: Path, probe: Probe, kinds: Mapping[str, Kind], hosts: Mapping[str, Host], problems: Problems
) -> tuple[Target, ...]:
    """Each target on each host. A target that stands for the machine as a whole has the host's name."""
    whole = kinds[probe.kind].targets
    if not kinds[probe.kind].remote:
        if probe.where != (HERE,):
            able = ", ".join(sorted(name for name, kind in kinds.items() if kind.remote))
            problems.add(
                doc, path, f"a probe of kind {probe.kind} looks from this machine only", f"take where out; on hosts look: {able}"
            )
        return probe.targets
    found: list[Target] = []
    for index, word in enumerate(probe.where):
        if {"host", f"host {word}"} & problems.incomplete:
            continue
        for host in problems.reading(doc, (*path, index), named, [word], hosts) or ():
            found += [_on_host(target, host, target in whole) for target in probe.targets]
    return tuple({target.name: target for target in found}.values())


def _on_host(target: Target, host: str, whole: bool) -> Target:
    return target if host == HERE else Target(host if whole else f"{host}:{target.name}", target.address, host)


_TARGET = re.compile(r"[^|\x00-\x1f\x7f]{1,500}")


def _targets(doc: Document, path: Path, given: Any, kind: Kind, problems: Problems) -> tuple[Target, ...]:
    if given is None:
        if not kind.targets:
            problems.add(doc, path[:-1], '"targets" is missing', "write targets: [https://shop.example/health]")
        return kind.targets
    pairs = list(given.items()) if isinstance(given, dict) else [(item, item) for item in given] if isinstance(given, list) else []
    if not pairs:
        what = "there are no targets" if given in ([], {}) else f"{shown(given)} stands where targets belong"
        problems.add(doc, path, what, "write [ADDRESS, ...] or {NAME: ADDRESS}")
    found: dict[str, Target] = {}
    for index, (name, address) in enumerate(pairs):
        here = (*path, name if isinstance(given, dict) else index)
        target = problems.reading(doc, here, _target, name, address, found, kind)
        if target:
            found[target.name] = target
    return tuple(found.values())


def _target(name: object, address: object, found: Mapping[str, Target], kind: Kind) -> Target:
    if not isinstance(name, str) or not isinstance(address, str) or not address.strip():
        raise Wrong(f"{shown(address)} is not an address", "write a text, in quotes where it looks like a number")
    if not _TARGET.fullmatch(name):
        raise Wrong(f"{shown(name)} can't name a target", 'write a short text without "|", or NAME: ADDRESS')
    if name in found:
        raise Wrong(f"the target {shown(name)} is given twice", "keep one")
    if kind.address:
        try:
            kind.address(address)
        except ValueError as error:
            what, _, right = str(error).partition("; ")
            raise Wrong(what, right or None) from error
    return Target(name, address)
