"""What of a line varies by its looks: numbers, addresses, ids, paths, dates, sizes. Each becomes STAR.

One set of masks for every program and language; none knows a program's name. Digits are all the same digit before anything else
looks at a line (`alike`): then most lines have been seen before, character for character, and need no pattern at all.
"""

from __future__ import annotations

import re

STAR = "\0"
"""What varies, inside of this package: one character that no line holds. People read SHOWN."""
SHOWN = "<*>"

_ALIKE = str.maketrans("123456789\0", "000000000 ")

_PATH = re.compile(
    r"(?<![A-Za-z0-9_.*])(?:[A-Za-z][A-Za-z0-9+.-]*:/)?/[A-Za-z0-9_.$+~%@-]+(?:/[A-Za-z0-9_.$+~%@*-]*)+(?:\?[^\s'\"\])}>]*)?"  # /var/log/x, hdfs://host/x?y=z
    r"|(?<![A-Za-z0-9_./@$-])[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]+)+/[A-Za-z0-9_.$/-]+"  # example.com/x, package.of.a/.Part
    r"|\b[A-Za-z]:\\[^\s'\"]+"  # C:\x
    r"|\\[A-Za-z0-9_]+\\[^\s'\"]+"  # \\server\x
)
_ROOTED = re.compile(r"(?<![^\"'(\[=:,])/(?:[A-Za-z0-9_.~%-]+)?(?:\?[^\s'\"\])}>]*)?(?=[\"')\],:;]|$)")
"""/, /etc and /index.html?x=y: a word that is a path of one step."""
_MAIL = re.compile(r"(?<![A-Za-z0-9_.@+-])[A-Za-z0-9_.+-]+@(?:[A-Za-z0-9_-]+\.)+[A-Za-z0-9_-]+")
_TOP = "com|net|org|edu|gov|mil|int|io|local|lan|cn|de|uk|fr|jp|ru|br|pl|kr|tw|au|nl|se|ch|es|eu|hk|sg|ca"
_HOST = re.compile(
    rf"(?<![A-Za-z0-9_.@$-])(?:(?:[A-Za-z0-9_-]+\.)+(?:{_TOP})\b(?![A-Za-z0-9_.(-])|(?:[a-z0-9-]+\.)+[a-z]{{2,}}(?=:0{{2,5}}\b))"
)
_CODE = re.compile(r"(?=[A-Za-z0-9:_$~]*[G-Zg-z_])[A-Za-z_][A-Za-z0-9_$]*(?:::[~A-Za-z0-9_$]+)+")
"""A name of code: its digits vary, what it is called does not."""
_RUN = re.compile(r"(?:\.{0,1}[A-Za-z0-9_:/\\@%+~#$&*?!-])*0(?:\.?[A-Za-z0-9_:/\\@%+~#$&*?!-])*(?:\.(?![.]))?")
_KEPT = re.compile(r"-?([A-Za-z_][A-Za-z_.-]*[:#@])(?=.)")
"""The beginning of a run that says what follows: `state:`."""
_NAME = re.compile(r"[A-Za-z]{2,}0{1,2}[A-Za-z_][A-Za-z_]+")
"""A word with a digit inside, as jk2_init: a name, no id."""
_HEX = re.compile(r"\b[0a-f]{8,}\b|\b[0A-F]{8,}\b")
_NUMBER = re.compile(r"0+")
_AGAIN = re.compile(rf"(?:{STAR}[:\-/.,]?)+(?={STAR})")
_DATES = frozenset([
    "Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday",
    "Sunday", "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec", "AM", "PM", "GMT", "UTC",
    "EDT", "EST", "CST", "CET", "CEST", "PST", "PDT",
])  # fmt: skip
_UNIT = re.compile(
    rf"({STAR}) ?(?:B|[KMGTkmgt]i?B|ms|us|ns|µs|s|secs?|seconds?|minutes?|mins?|hours?|days?|MHz|GHz|Hz|%|毫秒|秒|分钟|小时|天|字节)"
    r"(?![A-Za-z0-9_])"
)
_LIST = re.compile(rf"{STAR}(?:[,;|/]? ?{STAR})+")
_WORDS = re.compile(r"([\[({])(?:u?'[^']*'|\"[^\"]*\")(?:, ?(?:u?'[^']*'|\"[^\"]*\"))*,?(?=[\])}])")
"""A list of quoted words: ['a', 'b']."""
_BOOLEAN = re.compile(r"(?<=[=:])( ?)(?:true|false|True|False|TRUE|FALSE|null|NULL|None|nil|undefined)(?![A-Za-z0-9_.-])")
"""Whether something is so, or is not there at all, where a name announces it."""
_EMPTY = frozenset({"()", "[]", "{}"})


def alike(line: str) -> str:
    """The line with every digit as 0. Lines that differ in nothing else are of one template."""
    return line.translate(_ALIKE)


def mask_word(word: str) -> str:
    """A word of an `alike` line with what varies as STAR. A word is what lies between spaces."""
    if "@" in word:
        word = _MAIL.sub(STAR, word)
    if "0" not in word and "/" not in word and "." not in word and "\\" not in word:
        return _plain(word)
    if word[0] == "<" and ">" not in word and word[1:2] == "0":  # <1 sec
        word = word[1:]
    word = _ROOTED.sub(STAR, _PATH.sub(STAR, word))
    word = _HOST.sub(STAR, word)
    if "::" in word:
        word = _CODE.sub(_digits, word)
    word = _RUN.sub(_run, word)
    return _AGAIN.sub("", word)


def mask_line(words: str) -> str:
    """Masked words, joined: units go with their number, and a list is one STAR however long it is."""
    words = _UNIT.sub(STAR, words)
    if "'" in words or '"' in words:
        words = _WORDS.sub(rf"\1{STAR}", words)
    return _LIST.sub(STAR, _BOOLEAN.sub(rf"\1{STAR}", words))


def shown(text: str) -> str:
    """As people read it."""
    return text.replace(STAR, SHOWN)


def _plain(word: str) -> str:
    core = word.strip(".,;:()[]")
    if core in _DATES:
        return word.replace(core, STAR)
    if word in _EMPTY:  # a value that is missing
        return f"{word[0]}{STAR}{word[1]}"
    if len(core) >= 8:
        return _HEX.sub(STAR, word)
    return STAR if len(word) > 2 and not word.strip("*") else word


def _digits(found: re.Match[str]) -> str:
    return _NUMBER.sub(STAR, found.group())


def _run(found: re.Match[str]) -> str:
    text = found.group().lstrip(":")
    lead = found.group()[: -len(text)]
    body = text.rstrip(".:!?")
    tail = text[len(body) :]
    kept = _KEPT.match(body)
    if kept and not body.startswith(("http", "hdfs")):
        rest = body[kept.end() :]
        return f"{lead}{kept.group(1)}{_RUN.sub(_run, rest)}{tail}"
    if _NAME.fullmatch(body) and not _HEX.fullmatch(body):
        return f"{lead}{_NUMBER.sub(STAR, body)}{tail}"
    return f"{lead}{STAR}{tail}"
