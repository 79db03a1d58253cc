"""SSH itself: a connection, and a command on it. The only user of paramiko.

Whatever hangs here hangs without holding anybody else: the exchange of keys and the log-in run on the connection's own
thread and wake the loop when they are done. Only what paramiko has no such way for blocks (opening a channel, handing the
command over, agents and key files): those functions say so, and run on a Lane (turns.py).

paramiko 5 speaks no DSA, no SHA-1 signatures and no SHA-1 key exchange: very old devices are out of reach.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from functools import lru_cache
from itertools import repeat
from pathlib import Path
from typing import TYPE_CHECKING

import paramiko
from paramiko.common import cMSG_CHANNEL_REQUEST

from forewarn.reach.known_hosts import Key
from forewarn.reach.machine import CannotReach

if TYPE_CHECKING:
    from forewarn.model.map import Host
    from forewarn.reach.turns import Lane

POLL_S = 5.0
"""How often a connection's thread wakes when nothing comes; paramiko's own 0.1 s would be 2,000 wake-ups a second for 200
hosts. Also the resolution of the keepalive."""
KEEPALIVE_S = 30
GONE_MS = 30_000
"""A connection whose packets nobody acknowledges for so long is dead; the kernel says so (TCP_USER_TIMEOUT)."""
MOST_KEYS = 5
"""Keys that are tried: a server ends the connection after six (MaxAuthTries)."""
OWN_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")
PIECE = 65_536
AT_ONCE = 64
"""Pieces of output that are taken in one go."""
EXIT_PAUSES_S = (0.0, 0.002, 0.01, 0.05)
RSA = ("rsa-sha2-512", "rsa-sha2-256")
CUT = (paramiko.SSHException, paramiko.SFTPError, EOFError, TimeoutError)
"""What a use of SFTP raises beside OSError when the host or the connection is gone."""

_LOG = logging.getLogger("paramiko")
_LOG.addHandler(logging.NullHandler())
_LOG.propagate = False  # what fails comes to us as errors; its traces are for its own developers


class Waking(threading.Event):
    """An event that a thread of paramiko sets and a task waits for."""

    def __init__(self) -> None:
        super().__init__()
        self._loop, self._woken = asyncio.get_running_loop(), asyncio.Event()

    def set(self) -> None:
        super().set()
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._woken.set)

    async def woken(self) -> None:
        """Until it is set; then it may be waited for again."""
        await self._woken.wait()
        self._woken.clear()


class Ssh:
    """One connection to a host over `sock`, a connected socket or a tunnel through another host."""

    def __init__(self, host: Host, sock: socket.socket | paramiko.Channel, known_kinds: frozenset[str]) -> None:
        """`known_kinds`: types of the keys that are known of the host; it is asked for one of these."""
        self._host, self._sock = host, sock
        if isinstance(sock, socket.socket):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, GONE_MS)
        self._transport = paramiko.Transport(sock)
        sock.settimeout(POLL_S)
        options = self._transport.get_security_options()
        wanted = {name for kind in known_kinds for name in (RSA if kind == "ssh-rsa" else (kind,))}
        if kinds := [kind for kind in options.key_types if kind in wanted]:
            options.key_types = kinds

    @property
    def alive(self) -> bool:
        return bool(self._transport.is_active())

    def close(self) -> None:
        """At once; threads that wait on this connection are let go."""
        if isinstance(self._sock, socket.socket):
            with suppress(OSError):
                self._sock.shutdown(socket.SHUT_RDWR)  # wakes the connection's thread, which close() alone does not
        self._transport.close()

    async def key(self) -> Key:
        """Exchange keys; answers the one that the host showed. Raises CannotReach."""
        done = Waking()
        self._transport.start_client(event=done)
        await done.woken()
        if not self.alive:
            raise self._no_ssh(self._transport.get_exception())
        shown = self._transport.get_remote_server_key()
        return Key(shown.get_name(), shown.asbytes())

    def _no_ssh(self, error: Exception | None) -> CannotReach:
        who = f"{self._host.name} ({self._host.place})"
        if isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
            return CannotReach("protocol", f"{who} and Forewarn know no common cipher, key exchange or type of key: {error}")
        if error is None or isinstance(error, EOFError | OSError) or "banner" in str(error):
            return CannotReach("reset", f"{who} closed the connection before the keys were exchanged; see the log of its sshd")
        return CannotReach("protocol", f"{who} does not speak SSH as it should: {error}")

    async def log_in(self, keys: list[paramiko.PKey]) -> None:
        """With the first of `keys` that the host takes. Raises CannotReach."""
        offered = ""
        for key in keys[:MOST_KEYS]:
            done = Waking()
            try:
                self._transport.auth_publickey(self._host.user, key, event=done)
                await done.woken()
            except paramiko.SSHException:  # it ended meanwhile
                break
            if self._transport.is_authenticated():
                self._transport.set_keepalive(KEEPALIVE_S)
                return
            error = self._transport.get_exception()
            if isinstance(error, paramiko.BadAuthenticationType):
                offered = f"; it takes {' or '.join(error.allowed_types)}, and Forewarn logs in with keys only"
                break
            if isinstance(error, paramiko.ssh_exception.PartialAuthentication):
                offered = "; it took the key and wants a second proof, which a daemon can't give"
                break
            if not self.alive:
                break
        raise CannotReach("auth", self._refused(keys[:MOST_KEYS], offered))

    def _refused(self, keys: list[paramiko.PKey], offered: str) -> str:
        host = self._host
        if not keys:
            return f"there is no key to log in to {host.name} with: name one in hosts.yaml (key: FILE), or start an agent"
        tried = ", ".join(key.fingerprint for key in keys)
        mend = offered or f"; put the public key into ~{host.user}/.ssh/authorized_keys there"
        return f"{host.name} does not let {host.user} in with {'the key' if len(keys) == 1 else 'the keys'} {tried}{mend}"

    def tunnel(self, host: Host, timeout_s: float) -> paramiko.Channel:
        """A way through this host to another one. Blocks. Raises CannotReach."""
        try:
            return self._transport.open_channel("direct-tcpip", (host.address, host.port), ("127.0.0.1", 0), timeout=timeout_s)
        except (paramiko.SSHException, EOFError, OSError) as error:
            why = _said(error)
            raise CannotReach("jump", f"{self._host.name} opens no way to {host.name} ({host.place}): {why}") from None

    def sftp(self, timeout_s: float) -> paramiko.SFTPClient:
        """The host's files, each exchange within `timeout_s`. Blocks. Raises CannotReach."""
        name = self._host.name
        try:
            channel = self._transport.open_session(timeout=timeout_s)
            channel.settimeout(timeout_s)
            channel.invoke_subsystem("sftp")
            return paramiko.SFTPClient(channel)
        except (*CUT, OSError) as error:
            if self.alive:
                mend = f"have its sshd_config say: Subsystem sftp internal-sftp ({_said(error)})"
                raise CannotReach("protocol", f"{name} does not show files to {self._host.user} by SFTP; {mend}") from None
            raise CannotReach("reset", f"the connection to {name} was cut: {_said(error)}") from None


