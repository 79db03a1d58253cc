"""A real name server whose answer holds a thousand addresses; what may be shown in one process is in test_names.py."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from forewarn.probers.names import MOST_ADDRESSES

HERE = Path(__file__).parent


def test_a_thousand_addresses_in_one_answer_are_bounded_and_the_target_is_reached(tmp_path: Path) -> None:
    unshare = shutil.which("unshare")
    apart = [str(unshare), "--mount", "--net"]
    if unshare is None or subprocess.run([*apart, "true"], capture_output=True, check=False).returncode:
        pytest.skip("a network of its own needs unshare and the right to use it")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(HERE), str(HERE.parents[1] / "agent")])}
    ended = subprocess.run(
        [*apart, sys.executable, str(HERE / "many_addresses.py"), str(tmp_path)],
        env=env, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    told = json.loads(ended.stdout)
    assert told["answered"] == 1000, "the answer is as large as it should be"
    assert told["kept"] == MOST_ADDRESSES and told["outcome"] == "up", told
    assert told["values"]["resolve_s"] > 0 and told["values"]["status"] == 200.0
