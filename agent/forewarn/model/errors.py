"""Everything that Forewarn raises on purpose.

ForewarnError
├── ConfigError      a set of files that can't be used; carries every Problem, not only the first
├── Refused          a person's command that can't be carried out now; `say` tells why
├── NotFound         no such id or name
├── DeliveryError    a message that did not leave; classified where it is known
├── StoreError       the ledger or the samples can't be read or written
└── Busy             another daemon owns this state folder
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from forewarn.model.text import Say


class ForewarnError(Exception):
    """Base of all errors that are not bugs of ours."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong in a file, as people see it: `file:line path: what; what would be right`."""

    file: str
    line: int
    path: str
    what: str
    right: str | None = None

    def __str__(self) -> str:
        where = f"{self.file}:{self.line}" + (f" {self.path}" if self.path else "")
        return f"{where}: {self.what}" + (f"; {self.right}" if self.right else "")


class ConfigError(ForewarnError):
    """A configuration that was refused as a whole; the running one stays."""

    def __init__(self, problems: tuple[Problem, ...], files: int) -> None:
        super().__init__("\n".join(map(str, problems)))
        self.problems = problems
        self.files = files


class Refused(ForewarnError):
    """A command that can't be carried out now. `say` is shown to the person who gave it."""

    def __init__(self, say: Say) -> None:
        super().__init__(say.key)
        self.say = say


class NotFound(ForewarnError):
    """There is no such thing."""


class Reason(StrEnum):
    """Why a delivery failed: a closed list, also a metric label."""

    AUTH = "auth"  # 401, 403, a bad token
    REFUSED = "refused"  # the other side understood and said no (4xx, 5yz)
    NO_SUCH = "no_such"  # 404, 410, unknown mailbox
    RATE = "rate"  # 429 or a vendor's rate code
    SERVER = "server"  # 5xx, 4yz
    CONNECT = "connect"
    TIMEOUT = "timeout"
    TLS = "tls"
    ADDRESS = "address"  # the channel's address can't be used
    BUG = "bug"  # our own code failed; the trace is in the log


class DeliveryError(ForewarnError):
    """A message did not leave, or may have left (`maybe_sent`): then the answer is unknown."""

    def __init__(
        self,
        reason: Reason,
        detail: str,
        *,
        permanent: bool = False,
        retry_after_s: float | None = None,
        maybe_sent: bool = False,
    ) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail
        self.permanent = permanent
        self.retry_after_s = retry_after_s
        self.maybe_sent = maybe_sent


class StoreError(ForewarnError):
    """The ledger or the samples can't be read or written; `full`: because there is no room."""

    def __init__(self, text: str, *, full: bool = False) -> None:
        super().__init__(text)
        self.full = full


class Busy(ForewarnError):
    """Another daemon owns this state folder."""
