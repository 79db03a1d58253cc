"""A host over SSH as a Machine.

SSH hands a command to the account's login shell as one text; there is no way around that shell. So every argument is
quoted (shlex), and the shell passes it on as it was written: nobody's value is ever read as a command.
"""

from __future__ import annotations

import secrets
import shlex
import signal
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from forewarn.reach.connection import Connection
from forewarn.reach.local import CannotRun, Ran, text_of
from forewarn.reach.machine import READ_CAP_BYTES, CannotReach

if TYPE_CHECKING:
    from forewarn.reach.far_files import FarFiles

ALL_FILES_BYTES = 16 * READ_CAP_BYTES
"""The most that one `read` takes of all files together."""
NOT_THERE, MAY_NOT = 127, 126
"""What a shell answers for a program that is missing, or may not be executed."""
HEAD = 'c=$2; echo "$1"; shift 2; IFS=; for p do shift; set -- "$@" $p; done; LC_ALL=C exec head -v -c "$c" -- "$@"'
"""Prints each file after a line `==> NAME <==`. The names begin with a spelling of `/` that no file's content can know, and
globs are the shell's. Without signs that shells other than sh would read inside single quotes."""


class RemoteMachine:
    """A host. Cheap: all it holds is the name and the connection."""

    def __init__(self, connection: Connection) -> None:
        self.name, self.account = connection.host.name, f"{connection.host.user} on {connection.host.name}"
        self._connection = connection

    async def run(self, argv: Sequence[str], timeout_s: float, cap_bytes: int = 16_384, *, secrets: Sequence[str] = ()) -> Ran:
        if not argv:
            raise CannotRun("there is nothing to run: the argument vector is empty")
        spare = max((len(secret.encode()) for secret in secrets), default=0)
        done = await self._connection.run(shlex.join(argv), timeout_s, cap_bytes + spare)
        pairs = zip(done.kept, done.sizes, strict=True)
        out, err = (text_of(kept, size > cap_bytes, cap_bytes, secrets) for kept, size in pairs)
        if done.code in (NOT_THERE, MAY_NOT) and not done.sizes[0]:
            what = "is missing" if done.code == NOT_THERE else "may not be executed"
            raise CannotRun(f'the program "{argv[0]}" {what} on {self.name}: {" ".join(err.split())[:120]}')
        if done.code is None and not done.timed_out:
            why = f"{argv[0]} ended on {self.name} without an exit status: a signal ended it, or sshd cut it off"
            raise CannotReach("undecided", why, begun=True)
        code = -signal.SIGKILL if done.code is None else done.code
        return Ran(code, out, err, max(done.sizes) > cap_bytes, done.timed_out)

    async def read(self, paths: Sequence[str], timeout_s: float, cap_bytes: int = READ_CAP_BYTES) -> Mapping[str, bytes]:
        mark = _mark()
        argv = ["sh", "-c", HEAD, "forewarn", mark, str(cap_bytes), *(mark + path for path in paths)]
        done = await self._connection.run(shlex.join(argv), timeout_s, ALL_FILES_BYTES)
        if done.timed_out:
            raise TimeoutError(f"reading files of {self.name} took longer than {timeout_s:g} s")
        out, err = done.kept
        if not out.startswith(mark.encode() + b"\n") or done.code in (NOT_THERE, MAY_NOT):
            raise CannotRun(f"files of {self.name} can't be read, which needs sh and head there: {_line(err or out)}")
        return parted(out, err, mark)

    async def files(self, timeout_s: float) -> FarFiles:
        return await self._connection.files(timeout_s)


def _mark() -> str:
    """A spelling of `/` that can't be guessed: one of 2^64 rows of `/` and `/.`."""
    return "".join("/." if bit == "1" else "/" for bit in f"{secrets.randbits(64):064b}")


def parted(out: bytes, err: bytes, mark: str) -> dict[str, bytes]:
    """What `head -v` printed, by file; a file that it could open and not read is left out."""
    found: dict[str, bytes] = {}
    begin = b"==> " + mark.encode()
    for part in (b"\n" + out.partition(b"\n")[2]).split(b"\n" + begin)[1:]:
        name, sep, content = part.partition(b" <==\n")
        if sep and mark.encode() + name not in err:
            found[name.decode("utf-8", "surrogateescape")] = content
    return found


def _line(text: bytes) -> str:
    return " ".join(text.decode("utf-8", "replace").split())[:120] or "it says nothing"
