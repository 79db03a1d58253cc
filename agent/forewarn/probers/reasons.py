"""Why a run was not simply up: one closed list for all kinds, also a metric label.

Each has its words in config/phrases under `prober.reason.<reason>`. Whether a reason means down or unknown is the
prober's decision: a target that refuses is down; a file that we may not read is unknown.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from forewarn.model.probe import Probe, Target
from forewarn.model.series import Outcome, ProbeRun


class Reason(StrEnum):
    # the target's doing
    REFUSED = "refused"
    TIMEOUT = "timeout"
    RESOLVE = "resolve"  # its name has no address
    UNREACHABLE = "unreachable"  # a router or the link says that there is no such host
    TLS = "tls"  # handshake, name, chain or end of the certificate
    RESET = "reset"  # the connection was cut
    PROTOCOL = "protocol"  # what came back is not what the protocol allows
    REDIRECTS = "redirects"
    TOO_BIG = "too_big"
    # an expectation of ours
    STATUS = "status"
    HEADER = "header"
    BODY = "body"
    JSON = "json"
    CRITICAL = "critical"  # a check program says so
    PROCESSES = "processes"  # too few or too many of them run
    # the machine that was to be looked at can't be reached
    AUTH = "auth"  # it does not let us in
    HOST_KEY = "host_key"  # it shows a key that nobody has accepted yet
    HOST_KEY_CHANGED = "host_key_changed"  # it shows another key than the one that is known
    JUMP = "jump"  # the host that it is reached through
    # we could not look
    BUSY = "busy"  # what we ask says that it can't answer now
    PERMISSION = "permission"
    MISSING = "missing"  # a file or certificate bundle that is not there
    NO_TOOL = "no_tool"
    NO_NETWORK = "no_network"
    ASLEEP = "asleep"
    NO_SMART = "no_smart"  # a virtual disk, or one whose SMART is switched off
    STALE = "stale"  # what another part wrote for us is too old
    CONFIG = "config"  # a target or option that can't be used
    UNDECIDED = "undecided"  # a check program could not tell
    STALLED = "stalled"  # our own loop stood still meanwhile: what was measured is ours, not the target's
    CUT_OFF = "cut_off"  # this machine has no way out at all
    STOPPED = "stopped"  # the daemon stopped while the run was under way
    BUG = "bug"  # our own code failed; the trace is in the log


@dataclass(frozen=True, slots=True)
class Failure:
    """A run that is not up. `detail` is a short plain fact with the failing value."""

    outcome: Outcome
    reason: Reason
    detail: str


def down(reason: Reason, detail: str) -> Failure:
    """The target failed."""
    return Failure(Outcome.DOWN, reason, detail)


def unknown(reason: Reason, detail: str) -> Failure:
    """We could not look."""
    return Failure(Outcome.UNKNOWN, reason, detail)


def failed(probe: Probe, target: Target, failure: Failure, at_s: float, lateness_s: float = 0.0, took_s: float = 0.0) -> ProbeRun:
    """A run without values."""
    return ProbeRun(
        probe=probe.name,
        target=target.name,
        at_s=at_s,
        outcome=failure.outcome,
        reason=failure.reason,
        detail=failure.detail,
        lateness_s=lateness_s,
        took_s=took_s,
    )
