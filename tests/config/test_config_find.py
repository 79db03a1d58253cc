"""Which folder the configuration is."""

from __future__ import annotations

from pathlib import Path

import pytest

from forewarn.config.find import folder, shipped
from forewarn.model.errors import ForewarnError


def made(path: Path, *parts: str) -> Path:
    for part in parts:
        (path / part).mkdir(parents=True)
    return path.resolve()


def test_the_order(tmp_path: Path) -> None:
    named = made(tmp_path / "named", "config", "probes")
    by_environment = made(tmp_path / "environment", "config")
    here = made(tmp_path / "here", "config", "probes")
    system = made(tmp_path / "etc", "config")
    bare = made(tmp_path / "bare", "config")  # no probes/: any project may have a folder config/
    none = tmp_path / "none"
    environ = {"FOREWARN_CONFIG": str(by_environment)}
    assert folder(str(named), environ, here, system) == named
    assert folder(None, environ, here, system) == by_environment
    assert folder(None, {}, here, system) == here
    assert folder(None, {"FOREWARN_CONFIG": ""}, bare, system) == system
    assert folder(None, {}, bare, none) == shipped()


def test_the_shipped_set_is_whole() -> None:
    assert all((shipped() / part).is_dir() for part in ("config", "probes", "playbooks"))
    assert (shipped() / "config" / "ladder.yaml").is_file()


def test_a_folder_that_was_named_must_be_one(tmp_path: Path) -> None:
    configuration = made(tmp_path / "all", "config")
    (tmp_path / "file").write_text("")
    made(tmp_path / "empty", "x")
    for path, said in (
        (tmp_path / "none", "does not exist; name the folder that holds config/, probes/ and playbooks/"),
        (tmp_path / "file", "is a file; name the folder that holds"),
        (tmp_path / "empty", "holds none of config/, probes/ and playbooks/; make config/ in it"),
        (configuration / "config", f"holds none of config/, probes/ and playbooks/; did you mean {configuration}?"),
    ):
        with pytest.raises(ForewarnError) as error:
            folder(str(path), {})
        assert str(error.value).startswith(f'"{path}" {said}')
    with pytest.raises(ForewarnError, match="FOREWARN_CONFIG: "):
        folder(None, {"FOREWARN_CONFIG": str(tmp_path / "none")})
