"""The host prober on this machine and on a made-up /proc."""

from __future__ import annotations

import asyncio
import os
import threading
import time

import psutil
import pytest
from probing import probe, values

from forewarn.probers import host_read
from forewarn.probers.host import METRICS
from forewarn.probers.host_read import HostProber, file_system, used_ratio
from forewarn.probers.mounts import Mount, real_mounts
from forewarn.probers.once import run_once

LAPTOP = """\
22 27 0:21 / /proc rw - proc proc rw
27 1 8:1 / / rw,relatime shared:1 - ext4 /dev/sda1 rw
28 27 8:1 /var/lib/docker /var/lib/docker rw - ext4 /dev/sda1 rw
29 27 8:2 / /srv/with\\040space rw - xfs /dev/sda2 rw
30 27 0:30 / /run rw - tmpfs tmpfs rw
31 27 7:0 / /snap/core/1 ro - squashfs /dev/loop0 ro
32 27 0:40 / /mnt/nas rw - nfs4 nas:/x rw
33 27 0:41 / /var/lib/docker/overlay2/x/merged rw - overlay overlay rw
34 27 0:42 / /net rw - autofs systemd-1 rw
35 27 8:3 / /hidden rw - ext4 /dev/sda3 rw
36 35 0:43 / /hidden rw - tmpfs tmpfs rw
bad line
"""


def test_only_real_file_systems_each_once() -> None:
    assert [(mount.where, mount.kind) for mount in real_mounts(LAPTOP)] == [
        ("/", "ext4"),
        ("/mnt/nas", "nfs4"),
        ("/srv/with space", "xfs"),
    ]


def test_a_container_shows_its_root() -> None:
    text = (
        "1 0 0:99 / / rw - overlay overlay rw\n2 1 0:5 / /dev rw - tmpfs tmpfs rw\n3 1 8:1 /x /etc/hosts rw - ext4 /dev/sda1 rw\n"
    )
    text += "4 1 8:1 /vol /var/lib/volume rw - ext4 /dev/sda1 rw\n"
    assert [mount.where for mount in real_mounts(text, lambda where: where != "/etc/hosts")] == ["/", "/var/lib/volume"]


@pytest.mark.parametrize(
    ("before", "now", "ratio"),
    [
        ({"user": 10, "idle": 90}, {"user": 20, "idle": 180}, 0.1),
        ({"user": 10, "idle": 90, "iowait": 0}, {"user": 10, "idle": 90, "iowait": 50}, 0.0),
        ({"user": 0, "guest": 0, "idle": 0}, {"user": 5, "guest": 5, "idle": 5}, 0.5),
        ({"user": 10, "idle": 90, "iowait": 9}, {"user": 20, "idle": 100, "iowait": 3}, 0.5),
        ({"user": 10, "idle": 90}, {"user": 10, "idle": 90}, None),
    ],
)
def test_processor_use(before: dict[str, float], now: dict[str, float], ratio: float | None) -> None:
    assert used_ratio(before, now) == (pytest.approx(ratio) if ratio is not None else None)


def test_file_system_figures() -> None:
    # bsize, frsize, blocks, bfree, bavail, files, ffree, favail, flag, namemax: 10 % of the room is root's own
    full = os.statvfs_result((4096, 4096, 1000, 100, 0, 0, 0, 0, 0, 255))
    assert {metric: value for metric, _, value in file_system("/", full)} == {"fs_used_ratio": 1.0, "fs_free_bytes": 0.0}
    half = os.statvfs_result((4096, 4096, 1000, 600, 400, 100, 25, 25, 0, 255))
    assert [(metric, value) for metric, _, value in file_system("/", half)] == [
        ("fs_used_ratio", 0.5),
        ("fs_free_bytes", 400 * 4096.0),
        ("fs_inodes_used_ratio", 0.75),
    ]
    empty = os.statvfs_result((4096, 4096, 0, 0, 0, 0, 0, 0, 0, 255))
    assert list(file_system("/", empty)) == []


