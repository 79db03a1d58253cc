"""YAML 1.2 with lines, and files that can't be read."""

from __future__ import annotations

import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forewarn.config.files import LARGEST, Document, read, scalar
from forewarn.model.errors import Problem
from forewarn.model.probe import Source

CORE = [  # https://yaml.org/spec/1.2.2/#1032-tag-resolution
    ("", None),
    ("~", None),
    ("null", None),
    ("NULL", None),
    ("nULL", "nULL"),
    ("true", True),
    ("True", True),
    ("FALSE", False),
    ("tRUE", "tRUE"),
    ("on", "on"),
    ("off", "off"),
    ("yes", "yes"),
    ("no", "no"),
    ("y", "y"),
    ("0", 0),
    ("-19", -19),
    ("+12", 12),
    ("0123", 123),
    ("0o17", 15),
    ("0o18", "0o18"),
    ("0x1f", 31),
    ("0x1G", "0x1G"),
    ("0b1", "0b1"),
    ("1_000", "1_000"),
    ("22:00", "22:00"),
    ("1:30:00", "1:30:00"),
    ("2026-01-05", "2026-01-05"),
    ("0.5", 0.5),
    (".5", 0.5),
    ("5.", 5.0),
    ("1e3", 1000.0),
    ("12e03", 12000.0),
    ("-2E+05", -200000.0),
    (".inf", math.inf),
    ("-.INF", -math.inf),
    ("inf", "inf"),
    ("1.2.3", "1.2.3"),
    ("500ms", "500ms"),
    ("90%", "90%"),
    ("-", "-"),
    ("=", "="),
]


@pytest.mark.parametrize(("text", "value"), CORE)
def test_plain_words_by_the_core_schema(text: str, value: object) -> None:
    found = scalar(text)
    assert found == value
    assert type(found) is type(value)


def test_not_a_number_is_one() -> None:
    found = scalar(".NaN")
    assert isinstance(found, float)
    assert math.isnan(found)


def documents(text: str | bytes) -> tuple[list[Document], list[str]]:
    problems: list[Problem] = []
    docs = read(text.encode() if isinstance(text, str) else text, "f.yaml", problems)
    return docs, [str(problem) for problem in problems]


def test_quotes_make_texts_and_keys_are_always_texts() -> None:
    docs, problems = documents("a: '12'\nb: \"on\"\n0123: x\ntrue: y\n5.0: z\n")
    assert docs[0].value == {"a": "12", "b": "on", "0123": "x", "true": "y", "5.0": "z"}
    assert problems == []


def test_every_key_and_value_has_its_line() -> None:
    (doc,), _ = documents("# first\na:\n  - x\n  - b: 1\n    c: {d: 2,\n       e: 3}\n")
    places = {(): 2, ("a",): 2, ("a", 0): 3, ("a", 1): 4, ("a", 1, "c", "d"): 5, ("a", 1, "c", "e"): 6}
    assert {path: doc.at(path).line for path in places} == places
    assert doc.at(("a", 1, "c", "missing")) == Source("f.yaml", 5)


def test_documents_of_one_file_are_apart() -> None:
    docs, _ = documents("a: 1\n---\n# nothing\n---\nb: 2\n...\n")
    assert [(doc.value, doc.at(("b",)).line) for doc in docs] == [({"a": 1}, 1), ({"b": 2}, 5)]


@pytest.mark.parametrize("text", ["", "# only a remark\n", "---\n", "\ufeff"])
def test_nothing_written_is_no_document(text: str) -> None:
    assert documents(text) == ([], [])


def test_a_byte_order_mark_and_windows_line_ends() -> None:
    (doc,), problems = documents(b"\xef\xbb\xbfa: 1\r\nb: 2\r\n")
    assert doc.value == {"a": 1, "b": 2}
    assert doc.at(("b",)).line == 2
    assert problems == []


def test_anchors_give_the_same_value() -> None:
    (doc,), problems = documents("a: &x {k: [1, 2]}\nb: *x\nc: &y text\nd: *y\n*y : e\n")
    assert doc.value == {"a": {"k": [1, 2]}, "b": {"k": [1, 2]}, "c": "text", "d": "text", "text": "e"}
    assert problems == []


