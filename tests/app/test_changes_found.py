"""Changes that nobody tells: of a machine made of files, and of this one."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from forewarn.app.changes import files, machine, packages
from forewarn.app.changes.finder import Finder
from forewarn.model.errors import StoreError
from forewarn.model.settings import FindChanges

NOW = datetime(2026, 11, 22, 14, 0, tzinfo=UTC)
DPKG = """\
2026-11-22 13:50:01 startup archives unpack
2026-11-22 13:50:02 upgrade nginx:amd64 1.22.1-9 1.24.0-1
2026-11-22 13:50:02 status half-configured nginx:amd64 1.22.1-9
2026-11-22 13:50:09 install libnew1:amd64 <none> 2.0-1
2026-11-22 13:51:00 remove old-tool:all 0.9 <none>
2026-11-22 09:00:00 upgrade curl:amd64 7.88.1-10 7.88.1-11
2026-11-01 09:00:00 upgrade ancient:amd64 1 2
garbage
"""
DNF = """\
2026-11-22T13:40:00+0000 INFO --- logging initialized ---
2026-11-22T14:40:05+0100 SUBDEBUG Upgrade: nginx-2:1.24.0-1.el9.x86_64
2026-11-22T13:41:00Z SUBDEBUG Erase: old-tool-0.9-1.el9.noarch
"""


def test_an_upgrade_is_one_change() -> None:
    found = packages.bursts(packages.dpkg(DPKG, UTC), NOW - timedelta(days=7))
    assert [(seen.at, seen.text) for seen in found] == [
        (datetime(2026, 11, 22, 9, tzinfo=UTC), "curl 7.88.1-10 → 7.88.1-11"),
        (datetime(2026, 11, 22, 13, 51, tzinfo=UTC), "nginx 1.22.1-9 → 1.24.0-1, libnew1 2.0-1, old-tool - 0.9"),
    ]
    many = "".join(f"2026-11-22 13:50:{n:02d} upgrade p{n}:amd64 1 2\n" for n in range(30))
    (one,) = packages.bursts(packages.dpkg(many, UTC), NOW - timedelta(days=1))
    assert one.text == "p0 1 → 2, p1 1 → 2, p2 1 → 2, p3 1 → 2 +26"


def test_the_log_of_dpkg_is_in_local_time_and_that_of_dnf_says_its_zone() -> None:
    (step, *_) = packages.dpkg(DPKG, ZoneInfo("Asia/Shanghai"))
    assert step.at == datetime(2026, 11, 22, 5, 50, 2, tzinfo=UTC)
    assert [(step.at.hour, step.text) for step in packages.dnf(DNF)] == [
        (13, "nginx-2:1.24.0-1.el9.x86_64"),
        (13, "old-tool-0.9-1.el9.noarch - erase"),
    ]


BEFORE = machine.Facts("boot-1", 1000.0, "6.1.0-18", {"sda": "AAA", "sdb": "BBB"}, {"shop.service": 2000.0, "user@0.service": 1.0})


@pytest.mark.parametrize(
    ("change", "texts"),
    [
        ({}, []),
        ({"boot": "boot-2", "booted_s": 9000.0}, ["the machine was started (kernel 6.1.0-18)"]),
        (
            {"boot": "boot-2", "kernel": "6.1.0-21", "units": {"shop.service": 9100.0}},
            ["the machine was started (kernel 6.1.0-21)", "kernel 6.1.0-18 → 6.1.0-21"],
        ),
        ({"disks": {"sda": "AAA", "sdb": "CCC"}}, ["disk CCC in place of BBB (sdb)"]),
        ({"disks": {"sda": "BBB", "sdb": "AAA"}}, []),  # only the names were swapped
        ({"disks": {"sda": "AAA"}}, ["disk BBB is gone"]),
        ({"disks": {"sda": "AAA", "sdb": "BBB", "sdc": "CCC"}}, ["disk CCC was added (sdc)"]),
        ({"units": {"shop.service": 3000.0, "user@0.service": 2.0, "new.service": 5.0}}, ["shop.service was started"]),
    ],
)
def test_what_a_machine_was_and_is(change: dict[str, Any], texts: list[str]) -> None:
    assert [seen.text for seen in machine.compared(BEFORE, replace(BEFORE, **change), NOW)] == texts


def test_when_services_began_to_run() -> None:
    shown = "Id=a.service\nActiveState=active\nActiveEnterTimestamp=@1700000000\n\nId=b.service\nActiveState=inactive\nActiveEnterTimestamp=\n"
    assert machine.units_of(shown) == {"a.service": 1700000000.0} and machine.units_of("garbage") == {}


@pytest.fixture
def etc(tmp_path: Path) -> Path:
    folder = tmp_path / "etc"
    (folder / "nginx").mkdir(parents=True)
    (folder / "nginx" / "nginx.conf").write_text("workers 1; password hunter2;")
    (folder / "hosts").write_text("127.0.0.1 localhost\n")
    (folder / "site.pem").write_text("-----BEGIN CERTIFICATE-----\nAAA\n")
    (folder / ".hosts.swp").write_text("x")
    return folder


def test_a_changed_file_is_known_by_its_hash_alone(etc: Path) -> None:
    before = files.look([str(etc)], {})
    assert {Path(path).name for path in before} == {"nginx.conf", "hosts", "site.pem"}
    assert "hunter2" not in json.dumps(before)
    os.utime(etc / "hosts")
    assert files.compared(before, files.look([str(etc)], before), NOW) == [], "touched, and the same"
    (etc / "nginx" / "nginx.conf").write_text("workers 2; password hunter2;")
    (etc / "new.conf").write_text("x")
    (etc / "hosts").unlink()
    (seen,) = files.compared(before, files.look([str(etc)], before), datetime.now(UTC))
    assert seen.what == "config" and seen.text == f"{etc}/nginx/nginx.conf, {etc}/new.conf (new), {etc}/hosts (gone)"
    assert "hunter2" not in repr(seen)


def test_a_renewed_certificate_is_named_as_such(etc: Path) -> None:
    before = files.look([str(etc)], {})
    (etc / "site.pem").write_text("-----BEGIN CERTIFICATE-----\nBBB\n")
    (seen,) = files.compared(before, files.look([str(etc)], before), datetime.now(UTC))
    assert (seen.what, seen.text) == ("certificate", f"certificate {etc}/site.pem was renewed")


@dataclass
class Owner:
    """Who takes the command; `broken`: nothing can be stored."""

    given: list[tuple[Any, ...]] = field(default_factory=list)
    broken: bool = False

    async def __call__(self, verb: str, id: str | None, by: str, words: tuple[str, ...], text: str | None) -> str | None:
        if self.broken:
            raise StoreError("full")
        self.given.append((verb, by, words, text))
        return "C-1"


@dataclass
class Watch:
    at: datetime

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()


@pytest.fixture
def root(tmp_path: Path, etc: Path) -> Path:
    """Another machine."""
    for name, text in {
        "proc/sys/kernel/random/boot_id": "boot-1\n",
        "proc/sys/kernel/osrelease": "6.1.0-18-amd64\n",
        "proc/stat": f"cpu 1\nbtime {int((NOW - timedelta(days=3)).timestamp())}\n",
        "sys/block/sda/device/serial": "AAA\n",
        "var/log/dpkg.log": DPKG,
    }.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def finder(root: Path, owner: Owner, clock: Watch, find: bool = True) -> Finder:
    settings = SimpleNamespace(daemon=SimpleNamespace(changes=FindChanges(find=find), zone=UTC))
    return Finder(owner, lambda: settings, root / "changes.json", clock, root)  # type: ignore[arg-type,return-value]


async def test_at_first_the_history_of_a_week_and_the_last_boot(root: Path) -> None:
    owner, clock = Owner(), Watch(NOW)
    assert await finder(root, owner, clock).look() == 3
    assert [(words[0], text.partition(" ")[0]) for _, _, words, text in owner.given] == [
        ("reboot", "the"),
        ("package", "curl"),
        ("package", "nginx"),
    ]
    verb, by, words, _ = owner.given[2]
    assert (verb, by) == ("changed", "forewarn") and words[2:4] == ("local", "2026-11-22T13:51:00+00:00") and words[5] == "found"
    assert (root / "changes.json").stat().st_mode & 0o777 == 0o600


async def test_what_changed_while_nobody_looked_is_found_at_the_next_start(root: Path) -> None:
    owner, clock = Owner(), Watch(NOW)
    one = finder(root, owner, clock)
    await one.look()
    assert await one.look() == 0, "nothing new"
    owner.given.clear()
    clock.at += timedelta(hours=1)
    (root / "etc" / "hosts").write_text("127.0.0.1 other\n")
    (root / "proc/sys/kernel/random/boot_id").write_text("boot-2\n")
    (root / "proc/sys/kernel/osrelease").write_text("6.1.0-21-amd64\n")
    (root / "sys/block/sda/device/serial").write_text("CCC\n")
    assert await finder(root, owner, clock).look() == 4
    assert sorted(words[0] for _, _, words, _ in owner.given) == ["config", "disk", "kernel", "reboot"]


async def test_what_can_not_be_stored_is_found_again(root: Path) -> None:
    owner, clock = Owner(broken=True), Watch(NOW)
    one = finder(root, owner, clock)
    assert await one.look() == 0
    owner.broken = False
    assert await one.look() == 3


async def test_an_upgrade_that_goes_on_is_told_when_it_is_over(root: Path) -> None:
    owner, clock = Owner(), Watch(datetime(2026, 11, 22, 13, 52, tzinfo=UTC))
    one = finder(root, owner, clock)
    await one.look()
    assert not [text for *_, text in owner.given if text.startswith("nginx")]
    clock.at += timedelta(minutes=10)
    assert await one.look() == 1 and owner.given[-1][3].startswith("nginx")


async def test_it_can_be_switched_off_and_a_broken_memory_is_a_first_look(root: Path) -> None:
    owner, clock = Owner(), Watch(NOW)
    assert await finder(root, owner, clock, find=False).look() == 0 and not (root / "changes.json").exists()
    (root / "changes.json").write_text('{"facts": 1}')
    assert await finder(root, owner, clock).look() == 3


def test_this_machine_has_a_boot_and_a_kernel() -> None:
    facts = machine.read(Path("/proc"), Path("/sys"))
    assert facts.boot and facts.kernel == os.uname().release and facts.booted_s > 1e9
