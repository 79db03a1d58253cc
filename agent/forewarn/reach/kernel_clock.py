"""The kernel's own word on whether its clock is disciplined (STA_UNSYNC) and how far it may be off. Source: adjtimex(2)."""

from __future__ import annotations

import ctypes

UNSYNCHRONISED = 0x0040
TIMEX_BYTES = 256  # struct timex has 208 bytes on 64-bit Linux


class _Timex(ctypes.Structure):
    """The first fields of struct timex; the rest only needs room."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_byte * TIMEX_BYTES),
    )


def read() -> tuple[bool, float] | None:
    """Whether the kernel's clock is synchronised, and its estimated error in seconds; None where it can't be asked."""
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        asked = _Timex()
        if libc.adjtimex(ctypes.byref(asked)) < 0:
            return None
    except (OSError, AttributeError):
        return None
    return not asked.status & UNSYNCHRONISED, asked.esterror / 1e6