BROKEN = [
    ("a: b: c", 'f.yaml:1: a ": " stands where no new key can begin'),
    ("a:\n\t- x", "f.yaml:2: a tab is used for indentation; use spaces"),
    ("x: 1\na: [1, 2", "f.yaml:2: a list that begins with [ is not closed"),
    ('x: 1\na: "x\n\n', "f.yaml:2: a quoted text is not closed"),
    ("x: *u", "f.yaml:1: *u stands for nothing"),
    ("x: &u [*u]", "f.yaml:1: *u stands for nothing"),
    ("a: %x", 'f.yaml:1: a text can\'t begin with "%"; put it in quotes'),
    ("a: @x", 'f.yaml:1: a text can\'t begin with "@"; put it in quotes'),
    ("a: {b: 1", "f.yaml:1: a map that begins with { is not closed"),
    ("b: 1\n\x01", "f.yaml:2: there is a control character (U+0001)"),
    ("a: !!python/object/apply:os.system [id]", "f.yaml:1: the tag "),
    ("a: !secret x", 'f.yaml:1: the tag "!secret" is not taken'),
    ("? [a]\n: b", "f.yaml:1: a key is a map or a list"),
    ("{{ name }}: b", "f.yaml:1: a key is a map or a list"),
    ("a: 1\nb", 'f.yaml:2: a line has no ": " after its key'),
    ("a: 1\nkind http\nb: 2", 'f.yaml:2: a line has no ": " after its key; write key: value, or check the indentation'),
    ("a: 1\n\nkind：http\n\nb: 2", 'f.yaml:3: a line has no ": " after its key; write ": " instead of "："'),
    ("a:\n  - b\n\tc", "f.yaml:3: a tab is used for indentation; use spaces"),
    ('a: "\\d"', "f.yaml:1: there is a backslash inside double quotes"),
    ("[" * 100_000, "f.yaml:1: maps and lists are nested more than 40 deep"),
    ("- " * 300_000, "f.yaml:1: maps and lists are nested more than 40 deep"),
    ("a: &a [1]\n" + "".join(f"b{n}: &b{n} [{','.join(['*b' + str(n - 1) if n else '*a'] * 10)}]\n" for n in range(9)), "f.yaml:"),
]


@pytest.mark.parametrize(("text", "said"), BROKEN, ids=[text[:20] for text, _ in BROKEN])
def test_a_broken_file_says_where_and_in_plain_words(text: str, said: str) -> None:
    docs, problems = documents(text)
    assert docs == []
    assert len(problems) == 1
    assert problems[0].startswith(said)


def test_a_value_is_not_lost_to_a_second_one_of_its_name() -> None:
    (doc,), problems = documents("a: {x: 1}\nb: 2\na: {x: 3, y: 4}\n")
    assert doc.value == {"a": {"x": 1}, "b": 2}
    assert doc.at(("a", "x")).line == 1
    assert problems == ['f.yaml:3 a: "a" is given twice, first in line 1; keep one']


def test_too_large_and_not_text() -> None:
    assert documents(b"#" * (LARGEST + 1)) == ([], ["f.yaml:1: the file has 1.0 MiB; at most 1 MiB is read; split it"])
    assert documents(b"a: 1\nb: \xff\n") == ([], ["f.yaml:2: this is not UTF-8 text; save the file as UTF-8"])


@settings(max_examples=300, deadline=None)
@given(st.text(alphabet=st.sampled_from("ab:-{}[]&*!|>'\"#%@,? \n\t0~<"), max_size=60))
def test_no_text_whatever_raises(text: str) -> None:
    docs, problems = documents(text)
    assert all(doc.value is not None for doc in docs)
    assert all(problem.startswith("f.yaml:") for problem in problems)


@settings(deadline=None)
@given(st.integers())
def test_whole_numbers_of_every_size(number: int) -> None:
    assert scalar(str(number)) == number
