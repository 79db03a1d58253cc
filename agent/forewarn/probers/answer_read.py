"""Reads one HTTP/1.1 answer from its bytes, within bounds; judges it as libcurl does and speaks of it in its codes.

Source: RFC 9112 (message syntax, 6.3: how long a body is; 7.1: chunks).
"""

from __future__ import annotations

import re

from forewarn.probers.answer import Code
from forewarn.probers.talk import Spoilt

MOST_HEAD = 300 * 1024
"""libcurl's own bound on the headers of an answer."""
MOST_LINE = 16 * 1024
"""Of a chunk's length with its extensions."""
_STATUS = re.compile(rb"HTTP/1\.[01] ([1-5]\d\d)(?: [^\r\n]*)?\r?\n")
_LENGTH = re.compile(rb"\ncontent-length:[ \t]*([^\r\n]*)", re.IGNORECASE)
_CODING = re.compile(rb"\ntransfer-encoding:[ \t]*([^\r\n]*)", re.IGNORECASE)
_END = re.compile(rb"\r?\n\r?\n")
NONE, SIZED, CHUNKED, TO_THE_END = range(4)


class AnswerReader:
    """`head` is status line and headers as they came; `body` is kept only if asked for, `size` counts it all the same."""

    __slots__ = (
        "_buffer", "_chunk", "_how", "_keep", "_left", "_most", "_no_body", "_pieces", "_trailer", "head", "size", "status",
    )  # fmt: skip

    def __init__(self, no_body: bool, keep: bool, most: int) -> None:
        """`no_body`: the request was HEAD. `most`: a larger body is too big."""
        self._no_body, self._keep, self._most = no_body, keep, most
        self._buffer = b""
        self._pieces: list[bytes] = []
        self._how = -1  # the head is not complete
        self._left = self._trailer = 0
        self._chunk = b""
        self.head = b""
        self.size = self.status = 0

    @property
    def body(self) -> bytes:
        return b"".join(self._pieces)

    @property
    def too_big(self) -> bool:
        return self.size > self._most

    def feed(self, data: bytes) -> bool:
        """True when the answer is complete."""
        if self._how < 0:
            data = self._buffer + data if self._buffer else data
            rest = self._usual(data)
            if rest is None:
                rest = self._begins(data)
            if rest is None:
                self._buffer = data
                return False
            data, self._buffer = rest, b""
        if self._how == SIZED:
            return self._sized(data)
        if self._how == CHUNKED:
            return self._chunks(data)
        if self._how == TO_THE_END:
            self._take(data)
            return False
        return True

    def end(self) -> None:
        """The other side has closed."""
        if self._how == TO_THE_END:
            return
        if self._how < 0 and not self._buffer:
            raise Spoilt(Code.NOTHING, "Empty reply from server")
        if self._how < 0 and not self._buffer.startswith(b"HTTP/"):
            raise Spoilt(Code.UNSUPPORTED, "Received HTTP/0.9 when not allowed")
        raise Spoilt(Code.PARTIAL, "the connection was closed before the end")

    def _usual(self, data: bytes) -> bytes | None:
        """The beginning of the body of an answer as most are: 200, one length, all of the head in one piece; else None."""
        at = data.find(b"\r\n\r\n", 0, MOST_HEAD)
        if at < 0 or not data.startswith((b"HTTP/1.1 200 ", b"HTTP/1.0 200 ")) or self._no_body:
            return None
        head = data[:at]
        low = head.lower()
        begin = low.find(b"\ncontent-length:")
        if begin < 0 or b"\ntransfer-encoding:" in low or low.find(b"\ncontent-length:", begin + 1) > 0:
            return None
        length = low[begin + 16 :].split(b"\r", 1)[0].strip()
        if not length.isdigit() or len(length) > 18 or length == b"0":
            return None
        self.head, self.status, self._how, self._left = head, 200, SIZED, int(length)
        return data[at + 4 :]

    def _begins(self, data: bytes) -> bytes | None:
        """The beginning of the body, once the head is complete."""
        while True:
            if not data.startswith(b"HTTP/") and not b"HTTP/".startswith(data[:5]):
                raise Spoilt(Code.UNSUPPORTED, "Received HTTP/0.9 when not allowed")
            at = data.find(b"\r\n\r\n")
            end = at + 4
            if at < 0:
                if len(data) > MOST_HEAD:
                    raise Spoilt(Code.TOO_LARGE, f"more than {MOST_HEAD} bytes of headers")
                found = _END.search(data) if b"\n\n" in data or b"\n\r\n" in data else None
                if found is None:
                    return None
                at, end = found.span()
            if end > MOST_HEAD:
                raise Spoilt(Code.TOO_LARGE, f"more than {MOST_HEAD} bytes of headers")
            line = _STATUS.match(data)
            if line is None:
                raise Spoilt(Code.WEIRD, "Weird server reply")
            self.head, data, self.status = data[:at], data[end:], int(line[1])
            if self.status >= 200:
                self._measure()
                return data
            if not data:  # an interim answer: the real one follows
                return None

    def _measure(self) -> None:
        """How the body ends."""
        if self._no_body or self.status in (204, 304):
            self._how = NONE
            return
        if coding := _CODING.search(self.head):
            if coding[1].strip().lower() != b"chunked":
                raise Spoilt(Code.ENCODING, f"Transfer-Encoding {coding[1][:40].decode('latin-1')} is not asked for")
            self._how = CHUNKED
            return
        lengths = {length.strip() for length in _LENGTH.findall(self.head)}
        if not lengths:
            self._how = TO_THE_END
            return
        length = lengths.pop()
        if lengths or not length.isdigit() or len(length) > 18:
            raise Spoilt(Code.WEIRD, "Invalid Content-Length: value")
        self._how, self._left = SIZED, int(length)

    def _take(self, data: bytes) -> None:
        self.size += len(data)
        if self.size > self._most:
            raise Spoilt(Code.SEND, "the answer is larger than allowed")
        if self._keep and data:
            self._pieces.append(data)

    def _sized(self, data: bytes) -> bool:
        if len(data) > self._left:
            data = data[: self._left]
        self._left -= len(data)
        self._take(data)
        return self._left == 0

    def _chunks(self, data: bytes) -> bool:
        """`_left`: of the present chunk with the line end behind it; 0: a length comes, -1: the trailer."""
        data = self._chunk + data
        while data:
            if self._left > 2:
                piece = data[: self._left - 2]
                self._take(piece)
                self._left -= len(piece)
                data = data[len(piece) :]
                continue
            if self._left > 0:
                if len(data) < 2:
                    break
                if not data.startswith(b"\r\n"):
                    raise Spoilt(Code.RECEIVE, "a chunk does not end where it should")
                self._left, data = 0, data[2:]
                continue
            line, newline, rest = data.partition(b"\n")
            if not newline:
                if len(data) > MOST_LINE:
                    raise Spoilt(Code.RECEIVE, "a chunk's length is too long")
                break
            data = rest
            line = line.strip()
            if self._left < 0:
                if not line:
                    return True
                self._trailer += len(line)
                if self._trailer > MOST_HEAD:
                    raise Spoilt(Code.TOO_LARGE, f"more than {MOST_HEAD} bytes of trailers")
                continue
            digits = line.split(b";")[0].strip()
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,15}", digits):
                raise Spoilt(Code.RECEIVE, "a chunk has no length")
            length = int(digits, 16)
            self._left = length + 2 if length else -1
        self._chunk = data
        return False
