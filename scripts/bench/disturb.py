"""What else a daemon does while it probes: it reads its files again, shows everything, and makes a report; again and again."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path

from tools import ROOT

WORK = (("reload",), ("status", "--json"), ("report",))


class Disturbance:
    """Runs until `stop`, one command after the other with a pause in between; `done` counts them."""

    def __init__(self, folder: Path, pause_s: float = 1.0) -> None:
        self._folder, self._pause_s = folder, pause_s
        self._over = threading.Event()
        self.done = 0
        self._thread = threading.Thread(target=self._run, name="disturb", daemon=True)
        self._thread.start()

    def stop(self) -> int:
        """Answers how many commands came to a good end."""
        self._over.set()
        self._thread.join(60)
        return self.done

    def _run(self) -> None:
        env = {**os.environ, "PYTHONPATH": str(ROOT / "agent")}
        base = [sys.executable, "-m", "forewarn", "--config", str(self._folder), "--state", str(self._folder / "state")]
        at = 0
        while not self._over.wait(self._pause_s):
            ended = subprocess.run([*base, *WORK[at % len(WORK)]], env=env, capture_output=True, timeout=120, check=False)
            self.done += ended.returncode in (0, 1)
            at += 1
