"""Who is at the door: the API token, one-time links and the console's cookie.

One secret, the token in `$FOREWARN_STATE/token`, is the root of all three. A one-time code is random, kept only as a hash
and only for ten minutes; a cookie is `expiry.nonce.signature` signed with a key made from the token, so it survives a
restart, nothing is stored, and a new token ends every session. The form token is signed likewise and bound to its cookie.
"""

from __future__ import annotations

import hmac
import secrets
from datetime import datetime, timedelta
from hashlib import sha256

from forewarn.ports import Clock

CODE_LIVES = timedelta(minutes=10)
SESSION_LIVES = timedelta(days=7)
MOST_CODES = 100


class Links:
    """One-time links and sessions. Belongs to the loop's thread."""

    def __init__(self, token: str, clock: Clock) -> None:
        if len(token) < 16:
            raise ValueError(f"the API token has {len(token)} characters; it needs at least 16")
        self._token = token.encode()
        self._clock = clock
        self._codes: dict[bytes, datetime] = {}

    def is_token(self, given: str) -> bool:
        """Compared in constant time."""
        return hmac.compare_digest(given.encode(), self._token)

    def make(self) -> str:
        """A new code that opens the console once, within ten minutes: `/link/CODE`."""
        now = self._clock.now()
        self._codes = {key: until for key, until in self._codes.items() if until > now}
        while len(self._codes) >= MOST_CODES:
            self._codes.pop(next(iter(self._codes)))
        code = secrets.token_urlsafe(24)
        self._codes[_hash(code)] = now + CODE_LIVES
        return code

    def take(self, code: str) -> bool:
        """Use a code up; False when it is unknown, used or too old."""
        until = self._codes.pop(_hash(code), None)
        return until is not None and self._clock.now() < until

    def session(self) -> str:
        """The value of a new cookie."""
        until = int((self._clock.now() + SESSION_LIVES).timestamp())
        body = f"{until}.{secrets.token_urlsafe(12)}"
        return f"{body}.{self._sign('session', body)}"

    def is_session(self, cookie: str) -> bool:
        """Signed by us and not over."""
        body, _, signature = cookie.rpartition(".")
        until = body.partition(".")[0]
        if not hmac.compare_digest(signature.encode(), self._sign("session", body).encode()):
            return False
        return until.isascii() and until.isdigit() and self._clock.now().timestamp() < int(until)

    def form_token(self, cookie: str) -> str:
        """What every form of this session carries, against requests made up elsewhere."""
        return self._sign("form", cookie)

    def is_form_token(self, cookie: str, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self.form_token(cookie).encode())

    def _sign(self, purpose: str, text: str) -> str:
        return hmac.new(self._token, f"{purpose}\0{text}".encode(), sha256).hexdigest()


def _hash(code: str) -> bytes:
    return sha256(code.encode()).digest()
