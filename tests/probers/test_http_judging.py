"""Judging answers, without a network: conditions, paths, phases, and the reasons of broken exchanges."""

from __future__ import annotations

import errno

import pytest
from probing import probe
from pydantic import ValidationError

from forewarn.probers.answer import Answer, Broken, Code, Phases, Times, bare, explain, split
from forewarn.probers.expect import Condition, Expect, judge_status
from forewarn.probers.http import HttpOptions, judge
from forewarn.probers.jsonpath import MISSING, find, parse_path

DOC = {"a": {"b": [1, {"c": "x"}]}, "odd key": True, "0": "zero", "list": [[7]], "none": None}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("$", DOC),
        ("$.a.b[0]", 1),
        ("$.a.b[1].c", "x"),
        ("$.a.b[-1].c", "x"),
        ("$['odd key']", True),
        ('$["odd key"]', True),
        ("$.0", "zero"),
        ("$.list[0][0]", 7),
        ("$.none", None),
        ("$.a.b[2]", MISSING),
        ("$.a.b[-3]", MISSING),
        ("$.a.x", MISSING),
        ("$.a[0]", MISSING),
        ("$.none.x", MISSING),
    ],
)
def test_paths(path: str, value: object) -> None:
    assert find(DOC, parse_path(path)) == value


@pytest.mark.parametrize("path", ["", "a.b", "$a", "$.", "$..a", "$.a[", "$.a[x]", "$.a b", "$[*]", "$.a["])
def test_paths_that_are_none(path: str) -> None:
    with pytest.raises(ValueError, match="write"):
        parse_path(path)


@pytest.mark.parametrize(
    ("given", "value", "holds"),
    [
        ("ok", "ok", True),
        ("ok", "OK", False),
        (5, 5.0, True),
        (1, True, False),
        (True, True, True),
        (True, 1, False),
        (None, None, True),
        (None, MISSING, False),
        ("5", 5, False),
        ("< 500", 499.9, True),
        ("<500", 500, False),
        ("<= 5", 5, True),
        (">= 5", 4, False),
        ("> 1", True, False),
        ("> 1", "2", False),
        ("> 1", float("inf"), False),
        ("!= off", "on", True),
        ("!= off", "off", False),
        ("!= off", MISSING, False),
        ("!= 3", 3, False),
        ("~ ^v2\\.", "v2.1", True),
        ("~ ^v2\\.", "v3", False),
        ("~ .", MISSING, False),
        ("~ tru", True, True),
        ("<b>bold</b>", "<b>bold</b>", None),
    ],
)
def test_conditions(given: object, value: object, holds: bool | None) -> None:
    if holds is None:
        with pytest.raises(ValueError, match="after < or > stands a number"):
            Condition.parse(given)
    else:
        assert Condition.parse(given).holds(value) is holds


@pytest.mark.parametrize(
    ("given", "status", "good"),
    [(200, 200, True), (200, 204, False), ("2xx", 204, True), ("2xx", 301, False), ([200, "3xx"], 302, True), ([200, "3xx"], 404, False)],
)  # fmt: skip
def test_statuses(given: object, status: int, good: bool) -> None:
    assert (judge_status(status, Expect(status=given).status, None) is None) is good


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"expect": {"status": 99}}, '"99" is not a status; write 200 or 2xx'),
        ({"expect": {"status": []}}, "is not a status"),
        ({"expect": {"json": {"a": 1}}}, '"a" is not a path; write $.a'),
        ({"expect": {"json": {"$.a": "< many"}}}, "after < or > stands a number"),
        ({"expect": {"json": {"$.a": "~ (?=x)"}}}, "look-around is not taken"),
        ({"expect": {"body": "~ (a)\\1"}}, "back-references are not taken"),
        ({"expect": {"headers": {"A": "~ ["}}}, "is not a pattern"),
        ({"values": {"Orders": "$.a"}}, "is not a series name"),
        ({"values": {"total_s": "$.a"}}, "is measured by the probe itself"),
        ({"values": {"n": "a"}}, "is not a path"),
        ({"headers": {"A B": "x"}}, "is not a header name"),
        ({"headers": {"A": "x\r\nEvil: 1"}}, "holds a line break"),
        ({"max_body": "5 apples"}, '"5 apples" is not a size; write 64kB or 1MiB'),
        ({"max_body": "1GiB"}, "less than or equal"),
        ({"redirects": 6}, "less than or equal to 5"),
        ({"basic": {"user": "a", "password_file": "x"}, "bearer_file": "y"}, "exclude each other"),
        ({"expct": {}}, "expct"),
    ],
)
def test_options_that_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError) as caught:
        HttpOptions.model_validate(options)
    assert said in str(caught.value)


def test_a_pattern_that_would_backtrack_is_matched_in_no_time() -> None:
    options = HttpOptions.model_validate({"expect": {"body": "~ ^(a+)+$"}})
    failure, _, _ = judge(options, answer(b"a" * 100_000 + b"!"))
    assert failure and failure.reason == "body"


