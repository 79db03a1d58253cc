"""What would let us read a log that we may not read."""

from __future__ import annotations

import grp
import os
import pwd
import stat
from pathlib import Path


def remedy(path: str) -> str:
    """The group of the file, or of the first folder on the way that shuts us out."""
    place = Path(path)
    for one in (*reversed(place.parents), place):
        try:
            found = one.stat()
        except OSError:
            break
        bits = stat.S_IRGRP if one == place else stat.S_IXGRP
        if os.access(one, os.R_OK if one == place else os.X_OK):
            continue
        if found.st_mode & bits:
            return f"; add the user {_user()} to the group {_group(found.st_gid)}"
        return f"; only its owner may read {one}, so change its mode or owner"
    return ""


def _user() -> str:
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)
