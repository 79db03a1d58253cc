"""The host prober on this machine, and on machines of texts: the same code looks at hosts over SSH."""

from __future__ import annotations

import asyncio
import os
import threading
import time

import psutil
import pytest
from made_machine import MadeMachine
from probing import probe, values

from forewarn.model.series import ProbeRun, metric_text
from forewarn.probers import file_systems, host_read, host_slow
from forewarn.probers.file_systems import figures, room_of, rooms_of
from forewarn.probers.host import METRICS
from forewarn.probers.host_read import HostProber
from forewarn.probers.mounts import Mount, real_mounts
from forewarn.probers.once import run_once
from forewarn.reach.machine import Here

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


def test_a_file_system_that_the_kernel_made_read_only_is_known() -> None:
    text = "27 1 8:1 / / rw,relatime - ext4 /dev/sda1 ro,errors=remount-ro\n28 1 8:2 / /srv ro,relatime - xfs /dev/sda2 rw\n"
    assert {mount.where: mount.readonly for mount in real_mounts(text)} == {"/": True, "/srv": False}, "the second is a view"


def test_file_system_figures() -> None:
    # bsize, frsize, blocks, bfree, bavail, files, ffree, favail, flag, namemax: 10 % of the room is root's own
    root = Mount("/", "ext4", "8:1")

    def shown(*fields: int) -> dict[str, float]:
        found = room_of(os.statvfs_result((*fields, 0, 255)))
        return {metric: value for metric, _, value in figures(file_systems.Answer(root, found))}

    assert shown(4096, 4096, 1000, 100, 0, 0, 0, 0) == {"fs_readonly": 0.0, "fs_used_ratio": 1.0, "fs_free_bytes": 0.0}
    half = {"fs_readonly": 0.0, "fs_used_ratio": 0.5, "fs_free_bytes": 400 * 4096.0, "fs_inodes_used_ratio": 0.75}
    assert shown(4096, 4096, 1000, 600, 400, 100, 25, 25) == half
    assert shown(4096, 4096, 0, 0, 0, 0, 0, 0) == {"fs_readonly": 0.0}


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
    assert found["processes"] >= 1 and found["uptime_s"] > 0 and found["zombies"] >= 0
    assert 0 < second.lateness_s < 10
    assert {metric for metric, _ in second.columns} <= set(METRICS)


async def test_this_machine_by_df_says_what_statvfs_says() -> None:
    """Another machine is asked by df; here both can be asked."""

    class Elsewhere(Here):
        name = "web-1"

    runs = []
    for machine in (Here(), Elsewhere()):
        prober = HostProber(lambda where, machine=machine: machine)
        runs.append(shown((await run_once("async", prober, probe("host", timeout_s=10), time.time()))[0]))
        prober.close()
    here, there = ({name: value for name, value in run.items() if name.startswith("fs_")} for run in runs)
    assert here.keys() == there.keys() and here
    assert all(there[name] == pytest.approx(value, rel=0.01, abs=0.001) for name, value in here.items())


def shown(run: ProbeRun) -> dict[str, float]:
    return {metric_text(*column): value for column, value in zip(run.columns, run.values, strict=True)}