class Command:
    """A command of a connection: `start` it, await `ended`. Of each stream `cap` bytes are kept, and all are taken."""

    def __init__(self, ssh: Ssh, text: str, cap: int) -> None:
        self._ssh, self._text, self._cap = ssh, text, cap
        self._channel: paramiko.Channel | None = None
        self._news = Waking()
        self.handed = False  # whether the host may have begun it
        self.kept = (bytearray(), bytearray())
        self.sizes = [0, 0]

    def start(self, timeout_s: float) -> None:
        """Hand it over. Blocks: where the host says nothing, until the connection is closed. Raises CannotReach."""
        name = self._ssh._host.name
        try:
            self._channel = channel = self._ssh._transport.open_session(timeout=timeout_s)
            self.handed = True
            channel.exec_command(self._text)
            channel.shutdown_write()  # its input is empty
            channel.in_buffer.set_event(self._news)
            channel.in_stderr_buffer.set_event(self._news)
        except paramiko.ChannelException as error:
            why = f"{name} opens no more sessions ({_said(error)}); see MaxSessions in its sshd_config"
            raise CannotReach("protocol", why) from None
        except (paramiko.SSHException, EOFError, OSError) as error:
            refused = self.handed and self._ssh.alive
            why = f"{name} runs no commands for {self._ssh._host.user}" if refused else f"the connection to {name} was cut"
            raise CannotReach("protocol" if refused else "reset", f"{why}: {_said(error)}", begun=self.handed) from None

    async def ended(self, lane: Lane) -> int | None:
        """Its exit status, when it has one and all output has come; None where it ended without. Raises CannotReach."""
        channel = self._channel
        assert channel
        while not await lane.do(self._take):
            await self._news.woken()
        for pause_s in _pauses():
            if channel.exit_status_ready():
                break
            await asyncio.sleep(pause_s)
        code: int = channel.exit_status
        if code < 0 and not self._ssh.alive:
            name = self._ssh._host.name
            raise CannotReach("reset", f"the connection to {name} was cut while the command ran there", begun=True)
        return code if code >= 0 else None

    def _take(self) -> bool:
        """What has come; whether that was all. Blocks only while keys are exchanged anew."""
        channel = self._channel
        assert channel
        over = bool(channel.eof_received or channel.closed)  # asked first: what came before the end is there then
        for index, (ready, take) in enumerate(
            ((channel.recv_ready, channel.recv), (channel.recv_stderr_ready, channel.recv_stderr))
        ):
            for _ in range(AT_ONCE):
                if not ready():
                    break
                data = take(PIECE)
                self.sizes[index] += len(data)
                self.kept[index].extend(data[: max(0, self._cap - len(self.kept[index]))])
            else:
                self._news.set()  # there is more
                over = False
        return over

    def close(self, *, kill: bool = False) -> None:
        """Let go of it; with `kill` the host is told to end it first (sshd 7.9 and newer do, unless for root). Blocks."""
        if self._channel is None:
            return
        with suppress(paramiko.SSHException, EOFError, OSError):
            if kill and self._ssh.alive and not self._channel.closed:
                message = paramiko.Message()
                message.add_byte(cMSG_CHANNEL_REQUEST)
                message.add_int(self._channel.remote_chanid)
                message.add_string("signal")  # RFC 4254, 6.9; paramiko has no call for it
                message.add_boolean(False)
                message.add_string("KILL")
                self._ssh._transport._send_user_message(message)  # type: ignore[attr-defined]
            self._channel.close()


