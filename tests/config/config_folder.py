"""Makes a configuration folder from one text: `# file: PATH` begins a file, `# env: NAME=VALUE` sets one variable."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from config_kinds import KINDS

from forewarn.config.load import load
from forewarn.model.errors import ConfigError
from forewarn.model.settings import Settings

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)

BASE: Mapping[str, str] = {
    "config/forewarn.yaml": "daemon: {zone: Asia/Shanghai}\n",
    "config/services.yaml": "services:\n  shop: {criticality: core, team: local}\n  search: {criticality: important}\n",
    "config/oncall.yaml": "people:\n  on-call-1: {channels: ['console://']}\nescalations:\n  local: [{to: on-call-1, ack: 5m}]\n",
    "probes/ok.yaml": "probe: ok\nkind: http\nservice: shop\ntargets: [http://127.0.0.1/]\n",
}


def files_of(text: str) -> tuple[dict[str, str], dict[str, str], list[str]]:
    """Files, environment, and the expected lines after `# expect`."""
    files: dict[str, str] = {}
    environ: dict[str, str] = {}
    expected: list[str] = []
    name: str | None = None
    lines = iter(text.splitlines(keepends=True))
    for line in lines:
        if line.startswith("# file: "):
            name = line[8:].strip()
            files[name] = ""
        elif line.startswith("# env: "):
            key, _, value = line[7:].strip().partition("=")
            environ[key] = value
        elif line.startswith("# expect"):
            expected = [rest.removeprefix("# ").rstrip("\n") for rest in lines]
        elif name is not None:
            files[name] += line
    return files, environ, expected


def write(folder: Path, files: Mapping[str, str]) -> Path:
    for name, text in {**BASE, **files}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    (folder / "playbooks").mkdir(exist_ok=True)
    return folder


def settings_of(folder: Path, files: Mapping[str, str], environ: Mapping[str, str] | None = None) -> Settings:
    return load(write(folder, files), KINDS, NOW, environ or {})


def problems_of(folder: Path, files: Mapping[str, str], environ: Mapping[str, str] | None = None) -> list[str]:
    try:
        settings_of(folder, files, environ)
    except ConfigError as error:
        return [str(problem) for problem in error.problems]
    return []
