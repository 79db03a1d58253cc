"""What is known of targets' TLS: when the certificate ends, and in which group keys are exchanged. Read now and then."""

from __future__ import annotations

READ_S = 300.0
"""So long an end is known: reading a chain costs as much as a plain probe."""
MOST_KNOWN = 100_000
"""Targets whose end is remembered; beyond it all are read anew."""


class Ends:
    """By address. Times are epoch seconds."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[float, float, str]] = {}  # when it was read, when it ends, the group

    def wanted(self, url: str, now_s: float) -> bool:
        """Whether it should be read."""
        known = self._known.get(url)
        return known is None or not 0 <= now_s - known[0] < READ_S

    def read(self, url: str, now_s: float, end_s: float, group: str = "") -> None:
        if len(self._known) >= MOST_KNOWN:
            self._known.clear()
        self._known[url] = (now_s, end_s, group)

    def left_s(self, url: str, now_s: float) -> float | None:
        """Seconds until the end; None where it was never read."""
        known = self._known.get(url)
        return known[1] - now_s if known else None

    def group(self, url: str, now_s: float) -> str:
        """The one that the target chose when it could choose freely; "" where that is to be seen again."""
        return "" if self.wanted(url, now_s) else self._known[url][2]
