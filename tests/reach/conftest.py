"""A real sshd with an account of the test's own, where the machine allows it."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest
from sshd import ME, SSHD, Sshd, new_key

ACCOUNTS = (("watcher", 64101, "/bin/sh"), ("locked", 64102, "/usr/sbin/nologin"), ("noisy", 64103, "/bin/bash"))


@dataclass(frozen=True)
class Place:
    """Where sshd runs: `user` is the account to log in as; `under` starts it so that it knows `accounts` as well."""

    folder: Path
    user: str
    under: Sequence[str] = ()
    accounts: bool = False


@pytest.fixture(scope="session")
def place() -> Iterator[Place]:
    """As root sshd runs in a mount namespace whose /etc/passwd has accounts more; nothing of the machine is changed. The
    folder is none of pytest's, into which other accounts can't look."""
    if SSHD is None:
        pytest.skip("sshd is missing (package openssh-server)")
    with tempfile.TemporaryDirectory(prefix="forewarn-ssh-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield _place(folder)


def _place(folder: Path) -> Place:
    passwd, shadow = folder / "passwd", folder / "shadow"
    homes = {name: folder / name for name, _, _ in ACCOUNTS}
    if os.geteuid() != 0:
        return Place(folder, ME)
    lines = [f"{name}:x:{uid}:{uid}::{homes[name]}:{shell}\n" for name, uid, shell in ACCOUNTS]
    passwd.write_text(Path("/etc/passwd").read_text() + "".join(lines))
    shadow.write_text(Path("/etc/shadow").read_text() + "".join(f"{name}:*:20000::::::\n" for name, _, _ in ACCOUNTS))
    shadow.chmod(0o640)
    for name, uid, _ in ACCOUNTS:
        homes[name].mkdir()
        os.chown(homes[name], uid, uid)
    (homes["noisy"] / ".bashrc").write_text("echo Welcome to this machine\n")
    under = [
        "unshare", "-m", "sh", "-c",
        f"mount --bind {passwd} /etc/passwd && mount --bind {shadow} /etc/shadow && exec \"$@\"", "sh",
    ]  # fmt: skip
    if subprocess.run([*under, "id", "watcher"], capture_output=True).returncode:
        return Place(folder, ME)
    return Place(folder, "watcher", under, accounts=True)


@pytest.fixture(scope="session")
def key(place: Place) -> Path:
    """A private key that the shared daemon lets in."""
    return new_key(place.folder / "id_ed25519")


@pytest.fixture(scope="session")
def shared(place: Place, key: Path) -> Iterator[Sshd]:
    """One daemon for all tests that leave it as it was."""
    daemon = Sshd(place.folder / "shared", under=place.under, user=place.user)
    daemon.let_in(key.with_suffix(".pub"))
    yield daemon
    daemon.stop()


@pytest.fixture
def sshd(place: Place, tmp_path: Path, key: Path) -> Iterator[object]:
    """Makes daemons of a test's own: `sshd("MaxSessions 1")`; `key` is let in."""
    made: list[Sshd] = []

    def make(*lines: str, **more: object) -> Sshd:
        folder = place.folder / f"{tmp_path.name}-{len(made)}"
        daemon = Sshd(folder, *lines, under=place.under, user=place.user, **more)  # type: ignore[arg-type]
        daemon.let_in(key.with_suffix(".pub"))
        made.append(daemon)
        return daemon

    yield make
    for daemon in made:
        daemon.stop()
