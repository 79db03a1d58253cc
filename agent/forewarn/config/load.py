"""All files of a configuration -> Settings, or everything that is wrong with them at once.

A configuration is a folder with config/, probes/ and playbooks/. The ladder and the phrases lie over the shipped ones,
key by key; forewarn.yaml and oncall.yaml come from the shipped set where they are missing. Services, customers, probes
and playbooks are the folder's own: what is not written there is not there.
"""

from __future__ import annotations

import gc
import hashlib
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from forewarn.config import cross
from forewarn.config.daemon import LANGUAGES, daemon
from forewarn.config.environment import SecretFiles, expanded
from forewarn.config.files import Document, read
from forewarn.config.find import shipped
from forewarn.config.hosts import hosts
from forewarn.config.ladder import Ladder, ladder
from forewarn.config.merge import merged, overlaid
from forewarn.config.people import Oncall, customers, oncall
from forewarn.config.phrases import catalogue, overridden
from forewarn.config.playbooks import playbooks
from forewarn.config.probes import probes
from forewarn.config.problems import Problems, suggestion
from forewarn.config.promises import with_hours
from forewarn.config.reading import Reading
from forewarn.config.services import services
from forewarn.config.shipped import marked, read_shipped
from forewarn.config.unusual import with_days
from forewarn.model.errors import ConfigError, Problem
from forewarn.model.map import Service
from forewarn.model.probe import Probe
from forewarn.model.settings import Settings
from forewarn.ports import Kind

MAPS = ("forewarn", "hosts", "services", "customers", "oncall", "ladder")
"""Files of config/, each NAME.yaml, or a folder NAME/ whose files are merged in lexical order."""

_OTHERS = ("phrases", "schemas", "demo", "examples", "ssh")
_ENDINGS = (".yaml", ".yml")
_MADE_OF = {
    "ladder": {"ladder"},
    "hosts": {"host"},
    "services": {"service", "tag"},
    "oncall": {"person", "team", "person or rota"},
}
"""Kinds of thing that are not all known when such a file can't be read."""


def load(folder: Path, kinds: Mapping[str, Kind], now: datetime, environ: Mapping[str, str] | None = None) -> Settings:
    """The configuration in `folder`, checked as a whole. `kinds` is the table of probers.

    Raises ConfigError with every problem. `environ` is the process's own unless given.
    """
    with _no_collector():
        return _Loading(folder, kinds, os.environ if environ is None else environ).settings(now)


