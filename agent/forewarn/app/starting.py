"""What a start needs before there is a daemon: the state folder, a socket, and threads that end with it."""

from __future__ import annotations

import os
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack

from forewarn.model.errors import ForewarnError, StoreError
from forewarn.runtime.ballast import Ballast
from forewarn.runtime.state_folder import StateFolder


def owned(place: StateFolder) -> bool:
    """Own the state folder; on a full disk the ballast of the life before makes the room that a start needs, and that is
    the answer."""
    try:
        place.own()
    except StoreError as error:
        if not (error.full and Ballast(place.ballast).give_up()):
            raise
        place.own()
        return True
    return False


def pool(stack: AsyncExitStack, name: str, size: int) -> ThreadPoolExecutor:
    made = ThreadPoolExecutor(size, thread_name_prefix=name)
    stack.callback(made.shutdown, wait=True, cancel_futures=True)
    return made


def bound(host: str, port: int) -> socket.socket:
    """A listening socket (port 0: a free one), or a clear word why there is none."""
    try:
        return socket.create_server((host, port), backlog=128, reuse_port=False)
    except OSError as error:
        raise ForewarnError(
            f"{host}:{port} can't be used ({os.strerror(error.errno or 0)}); stop what listens there or give --port"
        ) from error
