"""process: whether programs run, and what they use. What people write; the reader is in process_read.py."""

from __future__ import annotations

from pydantic import Field, model_validator

from forewarn.probers.options import Options

METRICS = {
    "processes": "how many run",
    "cpu_cores": "processor time they used since the last run, in cores: 2 is two whole ones",
    "memory_bytes": "what they hold in memory; what several share is counted for each (of a unit: what systemd counts, each page once)",
    "open_files": "files and connections that they hold open; only what the daemon may see",
    "open_files_used_ratio": "the same as a share of what is allowed, of the process that is nearest to it",
    "threads": "their threads",
    "restarts_total": "times that they were started anew, since Forewarn looks",
    "uptime_s": "for how long the oldest of them has been running",
}


class ProcessOptions(Options):
    """Options of a probe of kind process: at least one of name, command, unit and pidfile; a process must match all of them."""

    name: str | None = Field(default=None, description="name of the program, a glob: nginx, or php-fpm*", examples=["nginx"])
    command: str | None = Field(
        default=None, description="glob of its whole command line; it is compared, never shown or stored", examples=["*shop.jar*"]
    )
    user: str | None = Field(default=None, description="whose processes, by name or number", examples=["www-data"])
    unit: str | None = Field(default=None, description="systemd unit that they belong to", examples=["nginx.service"])
    pidfile: str | None = Field(
        default=None, description="file that holds the number of the one process", examples=["/run/nginx.pid"]
    )
    least: int = Field(default=1, ge=0, description="fewer than so many is down")
    most: int | None = Field(default=None, ge=0, description="more than so many is down")

    @model_validator(mode="after")
    def _which(self) -> ProcessOptions:
        if not any((self.name, self.command, self.unit, self.pidfile)):
            raise ValueError("it does not say which processes; write name: nginx, command:, unit: or pidfile:")
        if self.most is not None and self.most < self.least:
            raise ValueError(f"most {self.most} is less than least {self.least}; nothing could ever be up")
        return self

    def said(self) -> str:
        """Which processes, for people; a command line may hold a secret and is not repeated."""
        words = {"called": self.name, "of user": self.user, "of": self.unit, "in": self.pidfile}
        found = [f"{word} {value}" for word, value in words.items() if value]
        return " ".join(found + (["with the given command line"] if self.command else []))
