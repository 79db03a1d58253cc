"""The one folder that holds everything a daemon remembers: ledger, samples, API token, and the lock that makes it the only one.

The lock is an flock on the file `lock`; the kernel drops it when the process ends in whatever way, so nothing is ever
left behind that somebody would have to remove by hand. The file keeps the process id, for the message to the second.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import secrets
import stat
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Self

from forewarn.model.errors import Busy, NotFound, StoreError
from forewarn.model.map import Secret

VARIABLE = "FOREWARN_STATE"


class StateFolder:
    """Where things lie in a state folder. Naming one touches nothing: `own` makes and locks it, for the daemon."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock: int | None = None

    @classmethod
    def named(cls, environ: Mapping[str, str]) -> StateFolder:
        """The folder that $FOREWARN_STATE names, else ./var."""
        return cls(Path(environ.get(VARIABLE) or "var"))

    @property
    def ledger(self) -> Path:
        return self.path / "ledger.db"

    @property
    def samples(self) -> Path:
        return self.path / "samples.db"

    @property
    def token_file(self) -> Path:
        return self.path / "token"

    @property
    def ballast(self) -> Path:
        return self.path / "ballast"

    @property
    def lock_file(self) -> Path:
        return self.path / "lock"

    @property
    def shown(self) -> str:
        """The path as people would type it: ./var rather than var."""
        text = str(self.path)
        return text if text.startswith(("/", ".")) else f"./{text}"

    def address(self) -> tuple[str, int] | None:
        """Where the daemon of this folder listens, if the process that wrote it down is still there."""
        try:
            told = json.loads((self.path / "daemon.json").read_text("utf-8"))
            host, port, pid = str(told["host"]), int(told["port"]), int(told["pid"])
        except (OSError, ValueError, KeyError, TypeError):
            return None
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return None
        except PermissionError:
            return host, port  # it belongs to another user, so it is there
        return host, port

    def own(self) -> Self:
        """Make the folder (0700) and its token where they are missing, and keep every other daemon off until `close`.

        Raises Busy if another process has it, StoreError if it can't be written.
        """
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(self.lock_file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
            self._take_lock(self._lock)
            self._make_token()
        except OSError as error:
            self.close()
            raise StoreError(
                f"{self.shown} can't hold forewarn's state ({error.strerror}: {error.filename or self.lock_file}); "
                f"give it to the user that runs forewarn, or set {VARIABLE} to another folder",
                full=error.errno == errno.ENOSPC,
            ) from error
        except BaseException:
            self.close()
            raise
        return self

    def _take_lock(self, lock: int) -> None:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pid = os.pread(lock, 20, 0).decode("ascii", "replace").strip()
            who = f"another forewarn (pid {pid})" if pid else "another forewarn"
            raise Busy(f"{who} uses {self.shown}; stop it or set {VARIABLE}") from None
        os.ftruncate(lock, 0)
        os.pwrite(lock, f"{os.getpid()}\n".encode("ascii"), 0)

    def _make_token(self) -> None:
        """Keep the token that is there; else write one whole, or not at all."""
        with suppress(FileNotFoundError):
            if self.token_file.read_bytes().strip():
                if stat.S_IMODE(self.token_file.stat().st_mode) != 0o600:
                    self.token_file.chmod(0o600)
                return
        fresh = self.path / "token.new"
        fresh.unlink(missing_ok=True)
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as out:
            out.write(secrets.token_urlsafe(32) + "\n")
        fresh.replace(self.token_file)

    def token(self) -> Secret:
        """What `Authorization: Bearer` must carry. Raises NotFound before the first start, StoreError if it can't be read."""
        try:
            return Secret(self.token_file.read_text("ascii").strip())
        except FileNotFoundError:
            raise NotFound(f"{self.shown} has no token yet; start forewarn once, or set {VARIABLE} to its folder") from None
        except (OSError, UnicodeDecodeError) as error:
            raise StoreError(f"{self.shown}/token can't be read ({error}); run as the user that runs forewarn") from error

    def close(self) -> None:
        """Let another daemon have it."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None
