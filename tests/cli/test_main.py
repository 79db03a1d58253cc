"""The command itself: lazy imports, help, languages, wrong use."""

from __future__ import annotations

import re
import subprocess
import sys
import time

import pytest

from conftest import Forewarn
from forewarn import __version__
from forewarn.cli.main import COMMANDS, main

NAMES = [name.rstrip("_") for name in COMMANDS]


def test_version_imports_nothing_and_is_quick(forewarn: Forewarn) -> None:
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "forewarn.cli.main", "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"forewarn {__version__}\n"
    imported = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines() if line.startswith("import time:")}
    assert {name for name in imported if name.startswith("forewarn")} == {"forewarn", "forewarn.cli"}
    assert not imported & {"argparse", "yaml", "pydantic", "jinja2", "starlette", "asyncio", "json"}
    quickest = min(_timed(forewarn) for _ in range(3))
    assert quickest < 0.3  # 0.03 s alone; the rest is for a busy machine


def _timed(forewarn: Forewarn) -> float:
    begin = time.perf_counter()
    assert forewarn("--version").code == 0
    return time.perf_counter() - begin


@pytest.mark.parametrize("name", NAMES)
def test_help_of_a_command_imports_nothing_heavy(name: str) -> None:
    code = f"import sys; from forewarn.cli.main import main\ntry: main([{name!r}, '--help'])\nexcept SystemExit: pass\nprint(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.splitlines()[-1].split())
    assert not loaded & {"yaml", "pydantic", "jinja2", "starlette", "uvicorn", "asyncio", "sqlite3", "apscheduler", "psutil"}
    others = {f"forewarn.cli.{other}" for other in COMMANDS if other.rstrip("_") != name}
    assert not loaded & others


@pytest.mark.parametrize("name", NAMES)
def test_every_command_has_help_with_examples(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([name, "--help"])
    assert stop.value.code == 0
    said = capsys.readouterr().out
    assert f"forewarn {name}" in said
    if name not in ("check", "try"):
        assert "examples:" in said
    for option in ("--config", "--state", "--lang"):
        assert option in said or name in ("incident", "notice", "playbook", "hosts", "change", "lab")


def test_no_command_takes_a_global_option_for_something_else() -> None:
    import argparse

    from forewarn.cli.main import GLOBAL, _leaves, _parser

    leaves = _leaves(_parser([]))
    assert len(leaves) > 15
    for leaf in leaves:
        assert isinstance(leaf, argparse.ArgumentParser)
        metavars = {option: leaf._option_string_actions[option].metavar for option in GLOBAL}
        assert metavars == {option: metavar for option, (metavar, _) in GLOBAL.items()}, leaf.prog


def test_help_lists_every_command(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    said = capsys.readouterr().out
    assert re.findall(r"^    (\w+)  ", said, re.MULTILINE) == NAMES


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["nope"],
        ["status", "--nope"],
        ["incident"],
        ["incident", "pin", "INC-3", "P9", "x"],
        ["notice", "approve"],
        ["run", "--port", "70000"],
    ],
)
def test_wrong_use_is_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(argv)
    assert stop.value.code == 2
    assert "usage: forewarn" in capsys.readouterr().err


@pytest.mark.parametrize("argv", [["--lang", "fr", "check"], ["check", "--lang", "zhuang"]])
def test_a_language_that_there_is_not_is_refused(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(argv)
    said = capsys.readouterr().err
    assert (stop.value.code, "there are en and zh" in said, argv[argv.index("--lang") + 1] in said) == (2, True, True)


@pytest.mark.parametrize(
    ("args", "environ", "chinese"),
    [
        ([], {}, False),
        ([], {"LANG": "zh_CN.UTF-8"}, True),
        ([], {"LANG": "zh_CN.UTF-8", "LC_ALL": "C.UTF-8"}, False),
        (["--lang", "en"], {"LANG": "zh_CN.UTF-8"}, False),
        (["--lang", "zh"], {}, True),
        (["--lang", "zh-CN"], {}, True),
        (["--lang", "en"], {"LANG": "fr_FR.UTF-8"}, False),
        ([], {"LANG": "fr_FR.UTF-8"}, False),
    ],
)
def test_the_language_comes_from_the_option_or_the_environment(
    forewarn: Forewarn, args: list[str], environ: dict[str, str], chinese: bool
) -> None:
    before, after = forewarn(*args, "status", **environ), forewarn("status", *args, **environ)
    assert before == after
    assert ("守护进程" in before.err) is chinese


def test_a_reader_that_goes_away_is_no_error(forewarn: Forewarn) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", f"{sys.executable} -m forewarn.cli.main --help | true"], capture_output=True, text=True, check=False
    )
    assert "Traceback" not in done.stderr
