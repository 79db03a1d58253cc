"""A rotated log that was compressed meanwhile, read as it was before: forward only, in bounded memory."""

from __future__ import annotations

import bz2
import gzip
import lzma
from typing import Any

PACKED = (".gz", ".xz", ".bz2", ".zst", ".zip", ".lz4")
"""What old logs end in that are not read as they are."""
READABLE = (".gz", ".xz", ".bz2", ".zst")
HEAD = 4096
MOST = 4 * 1024**3
"""Bytes that are unpacked of one file; what claims to hold more is cut there."""
STEP = 256 * 1024


class PackedSource:
    """Like a file, for one that asks with growing offsets; the first bytes can be asked for always."""

    def __init__(self, path: str, file: Any = None) -> None:
        """`file`: where it is read from, if not from this machine's `path`; it is closed with this."""
        self._file, self._stream = file, _opened(path, file or path)
        self._window, self._at, self._ended = b"", 0, False
        self._head = b""
        self._fill(HEAD)
        self._head = self._window[:HEAD]

    def size(self) -> int:
        """So far: one more than is known until the end is."""
        return self._at + len(self._window) + (not self._ended)

    def read(self, size: int, offset: int) -> bytes:
        if offset < self._at:
            return self._head[offset : offset + size]
        while offset > self._at:  # up to where we were, window by window
            self._fill(1)
            gone = min(offset - self._at, len(self._window))
            if not gone:
                return b""
            self._window, self._at = self._window[gone:], self._at + gone
        self._fill(size)
        return self._window[:size]

    def close(self) -> None:
        self._stream.close()
        if self._file:
            self._file.close()

    def _fill(self, wanted: int) -> None:
        while len(self._window) < wanted and not self._ended:
            try:
                data = self._stream.read(max(STEP, wanted))
            except (EOFError, OSError, lzma.LZMAError, ValueError) as error:
                raise OSError(5, f"it can't be unpacked ({error})") from error
            self._ended = not data or self._at + len(self._window) >= MOST
            self._window += data


def _opened(path: str, file: Any) -> Any:
    if path.endswith(".gz"):
        return gzip.open(file, "rb")
    if path.endswith(".bz2"):
        return bz2.open(file, "rb")
    if path.endswith(".xz"):
        return lzma.open(file, "rb")
    import zstandard

    return zstandard.open(file, "rb")
