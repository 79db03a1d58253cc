"""The demo that is told to stop leaves nothing running behind, whenever the signal comes."""

from __future__ import annotations

import signal
import subprocess
import sys
import time

import psutil
import pytest

PATIENCE_S = 60.0


def descendants(pid: int, atleast: int) -> list[psutil.Process]:
    end = time.monotonic() + PATIENCE_S
    while len(found := psutil.Process(pid).children(recursive=True)) < atleast:
        assert time.monotonic() < end, "the demo starts nothing"
        time.sleep(0.02)
    return found


@pytest.mark.parametrize(
    ("how", "parts", "once", "code"),
    [(signal.SIGTERM, 4, False, 0), (signal.SIGTERM, 1, True, 1), (signal.SIGHUP, 4, True, 1)],
    ids=["told to stop", "while it starts its parts", "the terminal is gone"],
)
def test_what_the_demo_started_ends_with_it(how, parts, once, code, tmp_path):
    argv = [sys.executable, "-m", "forewarn", "demo", *(["--once"] if once else [])]
    with (tmp_path / "out").open("w+") as out:
        demo = subprocess.Popen(argv, stdout=out, stderr=out, env=None)
        try:
            children = descendants(demo.pid, parts)
            demo.send_signal(how)
            demo.send_signal(how)  # impatient people
            assert demo.wait(PATIENCE_S) == code
            _, left = psutil.wait_procs(children, timeout=5)
            assert left == []
        finally:
            demo.kill()
            demo.wait()
        out.seek(0)
        said = out.read()
    assert said.endswith("stopped; everything that the demo started has ended\n"), said
    assert "Traceback" not in said
