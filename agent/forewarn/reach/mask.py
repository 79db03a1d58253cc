"""Takes secrets out of a text before a log, a person or the ledger sees it.

What is recognised is what secrets look like when programs print them: a URL's `user:password@`, `password=...`,
`Authorization: ...`, bearer and JSON web tokens, private keys. Names stay, so that a reader sees what stood there.
Each pattern begins with a fixed word and repeats over one class of characters: the time is linear in the text.
"""

from __future__ import annotations

import re

SHOWN = "***"
SECRET_NAMES = ("password", "passwd", "pwd", "secret", "token", "api_key", "apikey", "access_key", "authorization", "cookie")

_NAMES = "|".join(name.replace("_", "[_-]?") for name in SECRET_NAMES)
_KEY = re.compile(r"-----BEGIN [A-Z ]{0,40}PRIVATE KEY-----.*?(?:-----END [A-Z ]{0,40}PRIVATE KEY-----|\Z)", re.DOTALL)
_USERINFO = re.compile(r"(?<=://)[^\s/?#@\"']{1,512}@")
_SCHEME = re.compile(r"\b(bearer|basic)(\s+)[A-Za-z0-9._~+/=-]{8,}", re.IGNORECASE)
_NAMED = re.compile(
    rf"((?:{_NAMES})[\"']?(?:\s?[=:]\s?|\s+(?=[\"'])))(?!(?:bearer|basic)\s)(\"[^\"\n]*\"|'[^'\n]*'|[^\s,;&\"'}})\]]+)",
    re.IGNORECASE,
)
_JWT = re.compile(r"\beyJ[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]{8,}\.[A-Za-z0-9_-]*")


def mask(text: str, *secrets: str) -> str:
    """`text` with everything that looks like a secret, and each of `secrets` wherever it stands, shown as `***`."""
    for secret in sorted(filter(None, secrets), key=len, reverse=True):
        text = text.replace(secret, SHOWN)
    text = _KEY.sub(f"private key {SHOWN}", text)
    text = _USERINFO.sub(f"{SHOWN}@", text)
    text = _SCHEME.sub(rf"\1\2{SHOWN}", text)
    text = _JWT.sub(SHOWN, text)
    return _NAMED.sub(rf"\1{SHOWN}", text)


def is_secret_name(name: str) -> bool:
    """Whether a field of this name holds a secret: `smtp_password`, `X-Api-Key`, `token`."""
    plain = name.lower().replace("-", "_")
    return any(word in plain for word in SECRET_NAMES)
