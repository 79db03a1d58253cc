"""Both ways of finding lines answer what the patterns themselves answer, line by line, whatever stands in the block."""

from __future__ import annotations

import random

import pytest
import re2
from hypothesis import example, given, settings
from hypothesis import strategies as st

from forewarn.probers import log_find
from forewarn.probers.log import LogOptions
from forewarn.probers.log_find import WORTH_IT, HyperscanFinder, SetFinder, SparingFinder, finder
from forewarn.probers.log_lines import compiled, match_block
from forewarn.probers.prefilter import Unfit, prefilter

hyperscan = pytest.importorskip("hyperscan", reason="the extra `speed` is not installed")

ATOMS = ["a", "b", "k", "S", "é", "甲", ".", r"\s", r"\S", r"\w", r"\W", r"\d", r"\D", "[^x]", "[ab]", "[^a-k]", r"[^\s:]", " ", ":", "x",
         r"\.", r"\x41", "[[:space:]]", "[[:^alpha:]]", r"\n", r"\t", r"[é甲]", r"\Qa.\E", "[]a]", "[^]a]", r"\x{7532}"]  # fmt: skip
EDGES = ["^", "$", r"\b", r"\B", r"\A", r"\z", ""]
HEADS = ["(?:", "(", "(?P<n>", "(?i:", "(?s:", "(?-s:", "(?m:", "(?U:", "(?is:"]
REPEATS = ["", "", "*", "+", "?", "{2}", "{1,3}", "{0,2}", "{2,}", "*?", "+?", "??"]


