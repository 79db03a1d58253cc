"""A machine of texts: what another host would answer, at the outermost edge. Files by path, programs by their argument vector."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

from forewarn.reach.local import CannotRun, Ran


class MadeMachine:
    """`files`: path -> text. `says`: the beginning of an argument vector -> (exit, out); a program that is not there can't be
    run. `hangs`: argument vectors that hold one of these words do not end in time."""

    def __init__(self, files: Mapping[str, str], says: Mapping[str, tuple[int, str]] | None = None, name: str = "web-1") -> None:
        self.files, self.says, self.name = dict(files), dict(says or {}), name
        self.hangs: set[str] = set()
        self.ran: list[str] = []
        self.reads = 0
        self.account = "forewarn"

    async def run(self, argv: Sequence[str], timeout_s: float, cap_bytes: int = 16_384, *, secrets: Sequence[str] = ()) -> Ran:
        text = " ".join(argv)
        self.ran.append(text)
        if self.hangs & set(argv):
            return Ran(-9, "", "", False, True)
        for begins, (code, out) in self.says.items():
            if text.startswith(begins):
                return Ran(code, out, "", False, False)
        raise CannotRun(f'the program "{argv[0]}" is missing')

    async def read(self, paths: Sequence[str], timeout_s: float, cap_bytes: int = 1_048_576) -> Mapping[str, bytes]:
        self.reads += 1
        wanted = {
            path for path in self.files for given in paths if fnmatchcase(path, given) and path.count("/") == given.count("/")
        }
        return {path: self.files[path].encode()[:cap_bytes] for path in sorted(wanted)}
