"""Kinds of probes that other packages bring, by an entry point of the group `forewarn.probers`.

Looked for only when a kind is asked for that is not our own, and imported only when a probe is of it. What can't be loaded
is a kind all the same: its probes load with whatever options they have, and each of their runs says *cannot see* and why.
So a package that an upgrade broke stops nothing else, not even at the next start, and the findings on what it watched stay.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata

from pydantic import BaseModel, ConfigDict

from forewarn.model.probe import Added, Probe, Target
from forewarn.model.series import ProbeRun
from forewarn.ports import Kind
from forewarn.probers.options import Options
from forewarn.probers.reasons import Reason, failed, unknown
from forewarn.reach.machine import Machines

GROUP = "forewarn.probers"
SHAPES = ("async", "engine", "follower", "push")
MOST_WORDS = 200


@dataclass(frozen=True, slots=True)
class Found:
    """One entry point: `load` imports what it names; `package` and `version` are those of the distribution that has it."""

    kind: str
    package: str
    version: str
    load: Callable[[], object]


class Kinds(Mapping[str, Kind]):
    """Our own kinds, and behind them those of other packages. `look` finds these."""

    def __init__(self, own: Mapping[str, Kind], look: Callable[[], list[Found]] | None = None) -> None:
        self._own, self._look = own, look or installed
        self._found: list[Found] | None = None
        self._loaded: dict[str, Kind] = {}
        self._troubles: dict[str, str] = {}

    def __getitem__(self, name: str) -> Kind:
        if name in self._own:
            return self._own[name]
        if name not in self._loaded:
            found = self._named(name)
            if found is None:
                raise KeyError(name)
            self._loaded[name] = self._load(found)
        return self._loaded[name]

    def __iter__(self) -> Iterator[str]:
        yield from self._own
        yield from dict.fromkeys(found.kind for found in self._others() if found.kind not in self._own)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def reaching(self, machines: Machines, instead: Mapping[str, Kind]) -> Kinds:
        """The same, whose probers reach other machines through `machines`; `instead` stand in the place of our own."""
        own = {name: kind.on(machines) for name, kind in self._own.items()}
        return _Reaching({**own, **instead}, self, machines)

    def added(self, everything: bool = False) -> tuple[Added, ...]:
        """What other packages bring, by name. Only what was asked for before is loaded, or with `everything` all of it."""
        told, taken = [], set(self._own)
        for found in self._others():
            trouble = None
            if found.kind in taken:
                trouble = _taken(found.kind, self._own)
            elif everything or found.kind in self._loaded:
                self[found.kind]
                trouble = self._troubles.get(found.kind)
            used = found.kind not in taken and found.kind in self._loaded
            told.append(Added(kind=found.kind, package=found.package, version=found.version, used=used, trouble=trouble))
            taken.add(found.kind)
        return tuple(told)

    def _named(self, kind: str) -> Found | None:
        """Looked for again where it is missing: a package may have been installed since."""
        for again in (False, True):
            self._found = None if again else self._found
            if found := next((one for one in self._others() if one.kind == kind), None):
                return found
        return None

    def _others(self) -> list[Found]:
        if self._found is None:
            self._found = self._look()
        return self._found

    def _load(self, found: Found) -> Kind:
        try:
            return _checked(found.load())
        except (Exception, SystemExit) as error:  # a plug-in may do anything, and none of it is ours
            said = " ".join(f"{type(error).__name__}: {error}".split())[:MOST_WORDS]
            self._troubles[found.kind] = said
            return broken(f"the package {found.package} {found.version} can't be loaded: {said}")


class _Reaching(Kinds):
    """Behind our own: what `behind` has, which reaches `machines`."""

    def __init__(self, own: Mapping[str, Kind], behind: Kinds, machines: Machines) -> None:
        super().__init__(own)
        self._behind, self._machines = behind, machines

    def _others(self) -> list[Found]:
        return self._behind._others()

    def _load(self, found: Found) -> Kind:
        return self._behind[found.kind].on(self._machines)


def installed() -> list[Found]:
    """What the installed packages bring, in the order of kinds and packages."""
    found = []
    for point in metadata.entry_points(group=GROUP):
        package, version = (point.dist.name, point.dist.version) if point.dist else ("?", "?")
        found.append(Found(point.name, package, version, point.load))
    return sorted(found, key=lambda one: (one.kind, one.package))


def _taken(kind: str, own: Mapping[str, Kind]) -> str:
    whose = "Forewarn itself has" if kind in own else "another package has"
    return f"{whose} a kind of this name, which is used"


def _checked(thing: object) -> Kind:
    """What an entry point gave, if it is a kind that can be used; raises TypeError."""
    if not isinstance(thing, Kind):
        raise TypeError(f"the entry point names {type(thing).__name__}, not a Kind")
    if thing.shape not in SHAPES:
        raise TypeError(f"shape {thing.shape!r} is none of {', '.join(SHAPES)}")
    if not (isinstance(thing.options, type) and issubclass(thing.options, Options)):
        raise TypeError("its options are no subclass of forewarn.probers.kit.Options")
    return thing


class _Anything(BaseModel):
    """Options of a kind that nobody can read now."""

    model_config = ConfigDict(extra="allow", frozen=True)


def broken(why: str) -> Kind:
    """A kind whose every run is unknown because of `why`."""

    async def look(probe: Probe, target: Target, at_s: float) -> ProbeRun:
        return failed(probe, target, unknown(Reason.NO_TOOL, why), at_s)

    return Kind(_Anything, "async", lambda: look, targets=(Target("local", "local"),))