async def test_this_machine() -> None:
    prober, one = HostProber(), probe("host")
    first = (await run_once("async", prober, one, time.time()))[0]
    await asyncio.sleep(0.05)
    second = (await run_once("async", prober, one, time.time() - 1))[0]
    prober.close()
    assert "cpu_used_ratio" not in values(first) and 0 <= values(second)["cpu_used_ratio"] <= 1
    assert second.outcome == "up" and second.target == "local"
    found = values(second)
    assert found["memory_used_ratio"] == pytest.approx(psutil.virtual_memory().percent / 100, abs=0.05)
    assert found["processes"] >= 1 and found["uptime_s"] > 0
    assert ("fs_used_ratio", (("mount", "/"),)) in second.columns
    assert {metric for metric, _ in second.columns} <= set(METRICS)
    assert second.lateness_s == pytest.approx(1, abs=0.5) and 0 < second.took_s < 10.0


async def test_the_same_columns_run_after_run() -> None:
    prober, one = HostProber(), probe("host")
    runs = []
    for _ in range(3):
        runs.append((await run_once("async", prober, one, time.time()))[0])
        await asyncio.sleep(0.03)
    prober.close()
    assert runs[1].columns is runs[2].columns


async def test_mounts_can_be_chosen() -> None:
    prober = HostProber()
    run = (await run_once("async", prober, probe("host", skip_mounts=["/"], mounts="/*"), time.time()))[0]
    prober.close()
    assert ("fs_used_ratio", (("mount", "/"),)) not in run.columns


async def test_a_hung_mount_is_told_and_holds_nobody(tmp_path, monkeypatch) -> None:
    """The one thing that is not real here: no server that hangs. statvfs of that path waits as the kernel would."""
    (tmp_path / "self").mkdir()
    (tmp_path / "self" / "mountinfo").write_text("1 0 8:1 / / rw - ext4 /dev/sda1 rw\n2 1 0:40 / /mnt/nas rw - nfs4 nas:/x rw\n")
    (tmp_path / "uptime").write_text("100.0 200.0\n")
    server_is_back, asked, real = threading.Event(), [], os.statvfs

    def statvfs(where: str) -> os.statvfs_result:
        if where == "/mnt/nas":
            asked.append(where)
            server_is_back.wait(10)
        return real("/")

    monkeypatch.setattr(host_read.os, "statvfs", statvfs)
    monkeypatch.setattr(host_read, "MOUNT_S", 0.05)
    prober, one = HostProber(proc=tmp_path), probe("host")
    runs = [(await run_once("async", prober, one, time.time()))[0] for _ in range(2)]
    assert asked == ["/mnt/nas"], "while the first question hangs, no second one is asked"
    server_is_back.set()
    await asyncio.sleep(0.05)
    runs.append((await run_once("async", prober, one, time.time()))[0])
    prober.close()
    hung = [dict(zip(run.columns, run.values, strict=True))[("fs_hung", (("mount", "/mnt/nas"),))] for run in runs]
    assert hung == [1.0, 1.0, 0.0]
    assert runs[0].outcome == "up" and runs[0].detail == "/mnt/nas (nfs4) does not answer"
    assert ("fs_used_ratio", (("mount", "/"),)) in runs[0].columns, "the others are told as ever"
    assert ("fs_used_ratio", (("mount", "/mnt/nas"),)) in runs[2].columns
    assert max(run.took_s for run in runs) < 10.0


async def test_a_run_that_takes_too_long_is_unknown(monkeypatch) -> None:
    prober = HostProber()
    monkeypatch.setattr(host_read, "memory", lambda: iter(time.sleep(0.2) or ()))
    run = (await run_once("async", prober, probe("host", timeout_s=0.05), time.time()))[0]
    assert (run.outcome, run.reason) == ("unknown", "timeout")
    prober.close()


async def test_one_reader_that_fails_leaves_the_others(tmp_path) -> None:
    prober = HostProber(proc=tmp_path)
    run = (await run_once("async", prober, probe("host"), time.time()))[0]
    prober.close()
    assert run.outcome == "up" and "memory_used_ratio" in values(run)
    assert str(run.detail).startswith("file systems can't be read") and "uptime can't be read" in str(run.detail)


def test_a_mount_knows_whether_it_can_hang() -> None:
    assert Mount("/x", "nfs4", "0:1").remote and not Mount("/x", "ext4", "8:1").remote