STAT = """\
cpu  1000 0 500 8000 400 0 50 50 0 0
cpu0 900 0 400 3400 200 0 50 50 0 0
cpu1 100 0 100 4600 200 0 0 0 0 0
intr 860970 0 0
procs_running 1
procs_blocked 3
"""
LATER = """\
cpu  1100 0 550 8020 420 0 55 55 0 0
cpu0 990 0 450 3400 205 0 55 55 0 0
cpu1 110 0 100 4620 215 0 0 0 0 0
procs_blocked 0
"""
SERVER = {
    "/proc/stat": STAT,
    "/proc/loadavg": "3.00 2.42 1.34 1/177 15031\n",
    "/proc/uptime": "1000.00 1800.00\n",
    "/proc/meminfo": "MemTotal:  1000 kB\nMemFree:  100 kB\nMemAvailable:  250 kB\nSwapTotal:  400 kB\nSwapFree:  300 kB\n",
    "/proc/vmstat": "nr_free_pages 25\npswpin 77\noom_kill 4\n",
    "/proc/net/dev": (
        "Inter-|   Receive  |  Transmit\n face |bytes packets errs drop fifo frame compressed multicast|bytes ...\n"
        "    lo: 94402142 847518 0 0 0 0 0 0 94402142 847518 0 0 0 0 0 0\n"
        "  eth0:535352787 13509 2 7 0 0 0 0 990962 9320 1 5 0 0 0 0\n  eth1: 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0\n"
    ),
    "/proc/diskstats": (
        " 254 0 vda 100 0 2000 500 50 0 1000 400 0 900 900 0 0 0 0\n 254 1 vda1 100 0 2000 500 50 0 1000 400 0 900 900\n"
        "   7 0 loop0 5 0 10 0 0 0 0 0 0 0 0\n"
    ),
    "/proc/pressure/cpu": "some avg10=12.50 avg60=3.00 avg300=1.00 total=1\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n",
    "/proc/pressure/io": "some avg10=4.00 avg60=50.00 avg300=1.00 total=1\nfull avg10=1.00 avg60=25.00 avg300=0.00 total=0\n",
    "/proc/sys/fs/file-nr": "1200\t0\t2400\n",
    "/proc/sys/net/netfilter/nf_conntrack_count": "90\n",
    "/proc/sys/net/netfilter/nf_conntrack_max": "100\n",
    "/proc/self/mountinfo": (
        "1 0 8:1 / / rw - ext4 /dev/vda1 rw\n2 1 0:40 / /mnt/nas rw - nfs4 nas:/x rw\n3 1 8:2 / /srv/my\\040data rw - xfs /dev/b rw\n"
    ),
    "/sys/block/vda/device/uevent": "DRIVER=virtio_blk\n",
    "/proc/sys/kernel/osrelease": "6.1.0-18-amd64\n",
    "/lib/modules/6.1.0-18-amd64/modules.builtin": "kernel/x.ko\n",
    "/etc/os-release": 'ID=debian\nVERSION_ID="12"\n',
    "/proc/1/stat": "1 (systemd) S 0 1 1 0 -1 4194560 0 0 0 0 10 20 0 0 20 0 1 0 5 1000 200",
    "/proc/7/stat": "7 (odd (name) x) Z 1 1 1 0 -1 4194560 0 0 0 0 10 20 0 0 20 0 1 0 5 0 0",
}
LOCAL_DF = """\
Filesystem 1024-blocks Used Available Capacity Mounted on
/dev/vda1  1000 450 450 50% /
/dev/b     2000 1800 200 90% /srv/my data
"""
LOCAL_DFI = """\
Filesystem Inodes IUsed IFree IUse% Mounted on
/dev/vda1 100 75 25 75% /
/dev/b - - - - /srv/my data
"""
NAS_DF = "Filesystem 1024-blocks Used Available Capacity Mounted on\nnas:/x 4000 1000 3000 25% /mnt/nas\n"
SAYS = {
    "df -P -k -- / ": (0, LOCAL_DF),
    "df -P -i -- / ": (0, LOCAL_DFI),
    "df -P -k -- /mnt": (0, NAS_DF),
    "df -P -i -- /mnt": (1, ""),
    "systemctl list-units": (0, "● app.service loaded failed failed My app\nmnt-x.mount loaded failed failed /mnt/x\n"),
    "systemctl show": (0, "Id=app.service\nNRestarts=3\n\nId=ssh.service\nNRestarts=0\n"),
    "chronyc -c tracking": (0, "A29FC87B,162.159.200.123,4,1700000000.1,-0.000120,0.1,0.1,-12.3,0.0,0.0,0.01,0.001,64.5,Normal\n"),
}


