"""The shipped catalogue, for the words that the command line says by itself. Imports little, since every command waits for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache

import yaml
from yaml.cyaml import CBaseLoader  # every scalar stays the text that it is, as in YAML 1.2

from forewarn.config.find import shipped


@cache
def phrases(language: str) -> Mapping[str, str]:
    """`cli.offline` -> sentence, of all files of a language (checked by the tests, so not here)."""
    folder = shipped() / "config" / "phrases"
    paths = [folder / f"{language}.yaml", *sorted((folder / language).glob("*.yaml"))]
    found: dict[str, str] = {}
    for path in paths:
        if path.is_file():
            found.update(_flat("", yaml.load(path.read_bytes(), CBaseLoader)))  # noqa: S506 - makes texts, lists and maps only
    return found


def _flat(prefix: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict):
        for key, item in value.items():
            yield from _flat(f"{prefix}.{key}" if prefix else str(key), item)
    elif isinstance(value, str):
        yield prefix, value
