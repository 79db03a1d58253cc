"""Reading an answer from its bytes: however it is cut into pieces, the same comes out; and what is none says why."""

from __future__ import annotations

import pytest

from forewarn.probers.answer import Code
from forewarn.probers.answer_read import MOST_HEAD, AnswerReader
from forewarn.probers.talk import Spoilt

CHUNKED = (
    b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5;x=1\r\nhello\r\n1\r\n \r\n5\r\nworld\r\n0\r\nX-Trailer: 1\r\n\r\n"
)


def read(*pieces: bytes, no_body: bool = False, most: int = 1000) -> AnswerReader:
    reader = AnswerReader(no_body, True, most)
    if not any([reader.feed(piece) for piece in pieces]):  # noqa: C419 - all of them
        reader.end()
    return reader


@pytest.mark.parametrize(
    ("raw", "status", "body"),
    [
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello", 200, b"hello"),
        (b"HTTP/1.1 200 OK\r\ncontent-LENGTH:5 \r\nX: y\r\n\r\nhello and more", 200, b"hello"),
        (b"HTTP/1.0 404 No\r\n\r\nuntil it closes", 404, b"until it closes"),
        (b"HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", 200, b""),
        (b"HTTP/1.1 204 None\r\nContent-Length: 7\r\n\r\n", 204, b""),
        (
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Hints\r\nLink: x\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
            200,
            b"ok",
        ),
        (b"HTTP/1.1 200 OK\nContent-Length: 2\n\nok", 200, b"ok"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 2\r\n\r\nok", 200, b"ok"),
        (CHUNKED, 200, b"hello world"),
    ],
)
def test_an_answer_in_whatever_pieces(raw: bytes, status: int, body: bytes) -> None:
    for cut in (len(raw), 1, 2, 3, 7, 40):
        reader = read(*(raw[at : at + cut] for at in range(0, len(raw), cut)))
        assert (reader.status, reader.body, reader.size) == (status, body, len(body)), cut


def test_an_answer_to_head_has_no_body() -> None:
    assert read(b"HTTP/1.1 200 OK\r\nContent-Length: 5000\r\n\r\n", no_body=True).size == 0


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (b"", Code.NOTHING),
        (b"SSH-2.0-x\r\n", Code.UNSUPPORTED),
        (b"HT", Code.UNSUPPORTED),
        (b"HTTP/1.1 200 OK\r\n", Code.PARTIAL),
        (b"HTTP/1.1 2000 OK\r\n\r\n", Code.WEIRD),
        (b"HTTP/9 200 OK\r\n\r\n", Code.WEIRD),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nabc", Code.PARTIAL),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\nabc", Code.WEIRD),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nabc", Code.WEIRD),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc", Code.ENCODING),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", Code.RECEIVE),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd", Code.RECEIVE),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"0" * 20000, Code.RECEIVE),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab", Code.PARTIAL),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"X: yyyyyy\r\n" * 40000, Code.TOO_LARGE),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * (MOST_HEAD // 6), Code.TOO_LARGE),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n" + b"x" * 1001, Code.SEND),
    ],
)
def test_what_is_no_answer(raw: bytes, code: Code) -> None:
    with pytest.raises(Spoilt) as spoilt:
        read(raw)
    assert spoilt.value.code == code