class Moves:
    """A clock for what is asked seldom."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def test_another_machine_gives_the_same_series() -> None:
    machine, moves = MadeMachine(SERVER, SAYS), Moves()
    prober, one = HostProber(lambda where: machine, moves), probe("host", timeout_s=5.0)
    await prober(one, one.targets[0], time.time())
    machine.files |= {
        "/proc/stat": LATER,
        "/proc/uptime": "1001.00 1801.00",
        "/proc/vmstat": "oom_kill 6\npswpin 80\n",
        "/proc/diskstats": " 254 0 vda 110 0 3000 600 50 0 1000 400 0 1400 1650 0 0 0 0\n",
    }
    run = await prober(one, one.targets[0], time.time())
    prober.close()
    assert (run.outcome, run.detail) == ("up", None)
    found = shown(run)
    assert found.pop("os_support_s") == pytest.approx(1_845_936_000 - time.time() + 86400, abs=86400 * 2)
    assert {name: round(value, 6) for name, value in found.items()} == {
        "cpu_used_ratio": 0.8,
        "cpu_iowait_ratio": 0.1,
        "cpu_steal_ratio": 0.025,
        "cpu_busiest_ratio": 0.967742,
        'cpu_core_used_ratio{cpu="0"}': 0.967742,
        'cpu_core_used_ratio{cpu="1"}': 0.222222,
        "load1": 3.0,
        "load1_per_cpu": 1.5,
        'cpu_pressure_ratio{span="10s",tasks="some"}': 0.125,
        'cpu_pressure_ratio{span="60s",tasks="some"}': 0.03,
        'io_pressure_ratio{span="10s",tasks="some"}': 0.04,
        'io_pressure_ratio{span="60s",tasks="some"}': 0.5,
        'io_pressure_ratio{span="10s",tasks="full"}': 0.01,
        'io_pressure_ratio{span="60s",tasks="full"}': 0.25,
        "memory_used_ratio": 0.75,
        "memory_available_bytes": 256000.0,
        "swap_used_ratio": 0.25,
        "memory_swapped_in_total": 80.0,
        "oom_kills_total": 2.0,
        'net_received_bytes_total{nic="eth0"}': 535352787.0,
        'net_sent_bytes_total{nic="eth0"}': 990962.0,
        'net_errors_total{nic="eth0"}': 3.0,
        'net_drops_total{nic="eth0"}': 12.0,
        'disk_read_bytes_total{disk="vda"}': 1536000.0,
        'disk_written_bytes_total{disk="vda"}': 512000.0,
        'disk_busy_ratio{disk="vda"}': 0.5,
        'disk_queue{disk="vda"}': 0.75,
        'disk_read_wait_s{disk="vda"}': 0.01,
        'disk_write_wait_s{disk="vda"}': 0.0,
        "files_open": 1200.0,
        "files_used_ratio": 0.5,
        "conntrack_used_ratio": 0.9,
        "uptime_s": 1001.0,
        "processes_blocked": 0.0,
        "units_failed": 2.0,
        'unit_failed{unit="app.service"}': 1.0,
        'unit_failed{unit="mnt-x.mount"}': 1.0,
        "reboot_pending": 0.0,
        "clock_synced": 1.0,
        "clock_offset_s": 0.00012,
        "processes": 2.0,
        "zombies": 1.0,
        'fs_readonly{mount="/"}': 0.0,
        'fs_used_ratio{mount="/"}': 0.5,
        'fs_free_bytes{mount="/"}': 460800.0,
        'fs_inodes_used_ratio{mount="/"}': 0.75,
        'fs_readonly{mount="/srv/my data"}': 0.0,
        'fs_used_ratio{mount="/srv/my data"}': 0.9,
        'fs_free_bytes{mount="/srv/my data"}': 204800.0,
        'fs_hung{mount="/mnt/nas"}': 0.0,
        'fs_used_ratio{mount="/mnt/nas"}': 0.25,
        'fs_free_bytes{mount="/mnt/nas"}': 3072000.0,
    }
    assert {metric for metric, _ in run.columns} | {"unit_restarts_total", "memory_pressure_ratio"} == set(METRICS)


async def test_what_is_asked_seldom_is_asked_seldom_and_sees_what_was_mended() -> None:
    machine, moves = MadeMachine(SERVER, SAYS), Moves()
    prober, one = HostProber(lambda where: machine, moves), probe("host", timeout_s=5.0, skip_units=["mnt-*"])

    async def later(seconds: float) -> dict[str, float]:
        moves.now += seconds
        await prober(one, one.targets[0], time.time())
        for _ in range(20):  # the asking goes on beside the runs
            await asyncio.sleep(0.005)
        return shown(await prober(one, one.targets[0], time.time()))

    assert (await later(0))['unit_failed{unit="app.service"}'] == 1.0
    asked = len([text for text in machine.ran if "systemctl" in text])
    machine.says["systemctl list-units"] = (0, "")
    machine.says["systemctl show"] = (0, "Id=app.service\nNRestarts=1\n")  # started by hand, and restarted once since
    await later(10)
    assert len([text for text in machine.ran if "systemctl" in text]) == asked, "ten seconds later nobody asks again"
    mended = await later(host_slow.SOONER_S)
    assert mended["units_failed"] == 0.0 and mended['unit_failed{unit="app.service"}'] == 0.0
    assert mended['unit_restarts_total{unit="app.service"}'] == 1.0
    assert 'unit_failed{unit="app.service"}' not in await later(host_slow.EVERY_S), "told once, then it is a unit like any other"
    prober.close()


async def test_a_machine_that_was_restarted_counts_anew() -> None:
    machine = MadeMachine(SERVER, SAYS)
    prober, one = HostProber(lambda where: machine), probe("host", timeout_s=5.0)
    await prober(one, one.targets[0], time.time())
    machine.files |= {"/proc/uptime": "20.0 30.0", "/proc/vmstat": "oom_kill 1\n"}
    found = shown(await prober(one, one.targets[0], time.time()))
    prober.close()
    assert found["oom_kills_total"] == 1.0 and found["uptime_s"] == 20.0
    assert "cpu_used_ratio" not in found and not [name for name in found if name.startswith("disk_busy")]


async def test_a_mount_that_hangs_elsewhere_is_told_and_left_alone_for_a_while() -> None:
    machine = MadeMachine(SERVER, SAYS)
    machine.hangs.add("/mnt/nas")
    prober, one = HostProber(lambda where: machine), probe("host", timeout_s=5.0)
    runs = [await prober(one, one.targets[0], time.time()) for _ in range(3)]
    prober.close()
    assert [shown(run)['fs_hung{mount="/mnt/nas"}'] for run in runs] == [1.0] * 3
    assert runs[2].detail == "/mnt/nas (nfs4) does not answer" and 'fs_used_ratio{mount="/"}' in shown(runs[2])
    assert len([text for text in machine.ran if text.startswith("df -P -k -- /mnt")]) == 1


async def test_more_cores_than_are_wanted_show_only_the_busiest() -> None:
    machine = MadeMachine(SERVER)
    prober, one = HostProber(lambda where: machine), probe("host", timeout_s=5.0, cores=1, mounts=[])
    await prober(one, one.targets[0], time.time())
    machine.files |= {"/proc/stat": LATER, "/proc/uptime": "1001.0 1.0"}
    found = shown(await prober(one, one.targets[0], time.time()))
    prober.close()
    assert found["cpu_busiest_ratio"] == pytest.approx(0.967742, abs=1e-4)
    assert not [name for name in found if "core" in name]
    assert "units_failed" not in found and "clock_synced" not in found, "no systemd, no chrony: left out, and no trouble"


@pytest.mark.parametrize("path", [path for path in SERVER if path.startswith("/proc/") and path.count("/") < 4])
@pytest.mark.parametrize("text", ["", "nonsense\n", "a b c d\n\x00", "cpu x\n", "cpu 1\n", "-"])
async def test_a_garbled_kernel_file_never_stops_the_others(path: str, text: str) -> None:
    machine = MadeMachine({**SERVER, path: text}, SAYS)
    prober, one = HostProber(lambda where: machine), probe("host", timeout_s=5.0)
    await prober(one, one.targets[0], time.time())
    run = await prober(one, one.targets[0], time.time())
    prober.close()
    assert run.outcome == "up" and "units_failed" in values(run)


async def test_a_machine_that_shows_nothing_is_unknown() -> None:
    machine = MadeMachine({})
    prober, one = HostProber(lambda where: machine), probe("host", timeout_s=5.0)
    run = await prober(one, one.targets[0], time.time())
    prober.close()
    assert (run.outcome, run.reason) == ("unknown", "permission") and "/proc/stat is missing" in str(run.detail)


async def test_a_network_file_system_that_hangs_is_told_and_holds_nobody(monkeypatch) -> None:
    """The one thing that is not real here: no server that hangs. statvfs of that path waits as the kernel would."""
    machine = MadeMachine(
        {**SERVER, "/proc/self/mountinfo": SERVER["/proc/self/mountinfo"].replace("/srv/my\\040data", "/tmp")}, name="local"
    )
    server_is_back, asked, real = threading.Event(), [], os.statvfs

    def statvfs(where: str) -> os.statvfs_result:
        if where == "/mnt/nas":
            asked.append(where)
            server_is_back.wait(10)
        return real("/")

    monkeypatch.setattr(file_systems.os, "statvfs", statvfs)
    monkeypatch.setattr(file_systems, "MOUNT_S", 0.05)
    prober, one = HostProber(lambda where: machine), probe("host")
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


async def test_a_run_that_takes_too_long_is_unknown(monkeypatch) -> None:
    prober = HostProber()
    monkeypatch.setattr(host_read, "real_mounts", lambda *_: time.sleep(0.2) or [])
    run = (await run_once("async", prober, probe("host", timeout_s=0.05), time.time()))[0]
    assert (run.outcome, run.reason) == ("unknown", "timeout")
    prober.close()


def test_df_of_names_with_spaces_and_without_inodes() -> None:
    found = rooms_of(LOCAL_DF, LOCAL_DFI, ["/", "/srv/my data"])
    assert found["/srv/my data"].used == 1800 * 1024 and found["/srv/my data"].inodes == 0
    assert (found["/"].inodes, found["/"].inodes_used) == (100, 75)
    assert rooms_of("", "nonsense", ["/"]) == {}


def test_a_mount_knows_whether_it_can_hang() -> None:
    assert Mount("/x", "nfs4", "0:1").remote and not Mount("/x", "ext4", "8:1").remote
