"""Errors of pydantic as problems: `file:line path: what is wrong; what would be right`."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from types import UnionType
from typing import Annotated, Any, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from forewarn.config.files import Document, Path
from forewarn.config.problems import Problems, Wrong, suggestion
from forewarn.config.units import shown

M = TypeVar("M", bound=BaseModel)


def validated(model: type[M], value: Any, doc: Document, at: Path, problems: Problems, also: Iterable[str] = ()) -> M | None:
    """`value`, which stands at `at` of the document, as the model; else None and its problems.

    `also` are keys that are known beside those of the model, for suggestions.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        _report(error, model, value, doc, at, problems, also)
        return None


def validated_parts(
    model: type[M], value: Any, doc: Document, problems: Problems, depth: int = 2, at: Path = (), also: Iterable[str] = ()
) -> tuple[M | None, frozenset[Path]]:
    """As `validated`, but what is wrong is left out, down to parts at `depth`, and the rest is still answered, so that one
    error hides no other. With the paths that were left out."""
    try:
        return model.model_validate(value), frozenset()
    except ValidationError as error:
        bad = _report(error, model, value, doc, at, problems, also)
    dropped = frozenset(path[:depth] for path in bad if path)
    try:
        return model.model_validate(_without(value, dropped)), dropped
    except ValidationError:
        return None, dropped


def _without(value: Any, dropped: frozenset[Path]) -> Any:
    """A copy of nested maps without what stands at these paths."""
    if not isinstance(value, dict):
        return value
    inner = {key: frozenset(path[1:] for path in dropped if path[0] == key) for key in value}
    return {key: _without(item, inner[key]) if inner[key] else item for key, item in value.items() if () not in inner[key]}


def _report(
    error: ValidationError, model: type[BaseModel], value: Any, doc: Document, at: Path, problems: Problems, also: Iterable[str]
) -> set[Path]:
    """Adds the problems; answers their paths."""
    told: set[Path] = set()
    bad_keys: set[Path] = set()
    for one in sorted(error.errors(include_url=False), key=lambda one: one["loc"][-1:] != ("[key]",)):
        path, keys = _place(one["loc"], value, model)
        hidden = path in told and one["type"] not in ("extra_forbidden", "missing")  # another branch of a union
        short = one["type"] == "too_short" and len(one["input"]) >= one["ctx"]["min_length"]  # items were wrong, not missing
        if hidden or short or any(path[: len(bad)] == bad for bad in bad_keys):
            continue
        told.add(path)
        if one["loc"][-1:] == ("[key]",):
            bad_keys.add(path)
        if one["type"] == "missing":
            missing = one["loc"][-1]
            problems.add(doc, at + path, f'"{missing}" is missing', _example(model, one["loc"], str(missing)))
        elif one["type"] == "extra_forbidden":
            known = [*keys, *(also if len(path) == 1 else ())]
            problems.add(doc, at + path, f'"{path[-1]}" is not a key here', suggestion(str(path[-1]), known, 12))
        else:
            problems.add(doc, at + path, *_sentence(one))
    return told


def _place(loc: Sequence[int | str], value: Any, model: Any) -> tuple[Path, list[str]]:
    """The path inside the value (names of a union's branches left out), and the keys known where its last part stands."""
    path: Path = ()
    keys: list[str] = []
    for part in loc:
        if isinstance(value, Mapping) and part in value:
            keys = keys_of(model)
            model, value = _inside(model, part), value[part]
        elif isinstance(value, list | tuple) and isinstance(part, int) and part < len(value):
            keys = []
            model, value = _inside(model, part), value[part]
        else:
            continue
        path = (*path, part)
    return path, keys


@lru_cache(maxsize=256)
def fields_of(model: type[BaseModel]) -> dict[str, Any]:
    """What may be written -> its field."""
    return {field.alias or name: field for name, field in model.model_fields.items()}


def keys_of(annotation: Any) -> list[str]:
    return [key for model in models_of(annotation) for key in fields_of(model)]