def answer(body: bytes, **more: object) -> Answer:
    return Answer(status=200, phases=Phases(0, 0, None, 0, 0), size_bytes=len(body), body=body, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"[" * 100_000, "the JSON of the answer is nested too deeply"),
        (b'{"a": ' + b"9" * 5000 + b"}", "the answer is not JSON (a number is too long)"),
        (b"", "the answer is not JSON (Expecting value); it is empty"),
        (b"\xff\xfe", "the answer is not JSON"),
        (b'{"a": "' + b"x" * 500 + b'"}', '$.a is "' + "x" * 76 + '..., expected "y"'),
    ],
)
def test_bad_json_is_said_shortly(body: bytes, said: str) -> None:
    failure, _, _ = judge(HttpOptions.model_validate({"expect": {"json": {"$.a": "y"}}}), answer(body))
    assert failure and failure.reason == "json"
    assert failure.detail.startswith(said)


def test_a_page_in_another_charset() -> None:
    options = HttpOptions.model_validate({"expect": {"body": "正常"}})
    assert judge(options, answer("服务正常".encode("gb18030"), charset="gb18030"))[0] is None
    assert judge(options, answer("服务正常".encode(), charset="no-such"))[0] is None
    assert judge(options, answer("服务正常".encode("gb18030")))[0] is not None


def test_phases_are_each_ones_own() -> None:
    plain = split(Times(resolved=1000, connected=3000, tls_done=0, sent=3100, first_byte=10_000, total=12_000))
    assert plain == Phases(0.001, 0.002, None, 0.007, 0.012)
    secure = split(Times(resolved=1000, connected=3000, tls_done=8000, sent=8000, first_byte=10_000, total=12_000))
    assert secure == Phases(0.001, 0.002, 0.005, 0.002, 0.012)
    # http, then by redirect https: each figure is the sum of both legs, and only the second leg has TLS
    mixed = split(Times(resolved=200, connected=1000 + 2000, tls_done=7000, sent=1000 + 7000, first_byte=4000 + 9000, total=14_000))
    assert mixed.tls_s == pytest.approx(0.005)
    assert mixed.first_byte_s == pytest.approx(0.005)


NONE = Times(0, 0, 0, 0, 0, 0)
CONNECTED = Times(10, 20, 0, 20, 0, 30)


@pytest.mark.parametrize(
    ("code", "number", "times", "outcome", "reason"),
    [
        (Code.CONNECT, errno.ECONNREFUSED, NONE, "down", "refused"),
        (Code.CONNECT, errno.EHOSTUNREACH, NONE, "down", "unreachable"),
        (Code.CONNECT, errno.ETIMEDOUT, NONE, "down", "timeout"),
        (Code.CONNECT, errno.ECONNRESET, NONE, "down", "reset"),
        (Code.CONNECT, errno.ENETUNREACH, NONE, "unknown", "no_network"),
        (Code.CONNECT, errno.EMFILE, NONE, "unknown", "no_network"),
        (Code.CONNECT, errno.EPERM, NONE, "unknown", "permission"),
        (Code.RESOLVE, 0, NONE, "down", "resolve"),
        (Code.TIMED_OUT, 0, NONE, "down", "resolve"),
        (Code.TIMED_OUT, 0, CONNECTED, "down", "timeout"),
        (Code.URL, 0, NONE, "unknown", "config"),
        (Code.URL, 0, CONNECTED, "down", "protocol"),
        (Code.UNSUPPORTED, 0, CONNECTED, "down", "protocol"),
        (Code.TLS, errno.ECONNRESET, CONNECTED, "down", "reset"),
        (Code.TLS, 0, CONNECTED, "down", "tls"),
        (Code.UNTRUSTED, 0, CONNECTED, "down", "tls"),
        (Code.CA_FILE, 0, CONNECTED, "unknown", "missing"),
        (Code.TOO_LARGE, 0, CONNECTED, "down", "too_big"),
        (Code.SEND, errno.EPIPE, CONNECTED, "down", "reset"),
        (2, 0, NONE, "unknown", "bug"),
    ],
)
def test_whose_fault_it_is(code: int, number: int, times: Times, outcome: str, reason: str) -> None:
    broken = Broken(
        url="https://me:secret@h.example:8443/x?t=1", code=code, message="words", os_errno=number, times=times,
        size_bytes=0, timeout_s=3, max_body=1,
    )  # fmt: skip
    failure = explain(broken)
    assert (failure.outcome, failure.reason) == (outcome, reason)
    assert "secret" not in failure.detail and "t=1" not in failure.detail


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://a:b@h.example/p?q=1#f", "https://h.example/p"),
        ("https://h.example", "https://h.example"),
        ("https://h.example/a@b", "https://h.example/a@b"),
    ],
)
def test_bare_addresses(url: str, shown: str) -> None:
    assert bare(url) == shown


def test_equal_options_are_equal() -> None:
    one, two = (probe("http", "http://x/", expect={"json": {"$.a": "~ b"}}) for _ in range(2))
    assert one.options.expect.json_conditions and one == two, "what was worked out for use must not make a reload see a change"
