"""JSON Schemas (draft-07) of all files that people write, generated from the models that read them.

Editors with a YAML language server find them by each file's first line.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema

from forewarn.config.daemon import ForewarnFile
from forewarn.config.hosts import HostsFile
from forewarn.config.ladder import LadderFile
from forewarn.config.people import CustomersFile, OncallFile
from forewarn.config.playbooks import PlaybookWritten
from forewarn.config.probes import COMMON, ProbeWritten
from forewarn.config.prometheus_map import PrometheusMapFile
from forewarn.config.rules import SHORT_EXAMPLE, RuleWritten
from forewarn.config.services import ServicesFile
from forewarn.config.units import duration_text
from forewarn.ports import Kind

DRAFT = "http://json-schema.org/draft-07/schema#"
FILES: Mapping[str, type[BaseModel]] = {
    "forewarn": ForewarnFile,
    "hosts": HostsFile,
    "services": ServicesFile,
    "customers": CustomersFile,
    "oncall": OncallFile,
    "ladder": LadderFile,
    "playbook": PlaybookWritten,
    "prometheus-map": PrometheusMapFile,
}


class _Draft07(GenerateJsonSchema):
    """pydantic writes draft 2020-12; draft-07 has `items` for what is called prefixItems there."""

    schema_dialect = DRAFT

    def tuple_schema(self, schema: Any) -> dict[str, Any]:
        made = super().tuple_schema(schema)
        if "prefixItems" in made:
            made["items"] = made.pop("prefixItems")
        return made


def schemas(kinds: Mapping[str, Kind]) -> dict[str, dict[str, Any]]:
    """The schema of each file, by name."""
    made = {name: _of(model) for name, model in FILES.items()}
    return {**made, "probe": _probe(kinds)}


def write(folder: Path, kinds: Mapping[str, Kind]) -> list[Path]:
    """Write NAME.json of each into `folder`; answers the files whose text changed."""
    folder.mkdir(parents=True, exist_ok=True)
    changed = []
    for name, schema in schemas(kinds).items():
        path, text = folder / f"{name}.json", text_of(schema)
        if not path.exists() or path.read_text("utf-8") != text:
            path.write_text(text, "utf-8")
            changed.append(path)
    return changed


def text_of(schema: Mapping[str, Any]) -> str:
    return json.dumps(schema, indent=1, ensure_ascii=False, sort_keys=True) + "\n"


def _of(model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template="#/definitions/{model}", schema_generator=_Draft07)
    return {"$schema": DRAFT, **_plain(schema)}


def _plain(value: Any) -> Any:
    """Without generated titles and null defaults, which only make completion noisy."""
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if not isinstance(value, dict):
        return value
    kept = {key: _plain(item) for key, item in value.items() if not _noise(key, item)}
    if kept.get("type") == "string" and isinstance(kept.get("default"), float):  # spans are written with their unit
        kept["default"] = duration_text(kept["default"])
    return {("definitions" if key == "$defs" else key): item for key, item in kept.items()}


def _noise(key: str, item: Any) -> bool:
    return (key == "title" and isinstance(item, str)) or (key == "default" and (item is None or item in ([], {})))


def _probe(kinds: Mapping[str, Kind]) -> dict[str, Any]:
    """The common keys, and by `kind` those of the kind."""
    definitions: dict[str, Any] = {}
    common = _taken(ProbeWritten, definitions)
    properties = common["properties"]
    properties["kind"] = {"enum": sorted(kinds), "description": properties["kind"].get("description", "")}
    properties["targets"] = _targets()
    short = {"type": "string", "description": "METRIC op VALUE for SPAN", "examples": [SHORT_EXAMPLE]}
    definitions["Rule"] = _taken(RuleWritten, definitions)
    properties["rules"] = {"type": "array", "items": {"anyOf": [short, {"$ref": "#/definitions/Rule"}]}}
    branches = []
    for name, kind in kinds.items():
        own = _taken(kind.options, definitions, prefix=f"{name}.")
        allowed = {**dict.fromkeys(COMMON, True), **own.get("properties", {})}
        branch = {"properties": allowed, "additionalProperties": False, "required": own.get("required", [])}
        branches.append({"if": {"properties": {"kind": {"const": name}}}, "then": branch})
    definitions["Probe"] = {
        "type": "object",
        "properties": properties,
        "required": common["required"],
        "allOf": branches,
    }
    listed = {
        "type": "object",
        "properties": {"probes": {"type": "array", "items": {"$ref": "#/definitions/Probe"}}},
        "required": ["probes"],
        "additionalProperties": False,
    }
    return {
        "$schema": DRAFT,
        "description": "A file under probes/: a probe a document, or several under probes:",
        "if": {"required": ["probes"]},
        "then": listed,
        "else": {"$ref": "#/definitions/Probe"},
        "definitions": definitions,
    }


def _taken(model: type[BaseModel], definitions: dict[str, Any], prefix: str = "") -> dict[str, Any]:
    """A model's schema; its definitions move into `definitions`, by kind where two kinds may use one name."""
    template = f"#/definitions/{prefix}{{model}}"
    schema: dict[str, Any] = _plain(model.model_json_schema(ref_template=template, schema_generator=_Draft07))
    for name, one in schema.pop("definitions", {}).items():
        definitions[f"{prefix}{name}"] = one
    return schema


def _targets() -> dict[str, Any]:
    texts = {"type": "string"}
    return {
        "description": "addresses, or name: address",
        "anyOf": [
            {"type": "array", "items": texts, "minItems": 1},
            {"type": "object", "additionalProperties": texts, "minProperties": 1},
        ],
    }
