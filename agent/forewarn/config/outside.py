"""The probes of a file that lies outside the configuration, checked like those inside: what `forewarn try FILE` runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from forewarn.config.environment import SecretFiles, expanded
from forewarn.config.probes import probes
from forewarn.config.problems import Problems
from forewarn.config.promises import with_hours
from forewarn.config.reading import documents_of
from forewarn.model.errors import ConfigError
from forewarn.model.probe import Probe
from forewarn.model.settings import Settings
from forewarn.ports import Kind


def read_probes(path: Path, settings: Settings, kinds: Mapping[str, Kind], environ: Mapping[str, str]) -> list[Probe]:
    """Its probes with the hosts, calendars and secrets of `settings`. Raises ConfigError with all its problems,
    ForewarnError if the file can't be read."""
    problems = Problems()
    docs = [expanded(doc, environ, problems) for doc in documents_of(path, problems)]
    found, _ = probes(docs, kinds, problems, SecretFiles(Path(settings.folder) / "config", environ), settings.hosts)
    found = with_hours(found, settings.calendars, settings.daemon.zone, problems)
    if problems:
        raise ConfigError(problems.all(), 1)
    return list(found.values())
