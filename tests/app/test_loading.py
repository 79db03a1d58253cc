"""The files are read by a process of their own: the same comes of them, and the daemon keeps nothing that only reading needs."""

from __future__ import annotations

import io
import os
import pickle
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from forewarn.app import loading
from forewarn.config.find import shipped
from forewarn.config.load import load
from forewarn.model.errors import ConfigError
from forewarn.probers import PROBERS

NOW = datetime(2026, 11, 28, 8, 0, tzinfo=UTC)
PROBE = """\
probe: shop
kind: http
every: 10s
targets:
{targets}
rules:
  - {{name: slow, threshold: {{metric: total_s, above: 3s}}, colour: yellow}}
"""


def written(folder: Path, count: int, kind: str = "http") -> Path:
    (folder / "config").mkdir(parents=True)
    (folder / "probes").mkdir()
    targets = "\n".join(f'  t{at}: "http://127.0.0.1:1/{at}"' for at in range(count))
    (folder / "probes" / "shop.yaml").write_text(PROBE.format(targets=targets).replace("kind: http", f"kind: {kind}"))
    return folder


def test_the_shipped_files_come_over_as_they_were_read() -> None:
    environ = {**os.environ, "FOREWARN_PORT": "8420"}
    assert loading.load_apart(shipped(), NOW, environ) == load(shipped(), PROBERS, NOW, environ)


def test_every_problem_comes_over(tmp_path: Path) -> None:
    folder = written(tmp_path, 2, kind="htttp")
    (folder / "config" / "services.yaml").write_text("services: {shop: {colour: 3}}\n")
    with pytest.raises(ConfigError) as here:
        load(folder, PROBERS, NOW, os.environ)
    with pytest.raises(ConfigError) as apart:
        loading.load_apart(folder, NOW, os.environ)
    assert len(here.value.problems) > 1
    assert (apart.value.problems, apart.value.files) == (here.value.problems, here.value.files)


def test_what_is_filled_in_is_the_environment_that_was_given(tmp_path: Path) -> None:
    folder = written(tmp_path, 1)
    path = folder / "probes" / "shop.yaml"
    path.write_text(path.read_text().replace("127.0.0.1", "${SHOP}"))
    found = loading.load_apart(folder, NOW, {**os.environ, "SHOP": "10.0.0.9"})
    assert found.probes["shop"].targets[0].address == "http://10.0.0.9:1/0"


def test_where_no_other_process_can_be_had_the_files_are_read_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = written(tmp_path, 3)
    apart = loading.load_apart(folder, NOW, os.environ)
    for nothing_comes in ("/no/such/python", "/bin/false"):
        monkeypatch.setattr(sys, "executable", nothing_comes)
        assert loading.load_apart(folder, NOW, os.environ) == apart


def test_a_text_that_many_probes_share_is_handed_over_once(tmp_path: Path) -> None:
    folder = written(tmp_path, 1)
    text = (folder / "probes" / "shop.yaml").read_text()
    for at in range(50):
        (folder / "probes" / f"shop{at}.yaml").write_text(text.replace("probe: shop", f"probe: shop{at}"))
    settings = load(folder, PROBERS, NOW, os.environ)
    pipe = io.BytesIO()
    loading._write(settings, pipe)
    alone = sum(len(pickle.dumps(probe)) for probe in settings.probes.values())
    together = len(pipe.getvalue()) - len(pickle.dumps(replace(settings, probes={})))
    assert together < 0.7 * alone
    pipe.seek(0)
    assert loading._read(pipe) == settings


def test_the_daemon_has_neither_parser_nor_checked_models_nor_pages() -> None:
    """In a process of its own, since this one has all of them."""
    code = (
        "import sys, forewarn.app.daemon, forewarn.app.loading as one\n"
        "from datetime import datetime, UTC; from pathlib import Path; import os\n"
        f"one.load_apart(Path({str(shipped())!r}), datetime.now(UTC), os.environ)\n"
        "print(*(m for m in sys.modules if m in ('yaml', 'jinja2', 'forewarn.config.load', 'forewarn.web.app')))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout.strip() == ""
