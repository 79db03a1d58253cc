"""growth: when file systems will be full, by the ages of the files that lie on them. What people write.

The walk is in growth_walk.py, what the ages say in growth_pace.py.
"""

from __future__ import annotations

from pydantic import Field

from forewarn.probers.options import Options, Texts

METRICS = {
    "fs_full_s": "time until it is full at the usual pace; ten years where no steady growth can be told {mount}",
    "fs_full_earliest_s": "the same at the pace of its busiest weeks {mount}",
    "fs_full_latest_s": "the same at the pace of its quietest weeks {mount}",
    "fs_growth_bytes": "bytes of a usual week that are still there, for a day {mount}",
    "fs_seen_ratio": "share of what is used that could be seen {mount}",
}


class GrowthOptions(Options):
    """Options of a probe of kind growth; all are optional."""

    mounts: Texts = Field(default=("*",), description="file systems to look through, globs of the place where they are mounted")
    skip_mounts: Texts = Field(default=("/boot*", "/media/*"), description="file systems to leave out, globs")
    most_files: int = Field(
        default=500_000,
        ge=1000,
        le=5_000_000,
        description="files and folders of a file system that are looked at; with more nothing is said",
    )
