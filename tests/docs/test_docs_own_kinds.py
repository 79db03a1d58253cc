"""docs/own-kinds.md: the package it shows is made, installed by pip and used; broken ones stop nobody else."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
import urllib.request
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

PAGE = (Path(__file__).parents[2] / "docs" / "own-kinds.md").read_text("utf-8")
CODE, PROJECT, PROBE = (re.search(rf"```{name}\n(.*?)```", PAGE, re.DOTALL)[1] for name in ("python", "toml", "yaml"))  # type: ignore[index]
SHOWN = re.findall(r"```\n\$ (.*?)```", PAGE, re.DOTALL)
BROKEN = "import nothing_of_this_name\nKIND = None\n"
QUIET = "probe: quiet\nkind: command\nevery: 1s\ntimeout: 1s\nargv: ['true']\n"

Run = Callable[..., subprocess.CompletedProcess[str]]


def wheel(folder: Path, module: str, code: str, project: str = PROJECT) -> Path:
    """A wheel as a build backend makes it of the page's two files; none has to be installed for this."""
    about = tomllib.loads(project)["project"]
    name, version = about["name"].replace("-", "_"), about["version"]
    info, path = f"{name}-{version}.dist-info", folder / f"{name}-{version}-py3-none-any.whl"
    points = "".join(
        f"[{group}]\n" + "".join(f"{kind} = {where}\n" for kind, where in lines.items())
        for group, lines in about["entry-points"].items()
    )
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(f"{module}.py", code)
        file.writestr(f"{info}/METADATA", f"Metadata-Version: 2.1\nName: {about['name']}\nVersion: {version}\n")
        file.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        file.writestr(f"{info}/entry_points.txt", points)
        file.writestr(f"{info}/RECORD", "".join(f"{one},,\n" for one in [*file.namelist(), f"{info}/RECORD"]))
    return path


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """A configuration with the page's probe, on a folder in which two files wait."""
    uploads, probes = tmp_path / "uploads", tmp_path / "probes"
    for folder in (uploads, probes, tmp_path / "config", tmp_path / "packages"):
        folder.mkdir()
    for name in ("a.csv", "b.csv", "c.txt"):
        (uploads / name).write_text("x")
        os.utime(uploads / name, (time.time() - 7200,) * 2)
    (probes / "uploads.yaml").write_text(PROBE.replace("/srv/uploads", str(uploads)).replace("30s", "1s"))
    return tmp_path


@pytest.fixture
def installed(shop: Path) -> Callable[[Path], None]:
    """Puts a wheel where the shop's Python looks, by pip, which asks nobody."""

    def install(file: Path) -> None:
        argv = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--disable-pip-version-check"]
        subprocess.run(
            [*argv, "--upgrade", "--target", str(shop / "packages"), str(file)], check=True, capture_output=True, timeout=50
        )

    return install


@pytest.fixture
def forewarn(shop: Path) -> Run:
    def run(*args: str) -> subprocess.CompletedProcess[str]:
        argv = [sys.executable, "-m", "forewarn", "--config", str(shop), "--state", str(shop / "state"), *args]
        return subprocess.run(argv, capture_output=True, text=True, timeout=40, check=False, env=_environ(shop))

    return run


def _environ(shop: Path) -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": str(shop / "packages"), "LANG": "C.UTF-8"}


def test_the_page_holds_a_kind_that_works(shop: Path, installed: Callable[[Path], None], forewarn: Run) -> None:
    before = forewarn("check")
    assert before.returncode == 1 and '"waiting" is not a kind of probe' in before.stdout
    installed(wheel(shop, "forewarn_waiting", CODE))
    checked = forewarn("check")
    assert checked.returncode == 0, checked.stdout + checked.stderr
    assert checked.stdout.splitlines()[-1] == "kind waiting of the package forewarn-waiting 1.0"
    assert "kind waiting of the package forewarn-waiting 1.0" in SHOWN[0]

    tried = forewarn("try", "uploads", "--json")
    (target,) = json.loads(tried.stdout)["items"][0]["targets"]
    values = {one["metric"]: one["value"] for one in target["series"]}
    assert target["outcome"] == "up" and values["files"] == 2 and 7200 <= values["oldest_s"] < 7500
    assert {one["rule"]: one["state"] for one in target["rules"]}["stuck"] == "firing"

    made = forewarn("init", str(shop / "new"))
    assert made.returncode == 0, made.stderr
    schema = json.loads((shop / "new" / "config" / "schemas" / "probe.json").read_text())["definitions"]["Probe"]
    assert "waiting" in schema["properties"]["kind"]["enum"]
    branch = next(one for one in schema["allOf"] if one["if"]["properties"]["kind"]["const"] == "waiting")
    assert "suffix" in branch["then"]["properties"]


