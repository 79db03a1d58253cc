"""A host as it lives: a small server through an ordinary week, with its real log lines.

Nothing here knows a rule or a limit. It was written from what such hosts do: office hours and quiet nights, logs that grow
until logrotate, a backup that stages tens of gigabytes, an upgrade with a reboot, builds on all processors, a lease that is
lost for a while, a clock that is set. Times are true seconds since the week's beginning (a Monday, midnight UTC); what the
host's own clock says is the runner's matter.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from random import Random

from forewarn.model.series import Column, Outcome, ProbeRun

MINUTE, HOUR, DAY = 60.0, 3600.0, 86400.0
GB = 1.0
SIZES = {"/": 40.0, "/boot": 0.5, "/home": 60.0, "/var/log": 12.0, "/srv": 120.0, "/mnt/nas": 2000.0}
INODES = {"/": 2.6e6, "/boot": 3.2e4, "/home": 3.9e6, "/var/log": 7.8e5, "/srv": 7.8e6}

PACES = {"/home": 0.2, "/srv": 0.25}
"""GB a day that stay, in a usual week."""
NEVER_S = 3650 * DAY


@dataclass
class Build:
    """A release build on all processors; its layers and objects are pruned at the end."""

    begins_s: float
    takes_s: float
    gb: float

    def runs(self, at_s: float) -> bool:
        return self.begins_s <= at_s < self.begins_s + self.takes_s


@dataclass
class HostWeek:
    """The host's state; `step` lets `step_s` seconds pass. `off` while it boots."""

    seed: int
    step_s: float = 60.0
    random: Random = field(init=False)
    used: dict[str, float] = field(init=False)  # GB
    files: dict[str, float] = field(init=False)
    lines: list[tuple[str, str]] = field(default_factory=list)  # (program, text) of this step
    off: bool = False
    booted_s: float = -30 * DAY
    busy: float = 0.15
    memory: float = 0.46
    cached_leak: float = 0.0
    swap: float = 0.02
    celsius: float = 45.0
    archived: list[float] = field(default_factory=list)
    today: float = 0.0
    staged: float = 0.0
    nas_hangs: bool = False
    net_errors: int = 0
    restarts: int = 0

    def __post_init__(self) -> None:
        self.random = Random(self.seed)
        r = self.random
        self.used = {
            "/": r.uniform(18, 24),
            "/boot": 0.22,
            "/home": r.uniform(28, 38),
            "/srv": r.uniform(44, 60),
            "/mnt/nas": 1310.0,
        }
        self.archived = [0.09 + 0.02 * r.random() for _ in range(7)]
        self.today = 0.0
        self.used["/var/log"] = 2.1
        self.files = {mount: INODES[mount] * r.uniform(0.08, 0.3) for mount in INODES}
        self.builds = [
            Build(1 * DAY + r.uniform(9, 11) * HOUR, r.uniform(8, 14) * MINUTE, 2.5),
            Build(2 * DAY + r.uniform(9.5, 10.5) * HOUR, r.uniform(60, 80) * MINUTE, r.uniform(7, 10)),  # the release
            Build(3 * DAY + r.uniform(13, 16) * HOUR, r.uniform(2, 4) * MINUTE, 1.5),
            Build(4 * DAY + r.uniform(11, 15) * HOUR, r.uniform(2, 4) * MINUTE, 2.0),
        ]
        self.backup_s = [day * DAY + 2.5 * HOUR + r.uniform(0, 120) for day in range(7)]
        self.backup_takes = [r.uniform(24, 34) * MINUTE for _ in range(7)]
        self.upgrade_s = 1 * DAY + 6 * HOUR + r.uniform(0, HOUR)
        self.reboot_s = self.upgrade_s + r.uniform(50, 70) * MINUTE
        self.boot_takes = r.uniform(80, 130)
        self.blip_s = 3 * DAY + 14.3 * HOUR + r.uniform(0, HOUR)
        self.blip_takes = r.uniform(35, 50)
        self.download_s = 0 * DAY + 16 * HOUR + r.uniform(0, HOUR)

    # --- time passes ---

    def step(self, at_s: float) -> None:
        self.lines = []
        self._power(at_s)
        if self.off:
            return
        building = next((build for build in self.builds if build.runs(at_s)), None)
        day = int(at_s // DAY)
        backing = day < 7 and self.backup_s[day] <= at_s < self.backup_s[day] + self.backup_takes[day]
        self._processor(at_s, building, backing)
        self._memory(at_s, building, backing)
        self._logs(at_s)
        self._files(at_s, building, backing, day)
        self._upgrade(at_s)
        self._blip(at_s)
        self._chatter(at_s)

    def office(self, at_s: float) -> float:
        """How busy people are, 0..1: ten to noon and two to five on working days."""
        day, hour = int(at_s // DAY) % 7, at_s % DAY / HOUR
        if day > 4:
            return 0.08
        return 0.05 + 0.95 * max(math.exp(-((hour - 10.7) ** 2) / 3.2), 0.9 * math.exp(-((hour - 15.3) ** 2) / 4.5))

    def _power(self, at_s: float) -> None:
        goes = self.reboot_s <= at_s < self.reboot_s + self.boot_takes
        if self.off and not goes:
            self.booted_s, self.cached_leak, self.swap, self.busy = at_s, 0.0, 0.0, 0.9
            for text in BOOT:
                self.say("kernel", text)
            for n in range(9):
                self.say("systemd", f"unit-{n}.service: Failed with result 'exit-code'.")
        self.off = goes

    def _processor(self, at_s: float, building: Build | None, backing: bool) -> None:
        r = self.random
        wanted = 0.05 + 0.3 * self.office(at_s)
        if at_s % HOUR < 40:  # cron at the full hour
            wanted += 0.25
        if backing:
            wanted += 0.35
        if at_s - self.booted_s < 2 * MINUTE:
            wanted = 0.85
        if 0 <= at_s - self.upgrade_s < 6 * MINUTE:
            wanted += 0.5
        if r.random() < 0.0004 * self.step_s:
            self.busy = min(1.0, self.busy + r.uniform(0.2, 0.7))  # somebody's query
        self.busy += 0.35 * (wanted - self.busy) + r.gauss(0, 0.025)
        if building:
            self.busy = 0.995 - abs(r.gauss(0, 0.006))
        self.busy = min(1.0, max(0.004, self.busy))
        room = 21 + 2.5 * math.sin((at_s % DAY / DAY - 0.35) * 2 * math.pi)
        self.celsius += min(0.5, 0.008 * self.step_s) * (room + 17 + 42 * self.busy**1.3 - self.celsius) + r.gauss(0, 0.35)

    def _memory(self, at_s: float, building: Build | None, backing: bool) -> None:
        self.cached_leak += 0.012 * self.step_s / DAY * (0.5 + self.office(at_s))
        wanted = 0.36 + self.cached_leak + 0.1 * self.office(at_s) + (0.31 if building else 0.0) + (0.05 if backing else 0.0)
        self.memory += 0.1 * (wanted - self.memory) + self.random.gauss(0, 0.002)
        if building or backing:
            self.swap = min(0.5, self.swap + self.random.random() * 0.00004 * self.step_s)

    def _logs(self, at_s: float) -> None:
        self.today += 1.1 * self.step_s / DAY * (0.55 + 1.6 * self.office(at_s)) * self.random.uniform(0.4, 1.6)
        if at_s % DAY < self.step_s and at_s > 0:  # logrotate: compressed, the eighth goes
            self.archived = [*self.archived[-6:], 0.09 * self.today]
            self.today = 0.0
            self.say("systemd", "logrotate.service: Deactivated successfully.")
        self.used["/var/log"] = 1.2 + sum(self.archived) + self.today
        self.files["/var/log"] = INODES["/var/log"] * 0.011

    def _files(self, at_s: float, building: Build | None, backing: bool, day: int) -> None:
        r = self.random
        self.used["/home"] += 0.5 * self.step_s / DAY * self.office(at_s) * r.uniform(0, 2)
        if 0 <= at_s - self.download_s < 4 * MINUTE:
            self.used["/home"] += 5.4 * self.step_s / (4 * MINUTE)  # an image, thrown away on Wednesday
        if abs(at_s - (2 * DAY + 9 * HOUR)) < self.step_s / 2:
            self.used["/home"] -= 5.4
        self.used["/"] += r.gauss(0, 0.0015)
        if building:
            self.used["/"] += building.gb * self.step_s / building.takes_s
            self.files["/"] += 2.1e5 * building.gb / 8 * self.step_s / building.takes_s
        for build in self.builds:
            if 0 <= at_s - (build.begins_s + build.takes_s + 5 * MINUTE) < self.step_s:
                self.used["/"] -= build.gb * 0.95
                self.files["/"] -= 2.1e5 * build.gb / 8 * 0.95
        if backing:
            self.staged += 22.0 * self.step_s / self.backup_takes[day] * r.uniform(0.8, 1.2)
        elif self.staged:
            self.used["/mnt/nas"] += self.staged * 0.15  # what the NAS keeps of it
            self.used["/srv"] += 0.25
            self.staged = 0.0
            self.say("backup", "archive complete, 0 errors")
        if at_s - self.booted_s < self.step_s:
            self.used["/boot"] = 0.22

    def _upgrade(self, at_s: float) -> None:
        since = at_s - self.upgrade_s
        if 0 <= since < 6 * MINUTE:
            self.used["/"] += 1.3 * self.step_s / (6 * MINUTE)
            self.files["/"] += 14000 * self.step_s / (6 * MINUTE)
            if 120 <= since < 180:
                self.used["/boot"] += 0.11 * self.step_s / 60
            for n in range(self.random.randrange(3)):
                self.say("systemd", f"Stopped unit {n}: main process exited, code=killed, status=15/TERM")
            if self.random.random() < 0.2:
                self.say("dpkg", "warning: error handling of old conffile skipped")
        if 10 * MINUTE <= since < 10 * MINUTE + self.step_s:
            self.used["/"] -= 0.7
            self.files["/"] -= 9000

    def _blip(self, at_s: float) -> None:
        self.nas_hangs = 5 <= at_s - self.blip_s < self.blip_takes + 5
        if 0 <= at_s - self.blip_s < self.blip_takes:
            for _ in range(int(self.step_s / 10)):
                self.say("app", "error: connection to db.example timed out")
            self.say("NetworkManager", "dhcp4 (eth0): error -110 on renewal, retrying")
            for name in ("chronyd", "app", "app"):
                self.say(name, "error: network is unreachable")
            self.say("kernel", "nfs: server nas.example not responding, still trying")

    def _chatter(self, at_s: float) -> None:
        r = self.random
        for _ in range(int(r.expovariate(10 / self.step_s / (0.4 + 3 * self.office(at_s))))):
            self.say("app", f"served request {r.randrange(10**6)} in {r.randrange(3, 90)} ms")
        if r.random() < 0.001 * self.step_s:
            self.say("app", "ERROR upstream timed out, retried with success")
        for _ in range(int(r.expovariate(10 / self.step_s / 0.7))):
            self.say(
                "sshd[2211]",
                f"Failed password for invalid user admin from 203.0.113.{r.randrange(5)} port {r.randrange(2**15)} ssh2",
            )

    def say(self, program: str, text: str) -> None:
        self.lines.append((program, text))

    # --- what probes find ---

    def runs(self, at_s: float, clock: datetime) -> Iterator[ProbeRun]:
        """Runs of the shipped probes that look at this machine (`host`, `self`, `own-health`, `temperature`, `certificates`,
        `forewarn-process`, `smart`, `growth`) that fall into this step."""
        stamp = clock.timestamp()
        yield self._host(at_s, stamp)
        yield self._self(at_s, stamp)
        if at_s % 30 < self.step_s:
            yield self._run("temperature", stamp, [("headroom_celsius", (("sensor", "package"),), 100.0 - self.celsius)])
        if at_s % 600 < self.step_s:
            yield self._smart(at_s, stamp)
        if at_s % (6 * HOUR) < self.step_s:
            yield self._growth(stamp)
        if at_s % HOUR < self.step_s:  # renewed a month before its end, on Wednesday
            left_s = (32 * DAY - at_s) if at_s < 2 * DAY else 90 * DAY - (at_s - 2 * DAY)
            yield self._run(
                "certificates", stamp, [("certificate_s", (("file", "/etc/ssl/shop.pem"), ("name", "shop.example")), left_s)]
            )
        yield self._run(
            "forewarn-process", stamp, [("processes", (), 1.0), ("restarts_total", (), 0.0), ("open_files_used_ratio", (), 0.02)]
        )
        yield self._own_health(stamp)

    def resting(self, probe: str, clock: datetime) -> ProbeRun:
        """A probe of something that this host does not have."""
        return self._run(probe, clock.timestamp(), [])

    def log_lines(self, clock: datetime) -> list[str]:
        return [f"{clock:%b %d %H:%M:%S} web-1 {program}: {text}" for program, text in self.lines]

    def _host(self, at_s: float, stamp: float) -> ProbeRun:
        backing = bool(self.staged)
        if backing and self.random.random() < 0.003:  # the disk is so busy that reading took too long
            return ProbeRun(probe="host", target="local", at_s=stamp, outcome=Outcome.UNKNOWN, reason="timeout")
        found: list[tuple[str, tuple[tuple[str, str], ...], float]] = [
            ("cpu_used_ratio", (), self.busy),
            ("memory_used_ratio", (), min(0.99, self.memory)),
            ("swap_used_ratio", (), self.swap),
            *self._kernel(at_s, backing),
            *self._system(at_s),
        ]
        for mount, size in SIZES.items():
            labels = (("mount", mount),)
            hangs = mount == "/mnt/nas" and self.nas_hangs
            if mount == "/mnt/nas":
                found.append(("fs_hung", labels, float(hangs)))
            if hangs:
                continue
            if mount != "/mnt/nas":
                found.append(("fs_readonly", labels, 0.0))
            used = self.used[mount] + (self.staged if mount == "/srv" else 0.0)
            found.append(("fs_used_ratio", labels, min(1.0, used / size)))
            if mount in INODES:
                found.append(("fs_inodes_used_ratio", labels, self.files[mount] / INODES[mount]))
        return self._run("host", stamp, found)

    def _kernel(self, at_s: float, backing: bool) -> Iterator[tuple[str, tuple[tuple[str, str], ...], float]]:
        """Disks are slow while the backup reads them and fast otherwise; a cheap virtual machine loses some of its time."""
        r, disk = self.random, (("disk", "vda"),)
        at_work = 1.0 if backing else 0.9 if self.busy > 0.9 else 0.1
        wait = r.lognormvariate(0, 0.7)
        yield "disk_read_wait_s", disk, (0.001 + 0.06 * at_work) * wait
        yield "disk_write_wait_s", disk, (0.004 + 0.25 * at_work) * r.lognormvariate(0, 0.8)
        yield "disk_busy_ratio", disk, min(1.0, at_work * r.uniform(0.8, 1.1))
        yield "cpu_steal_ratio", (), min(0.6, 0.03 * r.lognormvariate(0, 0.9) * (1 + 3 * self.busy))
        full = (("span", "60s"), ("tasks", "full"))
        yield "memory_pressure_ratio", full, max(0.0, 0.03 * (self.memory - 0.6) + 0.004 * r.random())
        self.net_errors += r.random() < 0.01 * self.step_s / 60
        self.net_errors += 40 if 0 <= at_s - self.blip_s < self.step_s else 0
        yield "net_errors_total", (("nic", "eth0"),), float(self.net_errors)
        yield "oom_kills_total", (), 0.0
        yield "files_used_ratio", (), 0.02 + 0.01 * self.busy
        yield "conntrack_used_ratio", (), min(0.6, 0.05 + 0.2 * self.office(at_s) * r.uniform(0.5, 1.5))

    def _system(self, at_s: float) -> Iterator[tuple[str, tuple[tuple[str, str], ...], float]]:
        """A unit that waits for the network fails at boot and is started again; another fails over the lost lease, until
        somebody looks. After an upgrade a restart is waited for; after each boot the clock needs a while."""
        up_s = at_s - self.booted_s
        app = (("unit", "app.service"),)
        failing = 30 <= up_s < 60 or 0 <= at_s - self.blip_s - 40 < 8 * MINUTE
        yield "unit_failed", app, float(failing)
        yield "units_failed", (), float(failing)
        self.restarts += 0 <= at_s - self.upgrade_s - 3 * MINUTE < self.step_s or 0 <= at_s - self.blip_s - 30 < self.step_s
        yield "unit_restarts_total", app, float(self.restarts)
        yield "reboot_pending", (), float(self.upgrade_s + 6 * MINUTE <= at_s < self.reboot_s)
        synced = up_s > 4 * MINUTE and not 0 <= at_s - self.blip_s < 20 * MINUTE
        yield "clock_synced", (), float(synced)
        if synced:
            yield "clock_offset_s", (), abs(self.random.gauss(0, 0.002)) + (1.6 if up_s < 8 * MINUTE else 0.0)
        yield "zombies", (), float(self.random.randrange(4))
        yield "os_support_s", (), 580 * DAY - at_s

    def _self(self, at_s: float, stamp: float) -> ProbeRun:
        slow = 0.004 + 0.05 * max(0.0, self.busy - 0.8) + (0.15 if self.random.random() < 0.002 else 0.0)
        return self._run("self", stamp, [("total_s", (), slow * self.random.lognormvariate(0, 0.4))], "console")

    def _own_health(self, stamp: float) -> ProbeRun:
        """What Forewarn knows of itself: the loop waits while a build or the backup holds the processors and the disk."""
        busy = 1.0 + 20.0 * max(0.0, self.busy - 0.7)
        return self._run(
            "own-health",
            stamp,
            [
                ("loop_delay_s", (), 0.004 * busy * self.random.lognormvariate(0, 0.6)),
                ("inputs_waiting", (), float(self.random.randrange(3))),
                ("commit_s", (), 0.002 * busy * self.random.lognormvariate(0, 0.8)),
                ("store_trouble_s", (), 0.0),
                ("outbox_age_s", (), 0.0),
                ("heartbeat_failures", (), 0.0),
                ("rss_bytes", (), 72e6 + 2e6 * self.random.random()),
            ],
            "local",
        )

    def _smart(self, at_s: float, stamp: float) -> ProbeRun:
        if 0 <= at_s - self.booted_s < 15 * MINUTE:  # the collector has not written anything since the boot
            return ProbeRun(probe="smart", target="local", at_s=stamp, outcome=Outcome.UNKNOWN, reason="file")
        labels = (("serial", "S4EVNX0R"),)
        wear = 0.03 + 0.01 * (at_s > 4 * DAY)
        return self._run(
            "smart", stamp, [("wear_ratio", labels, wear), ("spare_margin_ratio", labels, 0.9), ("disk_ok", labels, 1.0)]
        )

    def _growth(self, stamp: float) -> ProbeRun:
        """What the ages of the files say. Only /srv and /home keep what is written to them; what a walk finds differs a little."""
        found: list[tuple[str, tuple[tuple[str, str], ...], float]] = []
        for mount in ("/", "/home", "/srv", "/var/log"):
            labels, a_day = (("mount", mount),), PACES.get(mount, 0.0) * self.random.uniform(0.85, 1.15)
            left_s = min(NEVER_S, (SIZES[mount] - self.used[mount]) / a_day * DAY) if a_day else NEVER_S
            found += [
                ("fs_full_s", labels, left_s),
                ("fs_full_earliest_s", labels, left_s * 0.7),
                ("fs_full_latest_s", labels, min(NEVER_S, left_s * 1.6)),
                ("fs_growth_bytes", labels, a_day * 1e9),
                ("fs_seen_ratio", labels, 0.98),
            ]
        return self._run("growth", stamp, found)

    def _run(
        self, probe: str, stamp: float, found: list[tuple[str, tuple[tuple[str, str], ...], float]], target: str = "local"
    ) -> ProbeRun:
        columns: tuple[Column, ...] = tuple((metric, labels) for metric, labels, _ in found)
        return ProbeRun(
            probe=probe,
            target=target,
            at_s=stamp,
            outcome=Outcome.UP,
            columns=columns,
            values=tuple(value for _, _, value in found),
        )


BOOT = (
    "ACPI BIOS Error (bug): Could not resolve symbol [\\_SB.PCI0], AE_NOT_FOUND",
    "ACPI Error: Aborting method due to previous error (AE_NOT_FOUND)",
    "EXT4-fs (sda1): mounted filesystem with ordered data mode. Quota mode: none.",
    "usb 1-3: device descriptor read/64, error -71",
    "RAS: Correctable Errors collector initialized.",
    "pcieport 0000:00:1c.0: AER: Corrected error received",
)


def monday() -> datetime:
    return datetime(2026, 11, 23, tzinfo=UTC)


def moment(at_s: float) -> datetime:
    return monday() + timedelta(seconds=at_s)
