"""Reading an address: the parts of an Apprise-style URL, with errors that never repeat its secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from forewarn.model.errors import DeliveryError, Reason


@dataclass(frozen=True, slots=True)
class Url:
    """`user` and `password` are decoded; `options` are the names and values after the question mark."""

    scheme: str
    user: str | None
    password: str | None
    host: str
    port: int | None
    path: str
    options: Mapping[str, str]


def refuse(what: str) -> NoReturn:
    """The address can't be used, whoever tries it again."""
    raise DeliveryError(Reason.ADDRESS, what, permanent=True)


def read(url: str, schemes: tuple[str, ...]) -> Url:
    """The parts of `url`. Raises DeliveryError(ADDRESS) with what would be right."""
    parts, port = _split(url)
    if parts.scheme not in schemes:
        refuse(f"{parts.scheme or 'an address without scheme'}:// is not {' or '.join(f'{s}://' for s in schemes)}")
    pairs = parse_qsl(parts.query.replace("+", "%2B"), keep_blank_values=True)
    if len(dict(pairs)) != len(pairs):
        refuse("an option stands twice in the address; write each once")
    return Url(
        scheme=parts.scheme,
        user=unquote(parts.username) if parts.username is not None else None,
        password=unquote(parts.password) if parts.password is not None else None,
        host=parts.hostname or "",
        port=port,
        path=parts.path,
        options=dict(pairs),
    )


def _split(url: str) -> tuple[SplitResult, int | None]:
    if any(ord(letter) <= 32 or ord(letter) == 127 for letter in url):
        refuse("the address has a space or a control character in it; write it as %20")
    try:
        parts = urlsplit(url)
        return parts, parts.port
    except ValueError:  # its text would repeat the address, and with it the password
        refuse("the address is not a URL; write scheme://host:port/path")


def only(options: Mapping[str, str], *known: str) -> None:
    """Refuses options that nobody reads: a typo must not pass for a setting."""
    for name in options:
        if name not in known:
            refuse(f'"{name}" is not an option of this address; there is {", ".join(known)}')