@contextmanager
def _no_collector() -> Iterator[None]:
    """Nothing that is built here is garbage; the collector would look through all of it again and again."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


class _Loading:
    """One load: gathers files, problems and the hash of everything that was read."""

    def __init__(self, folder: Path, kinds: Mapping[str, Kind], environ: Mapping[str, str]) -> None:
        self.folder = folder
        self.shipped = shipped()
        self.kinds = kinds
        self.environ = environ
        self.problems = Problems()
        self.secrets = SecretFiles(folder / "config", environ)
        self.hash = hashlib.sha256()
        self.files = 0

    def settings(self, now: datetime) -> Settings:
        if not any((self.folder / part).is_dir() for part in ("config", "probes")):
            what = "there is neither config/ nor probes/ in this folder"
            raise ConfigError((Problem(str(self.folder), 1, "", what, "name the folder that holds them"),), 0)
        self._strangers()
        documents = {name: doc for name in MAPS if (doc := self._map(name))}
        own, policy = daemon(documents.get("forewarn"), self.problems, self.secrets)
        self.environ = {"FOREWARN_PORT": str(own.port), **self.environ}  # for probes that look at Forewarn itself
        reading = Reading(self.problems, self.secrets, own.zone, own.language)
        rules = ladder(documents["ladder"], reading) if "ladder" in documents else Ladder()
        people = oncall(documents["oncall"], reading) if "oncall" in documents else Oncall()
        machines = hosts(documents["hosts"], reading, self.folder / "config") if "hosts" in documents else {}
        found_probes, probe_places = probes(self._docs("probes"), self.kinds, self.problems, self.secrets, machines)
        if "ladder" not in self.problems.incomplete:
            found_probes = with_hours(found_probes, rules.calendars, own.zone, self.problems)
            found_probes = with_days(found_probes, rules.calendars, self.problems)
        found_playbooks, playbook_places = playbooks(self._docs("playbooks"), self.problems)
        found = cross.Everything(
            probes=found_probes,
            hosts=machines,
            services=_with_teams(services(documents["services"], reading), people) if "services" in documents else {},
            customers=customers(documents["customers"], reading) if "customers" in documents else {},
            oncall=people,
            playbooks=found_playbooks,
            documents=documents,
            probe_places=probe_places,
            playbook_places=playbook_places,
        )
        cross.check(found, self.problems)
        phrases = {language: self._phrases(language) for language in LANGUAGES}
        if self.problems:
            raise ConfigError(self.problems.all(), self.files)
        return Settings(
            id=self.hash.hexdigest()[:6],
            folder=str(self.folder),
            loaded_at=now,
            files=self.files,
            daemon=own,
            probes=self._marked(found.probes),
            hosts=found.hosts,
            services=found.services,
            customers=found.customers,
            people=people.people,
            rotas=people.rotas,
            escalations=people.escalations,
            calendars=rules.calendars,
            ladder=rules.levels,
            impact=rules.impact,
            policy=policy,
            playbooks=found.playbooks,
            phrases=phrases,
            added=getattr(self.kinds, "added", tuple)(),
        )

    def _marked(self, own: Mapping[str, Probe]) -> dict[str, Probe]:
        """Rules that are those of the shipped set are named so; the user's own are not."""
        if self.folder.resolve() == self.shipped.resolve():
            return marked(own, own)
        docs = read_shipped(self.shipped, set(own))
        theirs, _ = probes([expanded(doc, self.environ, Problems()) for doc in docs], self.kinds, Problems(), self.secrets)
        return marked(own, theirs)

    def _map(self, name: str) -> Document | None:
        """One file of config/; the ladder over the shipped one, forewarn and oncall from there where they are missing."""
        before = len(self.problems)
        own = merged(self._read(self._paths(self.folder / "config", name), self.folder), self.problems)
        if own is not None and not isinstance(own.value, dict):
            self.problems.add(own, (), "this file must hold keys", f"write {name}: and its parts below it")
            own = None
        if len(self.problems) > before:
            self.problems.incomplete |= _MADE_OF.get(name, set())
        own = expanded(own, self.environ, self.problems) if own else None
        if self.folder == self.shipped or name in ("hosts", "services", "customers") or (own and name != "ladder"):
            return own
        base = merged(self._read(self._paths(self.shipped / "config", name), self.shipped), self.problems)
        return overlaid(base, own) if base and own else own or base

    def _paths(self, folder: Path, name: str) -> list[Path]:
        """NAME.yaml and then the files of NAME/."""
        alone = [folder / f"{name}{ending}" for ending in _ENDINGS]
        return [path for path in alone if path.is_file()] + _yaml_under(folder / name)

    def _docs(self, part: str) -> list[Document]:
        before = len(self.problems)
        docs = self._read(_yaml_under(self.folder / part), self.folder)
        if len(self.problems) > before:
            self.problems.incomplete.add(part.removesuffix("s"))
        return [expanded(doc, self.environ, self.problems) for doc in docs]

    def _phrases(self, language: str) -> dict[str, str]:
        where = Path("config/phrases")
        base = catalogue(self._read(self._paths(self.shipped / where, language), self.shipped), self.problems)
        if self.folder == self.shipped:
            return base
        own = self._read(self._paths(self.folder / where, language), self.folder)
        return overridden(base, own, self.problems)

    def _read(self, paths: Sequence[Path], root: Path) -> list[Document]:
        """The documents of files, named relative to the configuration's folder (or in full if they lie elsewhere)."""
        docs: list[Document] = []
        broken: list[Problem] = []
        for path in paths:
            name = path.relative_to(root).as_posix() if root == self.folder else str(path)
            try:
                data = path.read_bytes()
            except OSError as error:
                right = "let the user that Forewarn runs as read it"
                broken.append(Problem(name, 1, "", f"the file can't be read: {error.strerror}", right))
                continue
            self.files += root == self.folder
            self.hash.update(f"{path.relative_to(root).as_posix()}\0{len(data)}\0".encode() + data)
            docs += read(data, name, broken)
        for problem in broken:
            self.problems.put(problem)
        return docs

    def _strangers(self) -> None:
        """A file in config/ that nobody reads is a typing error."""
        folder = self.folder / "config"
        for path in sorted(folder.iterdir()) if folder.is_dir() else ():
            known = path.stem in (*MAPS, *_OTHERS) if path.suffix in _ENDINGS else path.name in (*MAPS, *_OTHERS)
            if known or path.name.startswith(".") or not (path.is_dir() or path.suffix in _ENDINGS):
                continue
            files = [f"{name}.yaml" for name in MAPS]
            name = path.relative_to(self.folder).as_posix()
            self.problems.put(Problem(name, 1, "", "nothing reads this file", suggestion(path.name, files)))


def _yaml_under(folder: Path) -> list[Path]:
    """Files that end in .yaml or .yml, in lexical order; hidden ones and links to folders left out."""
    if not folder.is_dir():
        return []
    found = []
    for above, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(above, name) for name in names if name.endswith(_ENDINGS) and not name.startswith(".")]
    return sorted(found, key=lambda path: path.parts)


def _with_teams(found: dict[str, Service], people: Oncall) -> dict[str, Service]:
    """A service without a team has the escalation `default`, if there is one."""
    if "default" not in people.escalations:
        return found
    return {name: one if one.team else replace(one, team="default") for name, one in found.items()}
