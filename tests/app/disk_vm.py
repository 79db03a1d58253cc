"""A virtual machine (QEMU, no KVM needed) whose NVMe and SATA disk answer the real smartctl, and whose NVMe can be made to fail.

Built by scripts/disk-vm.sh. A program in smartctl's place passes its arguments into the machine and its answer out.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

NEEDED = ("qemu-system-x86_64", "smartctl", "setpriv", "busybox", "cpio", "depmod", "dpkg-deb", "apt-get")
BUILD = Path(__file__).parents[2] / "scripts" / "disk-vm.sh"
READY_WITHIN_S = 240.0

PASS_ON = """#!{python}
import fcntl, pathlib, socket, sys
place = pathlib.Path({line!r})
with open(place.with_name("lock"), "w") as lock:
    fcntl.flock(lock, fcntl.LOCK_EX)  # one question at a time
    with socket.socket(socket.AF_UNIX) as line:
        line.settimeout(30)
        line.connect(str(place))
        line.sendall((" ".join(sys.argv[1:]) + "\\n").encode())
        said = b""
        while not said.rstrip().rpartition(b"\\n")[2].startswith(b"@@ ") or not said.endswith(b"\\n"):
            said += line.recv(65536)
said, _, status = said.replace(b"\\r", b"").rstrip().rpartition(b"@@ ")
sys.stdout.write(said.decode())
sys.exit(int(status))
"""


def missing() -> str | None:
    """Why no such machine can be made here."""
    lacking = [program for program in NEEDED if shutil.which(program) is None]
    if lacking:
        return f"{', '.join(lacking)} not here (packages qemu-system-x86 smartmontools busybox-static kmod cpio)"
    return None if os.geteuid() == 0 else "reading packages into a folder of devices needs root"


class Machine:
    """One that runs. `smartctl` is the program to name in a probe."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.smartctl = folder, folder / "smartctl"

    async def fail(self, bits: int) -> None:
        """Set the NVMe's critical warning (bits 1 to 31) while it runs."""
        reader, writer = await asyncio.open_unix_connection(self.folder / "qmp")
        await reader.readline()
        setting = {"path": "/machine/peripheral/nvme", "property": "smart_critical_warning", "value": bits}
        for command in ({"execute": "qmp_capabilities"}, {"execute": "qom-set", "arguments": setting}):
            writer.write(json.dumps(command).encode() + b"\n")
            answer = json.loads(await reader.readline())
            assert "error" not in answer, answer
        writer.close()


@asynccontextmanager
async def machine(folder: Path, kept: Path) -> AsyncIterator[Machine]:
    """Built in `kept` the first time (half a minute), booted in `folder` (five seconds), ended by its id."""
    build = await asyncio.create_subprocess_exec(str(BUILD), str(kept))
    assert await build.wait() == 0, "see what scripts/disk-vm.sh said"
    folder.mkdir(exist_ok=True)
    made = Machine(folder)
    made.smartctl.write_text(PASS_ON.format(python=sys.executable, line=str(folder / "line")))
    made.smartctl.chmod(0o755)
    for name in ("nvme.img", "sata.img"):
        with (folder / name).open("wb") as file:
            file.truncate(64 << 20)
    with (folder / "qemu.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *_argv(folder, kept), stdin=asyncio.subprocess.DEVNULL, stdout=log, stderr=log
        )
    try:
        await _ready(folder, process)
        yield made
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _ready(folder: Path, process: asyncio.subprocess.Process) -> None:
    async with asyncio.timeout(READY_WITHIN_S):
        while not (folder / "line").exists():
            assert process.returncode is None, (folder / "qemu.log").read_text()
            await asyncio.sleep(0.05)
        reader, writer = await asyncio.open_unix_connection(folder / "line")
        assert (await reader.readline()).strip() == b"@@ ready", (folder / "console").read_text()[-2000:]
        writer.close()


def _argv(folder: Path, kept: Path) -> list[str]:
    return [
        "qemu-system-x86_64", "-accel", "tcg", "-M", "q35", "-cpu", "max", "-m", "256", "-smp", "1",
        "-nodefaults", "-display", "none", "-no-reboot", "-nic", "none",
        "-kernel", str(kept / "vmlinuz"), "-initrd", str(kept / "initramfs.gz"),
        "-append", "console=ttyS0 quiet panic=-1 mitigations=off tsc=unstable",
        "-serial", f"file:{folder / 'console'}",
        "-chardev", f"socket,id=line,path={folder / 'line'},server=on,wait=off", "-serial", "chardev:line",
        "-qmp", f"unix:{folder / 'qmp'},server=on,wait=off",
        "-drive", f"file={folder / 'nvme.img'},if=none,id=n0,format=raw", "-device", "nvme,drive=n0,serial=LABNVME01,id=nvme",
        "-drive", f"file={folder / 'sata.img'},if=none,id=s0,format=raw", "-device", "ide-hd,drive=s0,serial=LABSATA01,bus=ide.0",
    ]  # fmt: skip
