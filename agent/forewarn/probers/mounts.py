"""Which file systems of this machine are real: those that can fill up and that somebody would miss.

Source: proc_pid_mountinfo(5).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

LOCAL = frozenset(
    [
        "ext2",
        "ext3",
        "ext4",
        "xfs",
        "btrfs",
        "zfs",
        "f2fs",
        "jfs",
        "reiserfs",
        "bcachefs",
        "nilfs2",
        "vfat",
        "exfat",
        "ntfs",
        "ntfs3",
        "hfsplus",
        "ufs",
        "gfs2",
        "ocfs2",
    ]
)
REMOTE = frozenset(
    [
        "nfs",
        "nfs4",
        "cifs",
        "smb3",
        "ceph",
        "glusterfs",
        "lustre",
        "beegfs",
        "9p",
        "afs",
        "fuse.sshfs",
        "fuse.glusterfs",
        "fuse.cephfs",
        "fuse.s3fs",
    ]
)
"""These can hang for as long as their server is away."""

_OCTAL = re.compile(r"\\([0-7]{3})")


@dataclass(frozen=True, slots=True)
class Mount:
    """`where` it is mounted, its `kind` (ext4, nfs4 ...) and the `device` number that tells copies apart. `readonly`: as a
    whole, which is how the kernel leaves one after an error; a read-only view of a writable one does not count."""

    where: str
    kind: str
    device: str
    readonly: bool = False

    @property
    def remote(self) -> bool:
        return self.kind in REMOTE


def real_mounts(mountinfo: str, is_folder: Callable[[str], bool] = lambda where: True) -> list[Mount]:
    """The mounts to watch, by place: one for each device, the shortest path of it (the others are bind mounts of the same).

    Containers mount single files such as /etc/hosts from outside: these are no file systems. A root that is an overlay (a container) counts when nothing else would be left of it; overlays elsewhere share their
    space with a file system that is listed anyhow.
    """
    chosen: dict[str, Mount] = {}
    for mount in _parse(mountinfo):
        if mount.kind not in LOCAL and mount.kind not in REMOTE and not (mount.where == "/" and mount.kind == "overlay"):
            continue
        if not mount.remote and not is_folder(mount.where):
            continue
        known = chosen.get(mount.device)
        if known is None or len(mount.where) < len(known.where):
            chosen[mount.device] = mount
    return sorted(chosen.values(), key=lambda mount: mount.where)


def _parse(mountinfo: str) -> list[Mount]:
    """All mounts that can be seen: one that was mounted over another hides it."""
    seen: dict[str, Mount] = {}
    for line in mountinfo.splitlines():
        left, dash, right = line.partition(" - ")
        fields, kinds = left.split(), right.split()
        if dash and len(fields) >= 5 and kinds:
            where = _OCTAL.sub(lambda octal: chr(int(octal[1], 8)), fields[4])
            seen[where] = Mount(where, kinds[0], fields[2], len(kinds) >= 3 and "ro" in kinds[2].split(","))
    return list(seen.values())