def patterns() -> st.SearchStrategy[str]:
    atom = st.sampled_from(ATOMS)

    def sequence(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        piece = st.builds(lambda edge, one, repeat: edge + one + repeat, st.sampled_from(EDGES), inner, st.sampled_from(REPEATS))
        return st.builds(lambda parts, edge: "".join(parts) + edge, st.lists(piece, min_size=1, max_size=4), st.sampled_from(EDGES))

    def group(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        branches = st.lists(sequence(inner), min_size=1, max_size=3).map("|".join)
        return st.builds(lambda head, text: f"{head}{text})", st.sampled_from(HEADS), branches)

    flags = st.sampled_from(["", "", "(?i)", "(?s)", "(?m)", "(?im)"])
    whole = st.lists(sequence(st.recursive(atom, group, max_leaves=4)), min_size=1, max_size=2).map("|".join)
    return st.builds(str.__add__, flags, whole)


TEXT = st.text(st.sampled_from(list("aAbkKsSx :.1\t\n\n\n\r\x0b\x0c\x00é甲\u212a\u017f\ufffd")), max_size=60)


def valid(pattern: str) -> bool:
    try:
        re2.compile(pattern)
    except re2.error:
        return False
    return True


def truth(pattern: str, block: bytes, starts: list[int] | None = None) -> list[int]:
    return [begin for begin, end in log_find.events(block, starts) if re2.search(pattern, block[begin:end].decode()) is not None]


def confirmed(found: log_find.Hits, pattern: str, block: bytes) -> list[int]:
    return [begin for begin, end, places in found if 0 in places and re2.search(pattern, block[begin:end].decode()) is not None]


@settings(max_examples=300, deadline=None)
@given(patterns(), TEXT)
@example(r"(?i)\bkS\b", "\u212a\u017f\n")
@example(r"a\s+b", "a\nb\na b\n")
@example(r"(?s)a.*b", "a\n\nb\naxb\n")
@example(r"[^x]+:", "a\n:\n")
@example(r"a\Sb", "a\x0bb\n")
@example(r"aé?x", "ax\n")
@example(r"(?:^|:)a$", "xa\na\n")
def test_whatever_a_pattern_matches_is_found(pattern: str, text: str) -> None:
    if not valid(pattern):
        return
    block = (text + "\n").encode()
    wanted = truth(pattern, block)
    fast, slow = finder([pattern]), SetFinder([pattern])
    assert confirmed(fast.hits(block), pattern, block) == wanted, f"by {type(fast).__name__}"
    assert confirmed(slow.hits(block), pattern, block) == wanted
    begins = [begin for begin, _ in log_find.events(block, None)]
    starts = [0, *begins[2::2]]
    wanted = truth(pattern, block, starts)
    assert confirmed(fast.hits(block, starts), pattern, block) == wanted, "of events of several lines"
    assert confirmed(slow.hits(block, starts), pattern, block) == wanted


WORDS = [
    "error",
    "ERROR",
    "no error",
    "tenant=a",
    "tenant=甲乙",
    "took 12ms",
    "took 7 s",
    "\tat x.y",
    "status=500",
    "code",
    "\x0b",
    "x" * 300,
]
PATTERNS = {
    "errors": {"match": r"(?i)\berror\b.*tenant=(?P<tenant>\S+)", "unless": "(?i)no error"},
    "slow": r"took (?P<n>\d+)\s*(?P<unit>\w+)",
    "status": r"status=5\d\d$",
    "any": r"x*",
    "han": r"\p{Han}+",
    "end": r"ms\z",
    "begin": r"\Aerror",
    "no_x": r"^[^x]+$",
    "space": r"r\s+\S",
}


def both_ways(block: bytes, starts: list[int] | None) -> tuple[object, object]:
    options = LogOptions.model_validate({"files": "/x", "patterns": PATTERNS})
    texts = [one.match or "" for one in options.patterns.values()]
    made, quick = compiled(options), SparingFinder(texts, worth_it=1)
    fast, slow = (type(made)(by, made.each, made.more) for by in (quick, SetFinder(texts)))
    found = match_block(fast, block, starts), match_block(slow, block, starts)
    assert isinstance(quick.by, HyperscanFinder)
    return found


@pytest.mark.parametrize("seed", range(20))
def test_both_ways_count_alike(seed: int) -> None:
    chance = random.Random(seed)
    lines = [" ".join(chance.choices(WORDS, k=chance.randrange(5))) for _ in range(300)]
    block = ("\n".join(lines) + "\n").encode()
    fast, slow = both_ways(block, None)
    assert fast == slow and fast.counts and fast.lines == 300  # type: ignore[attr-defined]
    begins = [begin for begin, _ in log_find.events(block, None)]
    starts = sorted({0, *chance.sample(begins, 40)})
    fast, slow = both_ways(block, starts)
    assert fast == slow and fast.lines == len(starts)  # type: ignore[attr-defined]


def test_without_the_package_the_set_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "hyperscan", None)
    one = SparingFinder(["a"], worth_it=1)
    assert one.hits(b"a\n") and isinstance(one.by, SetFinder)


def test_hyperscan_comes_with_the_lines() -> None:
    one = finder(["a"])
    assert isinstance(one, SparingFinder)
    one.hits(b"a\n")
    assert isinstance(one.by, SetFinder)
    assert len(one.hits(b"a\n" * (WORTH_IT // 2))) == WORTH_IT // 2
    assert isinstance(one.by, HyperscanFinder)


def test_a_set_that_is_large_misses_nothing() -> None:
    many = [rf"(?i)word{at} .*(?:alpha|beta|gamma){at % 7}\b.*[^ ]{{2,20}}x" for at in range(200)]
    text = "\n".join(f"Word{at} and beta{at % 7} then abcx" for at in range(200)).encode() + b"\n"
    found = SetFinder(many).hits(text)
    assert [set(places) >= {at} for at, (_, _, places) in enumerate(found)] == [True] * 200


@pytest.mark.parametrize(
    ("pattern", "given_to_hyperscan"),
    [
        (r"tenant=(?P<tenant>\S+)", r"tenant=(?:\S)"),
        (r".*error: .*", r"error:\ "),
        (r"\Aabc\z", "^abc$"),
        (r"(?i)err(?:or)?s?", "(?i)err"),
        (r"a{2,5}", "a{2}"),
        (r"x+y(?:z|w+)", "xy(?:z|w)"),
    ],
)
def test_what_hyperscan_is_given(pattern: str, given_to_hyperscan: str) -> None:
    assert prefilter(pattern) == given_to_hyperscan


@pytest.mark.parametrize("pattern", ["x*", "a|b?", r"\p{Han}", r"\C", "(a|b*)", r"[\pL]"])
def test_what_is_tried_on_every_line(pattern: str) -> None:
    with pytest.raises(Unfit):
        prefilter(pattern)
