"""forewarn try CONFIG --on prometheus: a real Prometheus of the distribution, filled from a text file of samples."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from forewarn.cli.main import main
from forewarn.config.prometheus_map import prometheus_map
from forewarn.model.errors import ConfigError

BEGIN_S, MINUTES = 1_789_948_800, 3 * 1440  # 21 September 2026, 00:00 UTC
CONFIG = """probe: db
kind: host
every: 60s
rules:
  - {name: full, threshold: {metric: fs_used_ratio, above: 90%, for: 5m}}
"""
MAP = """series:
  - {query: '1 - node_filesystem_avail_bytes / node_filesystem_size_bytes', probe: db, metric: fs_used_ratio, labels: {mount: mountpoint}}
"""


@pytest.fixture(scope="module")
def prometheus(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a Prometheus whose file system fills to 95 % on the third day, minute by minute."""
    if not (shutil.which("prometheus") and shutil.which("promtool")):
        pytest.skip("prometheus is missing: apt install prometheus")
    folder = tmp_path_factory.mktemp("prometheus")
    lines = []
    for name, value in (("avail", lambda n: 5 if n >= 2 * 1440 else 50), ("size", lambda n: 100)):
        metric = f"node_filesystem_{name}_bytes"
        lines.append(f"# TYPE {metric} gauge")
        lines += [f'{metric}{{instance="db-1:9100",mountpoint="/srv"}} {value(n)} {BEGIN_S + 60 * n}' for n in range(MINUTES)]
    (folder / "samples.om").write_text("\n".join([*lines, "# EOF", ""]))
    (folder / "prometheus.yml").write_text("scrape_configs: []\n")
    data = folder / "data"
    subprocess.run(
        ["promtool", "tsdb", "create-blocks-from", "openmetrics", str(folder / "samples.om"), str(data)],
        check=True,
        capture_output=True,
    )
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        ["prometheus", f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={data}",
         "--storage.tsdb.retention.time=100y", f"--web.listen-address=127.0.0.1:{port}"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        url = f"http://127.0.0.1:{port}"
        _until_ready(url)
        yield url
    finally:
        process.terminate()
        process.wait()


def _until_ready(url: str) -> None:
    for _ in range(600):
        try:
            with urllib.request.urlopen(f"{url}/-/ready", timeout=5):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail("Prometheus did not become ready")


@pytest.fixture
def config(tmp_path: Path) -> Path:
    (tmp_path / "probes").mkdir()
    (tmp_path / "config").mkdir()
    (tmp_path / "probes" / "db.yaml").write_text(CONFIG)
    (tmp_path / "map.yaml").write_text(MAP)
    return tmp_path


def test_a_users_own_prometheus(prometheus: str, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["try", str(config), "--on", "prometheus", prometheus, "--from", "2026-09-21", "--to", "2026-09-24", "--json"]
    assert main(["--config", str(config), *words, "--map", str(config / "map.yaml")]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["series"], found["samples"]) == (1, MINUTES)
    (finding,) = [one for one in found["things"] if one["kind"] == "finding"]
    assert (finding["series"], finding["at"]) == ('db|local|fs_used_ratio{mount="/srv"}', "2026-09-23T00:05:00Z")


def test_a_query_that_it_refuses(prometheus: str, config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (config / "map.yaml").write_text("series:\n  - {query: 'sum(', probe: db, metric: fs_used_ratio}\n")
    assert main(["--config", str(config), "try", str(config), "--on", prometheus, "--map", str(config / "map.yaml")]) == 2
    assert "refused sum(: " in capsys.readouterr().err


def test_nothing_listens_there(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--lang", "en", "--config", str(config), "try", str(config), "--on", "prometheus", "http://127.0.0.1:1"]) == 2
    assert "127.0.0.1:1: connection refused" in capsys.readouterr().err


def test_mistakes_in_a_mapping_are_told_by_line(tmp_path: Path) -> None:
    (tmp_path / "map.yaml").write_text("series:\n  - {query: up, probe: db}\n  - {query: up, probe: db, metric: x, lables: {}}\n")
    with pytest.raises(ConfigError) as error:
        prometheus_map(tmp_path / "map.yaml")
    assert "map.yaml:2 series[0]" in str(error.value) and 'map.yaml:3 series[1].lables: "lables" is not a key' in str(error.value)