def test_its_options_are_checked_as_others_are(shop: Path, installed: Callable[[Path], None], forewarn: Run) -> None:
    installed(wheel(shop, "forewarn_waiting", CODE))
    file = shop / "probes" / "uploads.yaml"
    file.write_text(file.read_text().replace("suffix:", "sufix:"))
    assert 'sufix: "sufix" is not a key here; did you mean suffix?' in forewarn("check").stdout
    file.write_text(file.read_text().replace("sufix:", "suffix:").replace("oldest_s", "eldest_s"))
    said = forewarn("check").stdout
    assert '"eldest_s" is not a metric of this probe; did you mean oldest_s?' in said


def test_a_broken_package_is_named_and_stops_nobody(shop: Path, installed: Callable[[Path], None], forewarn: Run) -> None:
    """Through a real daemon: the good probe runs, the broken one can't see, and says why."""
    installed(wheel(shop, "forewarn_waiting", BROKEN, PROJECT.replace("1.0", "1.1")))
    (shop / "probes" / "quiet.yaml").write_text(QUIET)
    checked = forewarn("check")
    assert checked.returncode == 1
    named = "\"waiting\" of the package forewarn-waiting 1.1 can't be loaded: ModuleNotFoundError: No module named 'nothing_of_this_name'"
    assert checked.stdout.startswith("probes/uploads.yaml:3  kind: " + named), checked.stdout
    assert json.loads(forewarn("check", "--json").stdout)["problems"][0]["what"].startswith('"waiting" of')

    argv = [sys.executable, "-m", "forewarn", "--config", str(shop), "--state", str(shop / "state"), "run", "--port", "0"]
    with (shop / "out").open("wb") as out:
        process = subprocess.Popen(argv, stdout=out, stderr=out, env=_environ(shop))
    try:
        look = lambda: _asked(shop, "/api/v1/probes").get("items", [])  # noqa: E731
        probes = _until(look, lambda found: _outcomes(found) == {"quiet": "up", "uploads": "unknown"}, process)
        (uploads,) = next(one for one in probes if one["name"] == "uploads")["targets"]
        assert "the package forewarn-waiting 1.1 can't be loaded" in uploads["why"]
        (told,) = _asked(shop, "/api/v1/loaded")["added"]
        assert told["used"] and told["trouble"] == "ModuleNotFoundError: No module named 'nothing_of_this_name'"
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0


@pytest.mark.parametrize(
    ("code", "kind", "said"),
    [
        ("KIND = 7\n", "waiting", "TypeError: the entry point names int, not a Kind"),
        (CODE.replace('"async"', '"asink"'), "waiting", "TypeError: shape 'asink' is none of async, engine, follower, push"),
        (CODE.replace("WaitingOptions(Options)", "WaitingOptions"), "waiting", "TypeError: its options are no subclass of"),
        ("raise SystemExit('no licence')\n", "waiting", "SystemExit: no licence"),
        (CODE, "http", "Forewarn itself has a kind of this name, which is used"),
    ],
)
def test_what_is_no_kind_is_told(
    code: str, kind: str, said: str, shop: Path, installed: Callable[[Path], None], forewarn: Run
) -> None:
    installed(wheel(shop, "forewarn_waiting", code, PROJECT.replace("waiting = ", f"{kind} = ")))
    (shop / "probes" / "uploads.yaml").write_text(QUIET)
    checked = forewarn("check")
    assert checked.returncode == 0, "no probe is of it"
    assert f"kind {kind} of the package forewarn-waiting 1.0 can't be used: {said}" in checked.stdout


def _asked(shop: Path, path: str) -> dict:
    """The daemon's API; empty while there is no daemon yet."""
    try:
        door = json.loads((shop / "state" / "daemon.json").read_text())
        token = (shop / "state" / "token").read_text().strip()
        request = urllib.request.Request(f"http://127.0.0.1:{door['port']}{path}", headers={"Authorization": f"Bearer {token}"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)
    except (OSError, ValueError):
        return {}


def _outcomes(probes: list[dict]) -> dict[str, str]:
    return {one["name"]: target["outcome"] for one in probes for target in one["targets"]}


def _until(look: Callable[[], list[dict]], good: Callable[[list[dict]], bool], process: subprocess.Popen[bytes]) -> list[dict]:
    """Looks again until it is good; the test's own time-out ends it otherwise."""
    while process.poll() is None:
        found = look()
        if good(found):
            return found
        time.sleep(0.05)
    raise AssertionError("the daemon ended")
