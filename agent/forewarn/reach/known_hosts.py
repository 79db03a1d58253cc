"""Files of known hosts, as OpenSSH writes them: which keys a host may show. Source: sshd(8), SSH_KNOWN_HOSTS FILE FORMAT.

Certificates of hosts (`@cert-authority`) are not read: a host that is known by one only is unknown here.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

MOST_BYTES = 4_194_304
"""The most that is read of one file."""


@dataclass(frozen=True, slots=True)
class Key:
    """A host's public key: its type (`ssh-ed25519`) and its bytes."""

    kind: str
    blob: bytes

    @property
    def fingerprint(self) -> str:
        """As `ssh-keygen -l` shows it."""
        return "SHA256:" + base64.b64encode(hashlib.sha256(self.blob).digest()).decode().rstrip("=")


@dataclass(frozen=True, slots=True)
class Known:
    """A key that stands in a file for a host; `where` is FILE:LINE."""

    key: Key
    where: str
    revoked: bool = False


def named(address: str, port: int) -> str:
    """How files name a host."""
    return address.lower() if port == 22 else f"[{address.lower()}]:{port}"


def known(paths: Sequence[str], address: str, port: int) -> list[Known]:
    """All that the files say of a host, revoked keys too; a file that is not there says nothing. Raises OSError for one
    that may not be read: a changed key must not look like an unknown one."""
    found: list[Known] = []
    for path in paths:
        try:
            with Path(path).open("rb") as file:
                text = file.read(MOST_BYTES).decode("utf-8", "replace")
        except FileNotFoundError:
            continue
        found += entries(text, path, named(address, port))
    return found


def entries(text: str, path: str, name: str) -> Iterator[Known]:
    """The lines of a file that speak of `name`; what is no such line is left out."""
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        marker = words.pop(0) if words and words[0].startswith("@") else ""
        if len(words) < 3 or words[0].startswith("#") or marker not in ("", "@revoked") or not _speaks_of(words[0], name):
            continue
        try:
            blob = base64.b64decode(words[2], validate=True)
        except binascii.Error:
            continue
        yield Known(Key(words[1], blob), f"{path}:{number}", revoked=bool(marker))


def line_of(address: str, port: int, key: Key) -> str:
    """The line that makes a key known."""
    return f"{named(address, port)} {key.kind} {base64.b64encode(key.blob).decode()}\n"


def without(text: str, path: str, name: str) -> str:
    """A file's text without the lines that make a key of `name`, and of nobody else, known."""
    numbers = {int(one.where.rpartition(":")[2]) for one in entries(text, path, name) if not one.revoked}
    lines = text.splitlines(keepends=True)
    return "".join(line for number, line in enumerate(lines, 1) if number not in numbers or "," in line.split()[0])


def _speaks_of(field: str, name: str) -> bool:
    """Whether the names of a line mean `name`: hashed ones, and lists of globs of which `!` takes some out."""
    if field.startswith("|1|"):
        return _hashed(field, name)
    globs = [glob.lower().replace("[", "[[]") for glob in field.split(",")]  # `[host]:port` is a name, no set of characters
    if any(glob.startswith("!") and fnmatchcase(name, glob[1:]) for glob in globs):
        return False
    return any(fnmatchcase(name, glob) for glob in globs)


def _hashed(field: str, name: str) -> bool:
    try:
        _, _, salt, digest = field.split("|")
        wanted = hmac.new(base64.b64decode(salt), name.encode(), hashlib.sha1).digest()  # the format's own
        return hmac.compare_digest(wanted, base64.b64decode(digest))
    except ValueError:
        return False