def _pauses() -> Iterator[float]:
    """Between looks for an exit status, which as a rule has come with the end of the output."""
    yield from EXIT_PAUSES_S
    yield from repeat(EXIT_PAUSES_S[-1])


def _said(error: BaseException) -> str:
    text = error.args[-1] if error.args else ""
    return " ".join(str(text).split())[:200] or type(error).__name__


# --- keys to log in with ----------------------------------------------------------------------------------------------


def keys_for(host: Host) -> list[paramiko.PKey]:
    """The key of the configuration; else those of the agent and then the user's own. Blocks. Raises CannotReach."""
    if host.key:
        try:
            secret = host.passphrase.reveal() if host.passphrase else None
            return [_key(host.key, host.certificate, secret, _changed(host.key, host.certificate))]
        except FileNotFoundError as error:
            raise CannotReach("missing", f"the key of {host.name} is not there: {error.filename}") from None
        except PermissionError as error:
            why = f"the key of {host.name}, {error.filename}, may not be read; make it the daemon user's: chown forewarn FILE"
            raise CannotReach("permission", why) from None
        except (paramiko.SSHException, ValueError, TypeError, OSError) as error:
            raise CannotReach("config", f"the key of {host.name}, {host.key}, can't be used: {_said(error)}") from None
    return [*_agent_keys(host), *_own_keys()]


@lru_cache(maxsize=64)
def _key(path: str, certificate: str | None, passphrase: str | None, changed: tuple[int, int]) -> paramiko.PKey:
    """Read once for all hosts: opening an encrypted key takes a good part of a second, on purpose."""
    try:
        key = paramiko.PKey.from_path(path, passphrase.encode() if passphrase else None)  # type: ignore[arg-type]  # bytes, see there
    except TypeError:  # the library's way to say that one of the two is there alone
        needs = "write passphrase_file: FILE, or load it into an agent"
        raise ValueError("it is not encrypted; take passphrase_file out" if passphrase else f"it is encrypted; {needs}") from None
    except ValueError as error:
        raise ValueError("the passphrase does not open it" if passphrase else str(error)) from None
    if certificate:
        if not Path(certificate).is_file():
            raise ValueError(f"there is no certificate {certificate}")
        key.load_certificate(certificate)
    return key


def _changed(path: str, certificate: str | None) -> tuple[int, int]:
    """When a key and its certificate were written last, in nanoseconds. Raises OSError for a key that is not there."""
    beside = Path(certificate or f"{path}-cert.pub")
    return Path(path).stat().st_mtime_ns, beside.stat().st_mtime_ns if beside.is_file() else 0


def let_go(keys: list[paramiko.PKey]) -> None:
    """The keys are needed no more: the agent is left."""
    for key in keys:
        if isinstance(key, paramiko.AgentKey):
            key.agent.close()  # type: ignore[attr-defined]


def _agent_keys(host: Host) -> list[paramiko.PKey]:
    try:
        agent = paramiko.Agent()
        keys = list(agent.get_keys())
    except (paramiko.SSHException, OSError, EOFError) as error:
        raise CannotReach("config", f"the agent that is to open {host.name} can't be asked: {_said(error)}") from None
    if not keys:
        agent.close()
    return list(keys)


def _own_keys() -> list[paramiko.PKey]:
    """Keys in the home of the daemon's user; encrypted ones are the agent's matter."""
    found = []
    for name in OWN_KEYS:
        path = Path("~/.ssh", name).expanduser()
        with suppress(paramiko.SSHException, ValueError, TypeError, OSError):
            found.append(_key(str(path), None, None, _changed(str(path), None)))
    return found
