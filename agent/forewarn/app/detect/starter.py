"""Writes a configuration folder to begin with: commented files, shipped probes and playbooks, JSON schemas. Keeps what is there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from forewarn.config import schema
from forewarn.config.find import shipped
from forewarn.ports import Kind

CONFIG = ("forewarn.yaml", "services.yaml", "customers.yaml", "oncall.yaml")
"""ladder and phrases come from the shipped set until somebody writes their own."""
FOLDERS = ("probes", "playbooks")


@dataclass(slots=True)
class Written:
    """Files by what happened to them."""

    new: list[Path] = field(default_factory=list)
    kept: list[Path] = field(default_factory=list)

    def put(self, path: Path, text: str) -> None:
        """Write a file that is not there yet. Raises OSError."""
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with path.open("x", encoding="utf-8") as file:
                file.write(text)
            self.new.append(path)
        except FileExistsError:
            self.kept.append(path)


def write(folder: Path, kinds: Mapping[str, Kind]) -> Written:
    """The starter files below `folder`; schemas are brought up to date. Raises OSError."""
    source, written = shipped(), Written()
    for name in CONFIG:
        written.put(folder / "config" / name, (source / "config" / name).read_text("utf-8"))
    for part in FOLDERS:
        for path in sorted((source / part).glob("*.yaml")):
            written.put(folder / part / path.name, path.read_text("utf-8"))
    (folder / "config" / "schemas").mkdir(parents=True, exist_ok=True)
    written.new += schema.write(folder / "config" / "schemas", kinds)
    return written
