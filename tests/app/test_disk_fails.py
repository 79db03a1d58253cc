"""A disk really fails while Forewarn watches: a virtual machine's NVMe, asked by the real smartctl."""

from __future__ import annotations

import asyncio
import json
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from disk_vm import machine, missing

from forewarn.app.demo_parts import Api, start_daemon
from forewarn.config.find import shipped
from forewarn.probers import smart_collect
from forewarn.probers.smart_answer import Disk
from forewarn.probers.smart_read import read_files

KEPT = Path(__file__).parents[2] / "var" / "disk-vm"
LACKS = missing()
SEEN_WITHIN_S = 120.0


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.skipif(LACKS is not None, reason=str(LACKS))
async def test_a_disk_fails_while_forewarn_watches(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with machine(tmp_path / "vm", KEPT) as vm:
        shutil.copytree(shipped() / "config", tmp_path / "config", ignore=shutil.ignore_patterns("demo"))
        for folder in ("playbooks", "probes"):
            (tmp_path / folder).mkdir()
        shutil.copy(shipped() / "playbooks" / "failing-disk.yaml", tmp_path / "playbooks")
        probe = (
            (shipped() / "probes" / "smart.yaml")
            .read_text()
            .replace("every: 10m", "every: 15s")
            .replace("timeout: 60s", "timeout: 15s")
        )
        (tmp_path / "probes" / "smart.yaml").write_text(f"{probe}\nsource: smartctl\nprogram: {vm.smartctl}\n")
        (tmp_path / "state").mkdir(mode=0o700)
        daemon = await start_daemon(tmp_path, tmp_path / "state", 0, {}, tmp_path / "daemon.log")
        try:
            api = Api(await port_of(tmp_path), tmp_path / "state")
            assert await until(lambda: health(api)) == {"LABNVME01": 1.0, "LABSATA01": 1.0}
            assert await api.items("/api/v1/findings") == []
            await vm.fail(4)
            (incident,) = await until(lambda: api.items("/api/v1/incidents?state=ahead"))
            await until(lambda: both(api))
            found = {one["rule"]: one for one in await api.items("/api/v1/findings")}
        finally:
            await daemon.stop()
        monkeypatch.setattr(smart_collect, "SMARTCTL", (str(vm.smartctl),))
        (tmp_path / "files").mkdir(mode=0o750)
        assert await asyncio.to_thread(smart_collect.main, [str(tmp_path / "files")]) == 0
        disks = read_files(str(tmp_path / "files"), None, time.time() - 60)
    assert {one.serial: one.values["disk_ok"] for one in disks if isinstance(one, Disk)} == {"LABNVME01": 0.0, "LABSATA01": 1.0}
    assert set(found) == {"failed", "failing"}
    assert {one["series"] for one in found.values()} == {'smart|local|disk_ok{model="QEMU NVMe Ctrl",serial="LABNVME01"}'}
    assert {one["incident"] for one in found.values()} == {incident["id"]}, "two claims about one disk are one trouble"
    assert found["failed"]["colour"] == "red" and found["failing"]["forecast"]["likely"] is None
    assert found["failing"]["forecast"]["p"] >= 0.5 and not found["failing"]["old"]


async def port_of(folder: Path) -> int:
    async def read() -> int:
        try:
            return int(json.loads((folder / "state" / "daemon.json").read_text())["port"])
        except (OSError, ValueError, KeyError):
            return 0

    port: int = await until(read)
    return port


async def health(api: Api) -> dict[str, float]:
    """`disk_ok` by serial number, once both disks have been seen."""
    try:
        series = (await api.items("/api/v1/probes"))[0]["targets"][0]["series"]
    except OSError:
        return {}
    seen = {one["labels"]["serial"]: one["value"] for one in series if one["metric"] == "disk_ok"}
    return seen if len(seen) == 2 else {}


async def both(api: Api) -> bool:
    return len(await api.items("/api/v1/findings")) == 2


async def until(look: Any) -> Any:
    end = time.monotonic() + SEEN_WITHIN_S
    while time.monotonic() < end:
        if found := await look():
            return found
        await asyncio.sleep(0.2)
    raise AssertionError("not seen in time")
