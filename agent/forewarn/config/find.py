"""Which folder the configuration is."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from forewarn.model.errors import ForewarnError

PARTS = ("config", "probes", "playbooks")
SYSTEM = Path("/etc/forewarn")


def shipped() -> Path:
    """The folder with config/, probes/ and playbooks/ that came with this version: in a wheel inside the package, in a
    checkout at its top."""
    package = Path(__file__).resolve().parents[1]
    inside, checkout = package / "shipped", package.parents[1]
    return inside if inside.is_dir() else checkout


def folder(explicit: str | None, environ: Mapping[str, str], here: Path | None = None, system: Path = SYSTEM) -> Path:
    """The configuration's folder: --config, FOREWARN_CONFIG, the current folder, /etc/forewarn, the shipped one.

    A folder that was named must be one; raises ForewarnError otherwise.
    """
    if explicit:
        return _named(Path(explicit), "")
    if environ.get("FOREWARN_CONFIG"):
        return _named(Path(environ["FOREWARN_CONFIG"]), "FOREWARN_CONFIG: ")
    here = here or Path.cwd()
    if (here / "config").is_dir() and (here / "probes").is_dir():
        return here
    return system if (system / "config").is_dir() else shipped()


def _named(path: Path, by: str) -> Path:
    if not path.is_dir():
        said = "is a file" if path.is_file() else "does not exist"
        raise ForewarnError(f'{by}"{path}" {said}; name the folder that holds config/, probes/ and playbooks/')
    if not any((path / part).is_dir() for part in PARTS):
        above = path.resolve().parent
        better = (
            f"; did you mean {above}?" if (above / "config").is_dir() and path.resolve().name in PARTS else "; make config/ in it"
        )
        raise ForewarnError(f'{by}"{path}" holds none of config/, probes/ and playbooks/{better}')
    return path.resolve()
