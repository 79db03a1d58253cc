"""This machine as probers see it, and what becomes of a machine that can't be reached."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from forewarn.probers import PROBERS
from forewarn.reach.machine import CannotReach, Here, only_here


def test_files_are_read_by_name_and_by_glob_and_those_that_are_not_there_are_left_out(tmp_path: Path) -> None:
    for name, text in {"a1": "one", "a2": "two", ".a3": "hidden", "b": "three"}.items():
        (tmp_path / name).write_text(text)
    paths = [f"{tmp_path}/a*", f"{tmp_path}/.a3", f"{tmp_path}/none", f"{tmp_path}"]
    found = asyncio.run(Here().read(paths, 5))
    assert found == {f"{tmp_path}/a1": b"one", f"{tmp_path}/a2": b"two", f"{tmp_path}/.a3": b"hidden"}


def test_a_file_is_read_up_to_the_cap(tmp_path: Path) -> None:
    (tmp_path / "long").write_bytes(b"0123456789")
    assert asyncio.run(Here().read([f"{tmp_path}/long"], 5, 4)) == {f"{tmp_path}/long": b"0123"}


@pytest.mark.parametrize("look", [lambda machine: machine.run(["true"], 5), lambda machine: machine.read(["/proc/stat"], 5)])
def test_a_name_that_no_host_has_is_a_machine_that_cant_be_reached(look) -> None:  # type: ignore[no-untyped-def]
    assert isinstance(only_here("local"), Here)
    with pytest.raises(CannotReach, match='no host "web-1"') as away:
        asyncio.run(look(only_here("web-1")))
    assert (away.value.reason, away.value.begun) == ("config", False)


def test_only_a_kind_that_may_look_elsewhere_is_handed_the_machines() -> None:
    asked: list[str] = []

    def machines(where: str) -> Here:
        asked.append(where)
        return Here()

    assert PROBERS["tcp"].on(machines) is PROBERS["tcp"]
    prober = PROBERS["command"].on(machines).make()
    assert prober._machines is machines