def models_of(annotation: Any) -> list[type[BaseModel]]:
    """The models that a type may be."""
    if get_origin(annotation) is Annotated:
        return models_of(get_args(annotation)[0])
    if get_origin(annotation) in (Union, UnionType):
        return [model for branch in get_args(annotation) for model in models_of(branch)]
    return [annotation] if isinstance(annotation, type) and issubclass(annotation, BaseModel) else []


def _inside(annotation: Any, part: int | str) -> Any:
    """The type of what stands under `part`; None when that can't be told."""
    if get_origin(annotation) is Annotated:
        return _inside(get_args(annotation)[0], part)
    if get_origin(annotation) in (Union, UnionType):
        return next((found for branch in get_args(annotation) if (found := _inside(branch, part)) is not None), None)
    if models := models_of(annotation):
        field = fields_of(models[0]).get(str(part))
        return field.annotation if field else None
    inner = get_args(annotation)
    if not inner:
        return None
    return inner[-1] if isinstance(part, str) else inner[0]


def _example(model: Any, loc: Sequence[int | str], missing: str) -> str | None:
    for part in loc[:-1]:
        model = _inside(model, part) or model
    for found in models_of(model):
        field = fields_of(found).get(missing)
        if field is not None and field.examples:
            return f"write {missing}: {_written(field.examples[0])}"
    return f"add {missing}:"


def _written(example: Any) -> str:
    if isinstance(example, list):
        return f"[{', '.join(map(_written, example))}]"
    if isinstance(example, dict):
        return "{" + ", ".join(f"{key}: {_written(value)}" for key, value in example.items()) + "}"
    return str(example)


_SHAPES = {
    "string": ("a text belongs", "write it in quotes"),
    "dict": ("keys belong", "write key: value"),
    "model": ("keys belong", "write key: value"),
    "list": ("a list belongs", "write [one, two]"),
    "tuple": ("a list belongs", "write [one, two]"),
    "bool": ("true or false belongs", "write true or false"),
    "int": ("a whole number belongs", "write it without a unit"),
    "finite": ("a number belongs", "write a smaller one"),
    "float": ("a number belongs", "write it without a unit"),
}
_BOUNDS = {
    "greater_than": ("more than", "gt"),
    "greater_than_equal": ("at least", "ge"),
    "less_than": ("less than", "lt"),
    "less_than_equal": ("at most", "le"),
}


def _sentence(error: ErrorDetails) -> tuple[str, str | None]:
    kind, given, ctx = error["type"], error["input"], error.get("ctx") or {}
    shape = _SHAPES.get(kind.split("_", maxsplit=1)[0])
    if kind == "value_error":
        return _raised(ctx.get("error"))
    if kind in ("literal_error", "enum"):
        known = re.findall(r"'([^']*)'", str(ctx.get("expected", "")))
        return f"{shown(given)} is not one of {', '.join(known)}", suggestion(str(given), known) if _near(given, known) else None
    if kind in _BOUNDS:
        words, bound = _BOUNDS[kind]
        return f"{shown(given)} is out of range", f"write {words} {ctx.get(bound)}"
    if kind in ("too_short", "too_long"):
        return (
            f"there are {ctx.get('actual_length')}",
            f"write {'at least' if kind == 'too_short' else 'at most'} {ctx.get('min_length', ctx.get('max_length'))}",
        )
    if kind == "string_type" and isinstance(given, int | float):
        return (
            f"{shown(given)} is a {'word that means yes or no' if isinstance(given, bool) else 'number'}, and a text belongs here",
            f'write "{shown(given)}" in quotes',
        )
    if shape:
        return f"{shown(given)} stands where {shape[0]}", shape[1]
    return f"{shown(given)}: {error['msg'][0].lower()}{error['msg'][1:]}", None


def _near(given: object, known: list[str]) -> bool:
    return (suggestion(str(given), known) or "").startswith("did you mean")


def _raised(error: object) -> tuple[str, str | None]:
    if isinstance(error, Wrong):
        return error.what, error.right
    what, _, right = str(error).partition("; ")
    return what, right or None
