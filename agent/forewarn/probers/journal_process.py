"""journalctl as a process of ours, line by line: started, watched, ended. It waits while we are busy: its pipe is full then."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Sequence
from contextlib import suppress

from forewarn.probers.reasons import Failure, Reason, unknown
from forewarn.reach.local import KEPT

LONGEST_LINE = 8 * 1024**2
"""Bytes of one entry; one that is longer is skipped."""
BATCH, BATCH_S = 1000, 0.05
"""So many entries, or those of so many seconds, are handled together."""
HINT = "add the user that Forewarn runs as to the group systemd-journal, then restart it"


class Journalctl:
    """`lines` until its end; then `failure` says why, where there is a reason. Always `stop` it."""

    def __init__(self, argv: Sequence[str]) -> None:
        self._argv = argv
        self._process: asyncio.subprocess.Process | None = None
        self._said = ""
        self._reading: asyncio.Task[None] | None = None

    async def start(self) -> Failure | None:
        """Why it could not be started."""
        env = {name: value for name, value in os.environ.items() if name in KEPT}
        try:
            self._process = await asyncio.create_subprocess_exec(
                *self._argv,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=asyncio.subprocess.PIPE,
                env={**env, "LC_ALL": "C.UTF-8"},
                limit=LONGEST_LINE,
                start_new_session=True,
            )
        except FileNotFoundError:
            return unknown(
                Reason.NO_TOOL, "journalctl is missing: this machine has no systemd journal; follow its logs with kind log"
            )
        except OSError as error:
            return unknown(Reason.NO_TOOL, f"journalctl can't be started: {error.strerror}")
        self._reading = asyncio.create_task(self._listen(), name="journalctl says")
        return None

    async def lines(self, wait_s: float) -> list[bytes] | None:
        """What came: at once if there is something, else after `wait_s` at most (then nothing). None: it has ended."""
        out = self._process.stdout if self._process else None
        if out is None:
            return None
        found: list[bytes] = []
        until = asyncio.get_running_loop().time() + wait_s
        while len(found) < BATCH:
            try:
                async with asyncio.timeout_at(until):
                    line = await out.readline()
            except TimeoutError:
                break
            except ValueError:  # longer than LONGEST_LINE: asyncio has thrown the beginning away, the rest is no entry
                continue
            if not line:
                return found or None
            found.append(line)
            until = min(until, asyncio.get_running_loop().time() + BATCH_S)
        return found

    def failure(self) -> Failure:
        """Why it ended."""
        said = self._said.strip().splitlines()
        text = " ".join(said)
        if (
            "insufficient permissions" in text.lower()
            or "permission denied" in text.lower()
            or "not seeing messages" in text.lower()
        ):
            return unknown(Reason.PERMISSION, f"the journal may not be read: {HINT}")
        if "cursor" in text.lower():
            return unknown(Reason.CONFIG, f"journalctl refuses the place where we stopped ({said[-1]})")
        if "no such file" in text.lower() or "no journal files" in text.lower():
            return unknown(Reason.MISSING, f"there is no journal: {said[-1]}")
        code = self._process.returncode if self._process else None
        return unknown(Reason.UNDECIDED, f"journalctl ended ({code}): {said[-1] if said else 'it said nothing'}")

    @property
    def blind(self) -> bool:
        """Whether it has said that it does not see everything."""
        return "not seeing messages" in self._said.lower() or "insufficient permissions" in self._said.lower()

    async def stop(self) -> None:
        """End it, whatever it does."""
        process = self._process
        if process is None:
            return
        if process.returncode is None:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        await process.wait()
        if self._reading:
            self._reading.cancel()
            await asyncio.gather(self._reading, return_exceptions=True)
        transport = getattr(process, "_transport", None)
        if transport is not None:
            transport.close()

    async def _listen(self) -> None:
        err = self._process.stderr if self._process else None
        while err is not None and (data := await err.read(4096)):
            self._said = (self._said + data.decode("utf-8", "replace"))[-4096:]
