"""What libyaml complains about, in words that help."""

from __future__ import annotations

import re

import yaml

DEEPEST = 40
"""So many maps and lists may lie inside each other. libyaml of PyYAML 6.0.4 stops by itself, at a thousand."""
TOO_DEEP = (f"maps and lists are nested more than {DEEPEST} deep", "write it flatter")

_SENTENCES = (
    ("exceeded maximum nesting depth", *TOO_DEEP),
    (
        "mapping values are not allowed",
        'a ": " stands where no new key can begin',
        "put the text in quotes, or check the indentation",
    ),
    (
        "block sequence entries are not allowed",
        'a "- " stands where no list can begin',
        "put the list on its own lines, or check the indentation",
    ),
    ("did not find expected ',' or ']'", "a list that begins with [ is not closed", "add ] or a comma"),
    ("did not find expected ',' or '}'", "a map that begins with { is not closed", "add } or a comma"),
    ("did not find expected '-' indicator", 'a line of this list does not begin with "- "', "check the indentation"),
    ("found unexpected end of stream", "a quoted text is not closed", "add the closing quote"),
    ("could not find expected ':'", 'a line has no ": " after its key', "write key: value, or check the indentation"),
    ("found a tab character that violates indentation", "a tab is used for indentation", "use spaces"),
    ("did not find expected key", "this is neither a key nor the end of the map above", "check indentation and quotes"),
    (
        "found unknown escape character",
        "there is a backslash inside double quotes",
        "use single quotes, or write the backslash twice",
    ),
    (
        "did not find expected <document start>",
        "something stands after the end of the document",
        "check the indentation, or begin a new document with ---",
    ),
    ("found undefined tag handle", "a word that begins with ! is a tag, which is not taken", "put it in quotes"),
)
_WIDE = "："
_STARTERS = {"\t": ("a tab is used for indentation", "use spaces")}


def in_plain_words(error: yaml.YAMLError, text: str) -> tuple[int, str, str | None]:
    """Line (from 1), what is wrong, and what would be right."""
    if not isinstance(error, yaml.MarkedYAMLError):
        return _unmarked(error, text)
    mark = error.problem_mark or error.context_mark
    line, column = (mark.line + 1, mark.column) if mark else (1, 0)
    said = error.problem or "it can't be read"
    if "cannot start any token" in said:
        return (line, *_bad_start(text, line, column))
    for words, what, right in _SENTENCES:
        if words in said:
            began = error.context_mark.line + 1 if error.context_mark else line
            last = min(line, text.count("\n") + (not text.endswith("\n")))
            if "is not closed" in what:
                return began, what, right
            if words.startswith("could not find"):
                wide = _WIDE in text.split("\n")[began - 1]
                return began, what, f'write ": " instead of "{_WIDE}"' if wide else right
            return max(1, last), what, right
    return line, f"this is not YAML: {said}", "check indentation and quotes"


def _bad_start(text: str, line: int, column: int) -> tuple[str, str]:
    lines = text.split("\n")
    char = lines[line - 1][column : column + 1] if line <= len(lines) else ""
    return _STARTERS.get(char, (f'a text can\'t begin with "{char}"', "put it in quotes"))


def _unmarked(error: yaml.YAMLError, text: str) -> tuple[int, str, str | None]:
    found = re.search(r"#x([0-9a-fA-F]{4,})", str(error))
    if not found:
        return 1, "this is not YAML", None
    code = int(found[1], 16)
    at = text.find(chr(code))
    return text.count("\n", 0, max(at, 0)) + 1, f"there is a control character (U+{code:04X})", "take it out"
