"""Rights: can the user that Forewarn runs as read and write what it needs, and nobody else what they must not?

That user is the owner of the state folder. For another user than oneself the answer comes from the bits of owner, group
and others; access lists are not read, so a file that has one is left alone.
"""

from __future__ import annotations

import grp
import os
import pwd
import shlex
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from glob import glob
from pathlib import Path

from forewarn.app.doctor.check import FINE, NOTE, PROBLEM, Check, Patient
from forewarn.app.doctor.disk import existing
from forewarn.app.doctor.remedies import as_root, install
from forewarn.model.text import say
from forewarn.probers.log import LogOptions

TOO_OPEN = 0o077


@dataclass(frozen=True, slots=True)
class User:
    """Whoever runs the daemon."""

    name: str
    uid: int
    groups: frozenset[int]

    @staticmethod
    def of(uid: int) -> User:
        try:
            known = pwd.getpwuid(uid)
            return User(known.pw_name, uid, frozenset(os.getgrouplist(known.pw_name, known.pw_gid)))
        except KeyError:
            return User(str(uid), uid, frozenset())

    def may(self, path: Path, bits: int) -> bool:
        """Whether the user may do this (4 read, 2 write, 1 enter) to the path itself. Raises OSError."""
        if self.uid == 0:
            return True
        found = path.stat()
        if self.uid == os.geteuid():
            return os.access(path, bits)
        if "system.posix_acl_access" in os.listxattr(path):
            return True
        shift = 6 if found.st_uid == self.uid else 3 if found.st_gid in self.groups else 0
        return (stat.S_IMODE(found.st_mode) >> shift) & bits == bits

    def barrier(self, path: Path) -> Path | None:
        """The first folder on the way that can't be entered, or the file itself if it can't be read; None: all is well."""
        for folder in reversed(path.parents):
            if not self.may(folder, os.X_OK):
                return folder
        return None if self.may(path, os.R_OK) else path


def look(patient: Patient) -> Iterator[Check]:
    """The state folder, the files with secrets, the logs that are followed."""
    user = User.of(existing(patient.place.path).stat().st_uid if patient.place.path.exists() else os.geteuid())
    if user.uid not in (os.geteuid(), 0) and os.geteuid() != 0:
        yield Check(
            "permissions", NOTE, say("doctor.permissions.other_user", user=user.name), f"sudo -u {user.name} forewarn doctor"
        )
    found = [*_state(patient), *_secrets(patient), *_logs(patient, user)]
    yield from found or [Check("permissions", FINE, say("doctor.permissions.fine", user=user.name))]


def _state(patient: Patient) -> Iterator[Check]:
    path = patient.place.path
    if not path.exists():
        above = existing(path)
        if not os.access(above, os.W_OK):
            what = say("doctor.permissions.cannot_make", folder=patient.place.shown, above=str(above))
            yield Check("permissions", PROBLEM, what, as_root("install", "-d", "-m", "0700", "-o", _me(), str(path.absolute())))
        return
    owner = path.stat().st_uid
    for each in (path, patient.place.token_file, patient.place.ledger, patient.place.samples):
        try:
            found = each.stat()
        except OSError:
            continue  # not made yet, or not ours to look at
        if stat.S_IMODE(found.st_mode) & TOO_OPEN:
            what = say("doctor.permissions.too_open", path=str(each), mode=f"{stat.S_IMODE(found.st_mode):04o}")
            yield Check("permissions", PROBLEM, what, as_root("chmod", "go=", str(each)))
        if found.st_uid != owner:
            what = say("doctor.permissions.owner", path=str(each), user=User.of(found.st_uid).name, owner=User.of(owner).name)
            yield Check("permissions", PROBLEM, what, as_root("chown", User.of(owner).name, str(each)))


def _secrets(patient: Patient) -> Iterator[Check]:
    """Files in config/ that are no YAML hold a secret each (`url_file`, `server_file`)."""
    folder = patient.folder / "config"
    for path in sorted(folder.iterdir()) if folder.is_dir() else ():
        if path.suffix in (".yaml", ".yml") or path.name.startswith(".") or not path.is_file():
            continue
        mode = stat.S_IMODE(path.stat().st_mode)
        if mode & 0o007:
            what = say("doctor.permissions.secret_open", path=str(path), mode=f"{mode:04o}")
            yield Check("permissions", PROBLEM, what, as_root("chmod", "o=", str(path)))


def _logs(patient: Patient, user: User) -> Iterator[Check]:
    for probe in patient.settings.probes.values() if patient.settings else ():
        if isinstance(probe.options, LogOptions):
            yield from _followed(probe.name, probe.options.files, user)


def _followed(probe: str, patterns: tuple[str, ...], user: User) -> Iterator[Check]:
    """Files of one probe. That one of several is not there is common: other systems call their log otherwise."""
    paths = sorted(path for pattern in patterns for path in glob(pattern))  # noqa: PTH207 - absolute patterns
    if not paths:
        what = say("doctor.permissions.no_log", probe=probe, paths=", ".join(patterns))
        mend = install("rsyslogd") if any(pattern.startswith("/var/log/") for pattern in patterns) else None
        yield Check("permissions", NOTE, what, mend or f"ls -l {shlex.quote(str(Path(patterns[0]).parent))}")
    for path in map(Path, paths):
        try:
            barrier = user.barrier(path)
        except OSError:
            continue  # it was rotated away meanwhile
        if barrier is not None:
            what = say("doctor.permissions.log", probe=probe, path=str(path), user=user.name)
            yield Check("permissions", PROBLEM, what, _let_read(barrier, user))


def _let_read(barrier: Path, user: User) -> str:
    """The way that gives least: the group of logs where there is one, else this user alone."""
    found = barrier.stat()
    by_group = bool(found.st_mode & (stat.S_IXGRP if barrier.is_dir() else stat.S_IRGRP)) and found.st_gid != 0
    if by_group:
        return as_root("usermod", "-aG", grp.getgrgid(found.st_gid).gr_name, user.name)
    return as_root("setfacl", "-m", f"u:{user.name}:{'x' if barrier.is_dir() else 'r'}", str(barrier))


def _me() -> str:
    return shlex.quote(User.of(os.geteuid()).name)
