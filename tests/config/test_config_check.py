"""forewarn check, as people see it."""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pytest
from config_folder import write

from forewarn.cli import check
from forewarn.config.find import shipped


def run(*words: str) -> int:
    parser = argparse.ArgumentParser()
    parser.add_argument("--config")
    parser.add_argument("--json", action="store_true")
    check.add(parser.add_subparsers())
    args = parser.parse_args(words)
    return int(args.run(args))


BAD = {
    "config/services.yaml": "services:\n  shop: {criticality: core, needs: [search, paymets]}\n  search: {criticality: core}\n"
    "  payments: {criticality: core}\n",
    "probes/ok.yaml": "probe: ok\nkind: http\nevery: 5 mins\nservice: shop\ntargets: [http://127.0.0.1/]\n",
}


def test_problems_are_lined_up_and_counted(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", str(write(tmp_path, BAD))) == 1
    assert capsys.readouterr().out == (
        'config/services.yaml:2  services.shop.needs[1]: "paymets" is not a service; did you mean payments?\n'
        'probes/ok.yaml:3        every: "5 mins" is not a duration; write 5m\n'
        "2 problems in 4 files. The running set stays as it is.\n"
    )


def test_the_same_as_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--json", "check", "--config", str(write(tmp_path, BAD))) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["ok"], found["files"], found["config"]) == (False, 4, None)
    assert found["problems"][1] == {
        "file": "probes/ok.yaml",
        "line": 3,
        "path": "every",
        "what": '"5 mins" is not a duration',
        "right": "write 5m",
    }


def test_a_good_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("--config", str(shipped()), "check") == 0
    assert ": no problems (configuration " in capsys.readouterr().out
    assert run("check", "--json", str(shipped())) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["ok"], found["problems"], len(found["config"]["id"])) == (True, [], 6)


def test_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run("check", str(tmp_path / "none")) == 2
    assert "does not exist; name the folder" in capsys.readouterr().err


def test_it_is_light_to_register() -> None:
    code = (
        "import sys, forewarn.cli.check; print(any(name in sys.modules for name in ('pydantic', 'yaml', 'forewarn.config.load')))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
