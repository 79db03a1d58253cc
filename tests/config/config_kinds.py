"""A small table of probers of our own: config is tested without those that exist."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ConfigDict, field_validator

from forewarn.model.probe import Target
from forewarn.ports import Kind


class Options(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WebOptions(Options):
    method: str = "GET"
    values: dict[str, str] = {}
    expect: dict[str, int | str] = {}
    token_file: Path | None = None

    @field_validator("method")
    @classmethod
    def _method(cls, given: str) -> str:
        if given not in ("GET", "HEAD"):
            raise ValueError(f'"{given}" is not a method; write GET or HEAD')
        return given


class LogOptions(Options):
    files: list[str]
    patterns: dict[str, str] = {}


class HostOptions(Options):
    mounts: list[str] = ["*"]


class FreeOptions(Options):
    """A kind that does not say what it measures."""


def _never() -> Any:
    raise AssertionError("config makes no prober")


HERE = (Target("local", "local"),)
KINDS = {
    "http": Kind(WebOptions, "engine", _never, every_s=30, metrics={"total_s": "", "status": "", "size_bytes": ""}),
    "log": Kind(LogOptions, "follower", _never, targets=HERE, metrics={"lines_total": ""}),
    "host": Kind(
        HostOptions,
        "async",
        _never,
        targets=HERE,
        metrics={"cpu_used_ratio": "", "fs_used_ratio": "", "temp_celsius": ""},
        remote=True,
    ),
    "free": Kind(FreeOptions, "push", _never, targets=HERE),
}
