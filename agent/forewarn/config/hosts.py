"""hosts.yaml: machines that are reached over SSH."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Mapping
from pathlib import Path as FilePath
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from forewarn.config.files import Document, Path
from forewarn.config.problems import Problems, Wrong, suggestion
from forewarn.config.reading import Reading
from forewarn.config.services import empty_as_map
from forewarn.config.units import shown
from forewarn.config.validate import validated_parts
from forewarn.config.written import Name, Texts, Written, described, one_or_more
from forewarn.model.map import Host
from forewarn.reach.machine import HERE

KNOWN_HOSTS = ("known_hosts", "~/.ssh/known_hosts", "/etc/ssh/ssh_known_hosts")
"""Where keys of hosts are looked for unless the file says otherwise; the first is the one that `forewarn hosts trust` writes."""

_ADDRESS = re.compile(r"[A-Za-z0-9_.:%\-]{1,253}")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.\-]{0,63}\$?")


def _address(value: str) -> str:
    if not _ADDRESS.fullmatch(value) or value.startswith("-"):
        raise Wrong(f"{shown(value)} is not an address", "write a name or an IP address alone, and port: and user: beside it")
    return value


def _user(value: str) -> str:
    if not _USER.fullmatch(value):
        raise Wrong(f"{shown(value)} is not a user", "write the name of an account, e.g. forewarn")
    return value


def _fingerprint(value: str) -> str:
    digest = value.removeprefix("SHA256:")
    try:
        whole = digest != value and len(base64.b64decode(digest + "=", validate=True)) == 32
    except binascii.Error:
        whole = False
    if not whole:
        raise Wrong(
            f"{shown(value)} is not a fingerprint",
            "write SHA256: and 43 signs, as `ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub` shows it on the host",
        )
    return value


_PORT = {"ge": 1, "le": 65535}
_FINGERPRINT = "SHA256:uNiVztksCsDhcc0u9e8BrBHwjPoXtEC4bFvAZwXOgWo"


class WayWritten(Written):
    """How to get in: for one host, or as defaults for all."""

    port: int | None = described("the port of its sshd; 22 if left out", 22, default=None, **_PORT)
    user: Annotated[str, AfterValidator(_user)] | None = described("the account; forewarn if left out", "forewarn", default=None)
    key: str | None = described(
        "file of the private key; without one, keys of the agent and of the daemon's user are tried", "ssh/id_ed25519", default=None
    )
    certificate: str | None = described("file of the key's certificate; KEY-cert.pub if there is one", "ssh/c.pub", default=None)
    passphrase_file: str | None = described("file with the passphrase of an encrypted key", "ssh/passphrase", default=None)
    jump: Name | None = described("a host that it is reached through", "bastion", default=None)
    known_hosts: Annotated[tuple[str, ...], BeforeValidator(one_or_more)] = described(
        "files with the keys of hosts, as OpenSSH writes them", list(KNOWN_HOSTS), default=()
    )


class HostWritten(WayWritten):
    """One host."""

    address: Annotated[str, AfterValidator(_address)] | None = described(
        "name or IP address; the host's name if left out", "10.0.0.11", default=None
    )
    fingerprint: Annotated[
        tuple[Annotated[str, AfterValidator(_fingerprint)], ...],
        BeforeValidator(one_or_more),
        WithJsonSchema({"type": ["string", "array"], "items": {"type": "string"}, "examples": [_FINGERPRINT]}),
    ] = described("of the host's key; then no file is asked", _FINGERPRINT, default=())
    groups: Texts = described("names for several hosts", ["web"], default=())


def _host(value: object) -> object:
    """An address alone, or a map; a name with nothing under it is its own address."""
    return {"address": value} if isinstance(value, str) else {} if value is None else value


class HostsFile(Written):
    """config/hosts.yaml"""

    defaults: WayWritten = WayWritten()
    hosts: dict[Name, Annotated[HostWritten, BeforeValidator(_host, json_schema_input_type=HostWritten | str | None)]]


def hosts(doc: Document, reading: Reading, folder: FilePath) -> dict[str, Host]:
    """All hosts by name; none where the file can't be used. Names of files are relative to `folder`."""
    written, dropped = validated_parts(HostsFile, empty_as_map(doc.value, "hosts"), doc, reading.problems)
    reading.problems.incomplete |= {f"host {path[1]}" if len(path) > 1 else "host" for path in dropped}
    if written is None:
        reading.problems.incomplete.add("host")
        return {}
    made = _Making(doc, reading, folder, written.defaults)
    found = {name: made.host(name, one) for name, one in written.hosts.items()}
    _check(doc, found, reading.problems)
    return found


class _Making:
    """Hosts of one file, over its defaults. What a default says wrongly is said once."""

    def __init__(self, doc: Document, reading: Reading, folder: FilePath, defaults: WayWritten) -> None:
        self.doc, self.reading, self.folder, self.defaults = doc, reading, folder, defaults

    def host(self, name: str, one: HostWritten) -> Host:
        own: Path = ("hosts", name)
        files = one.known_hosts or self.defaults.known_hosts or KNOWN_HOSTS
        key = self._given(own, one, "key")
        jump = one.jump or self.defaults.jump
        return Host(
            name=name,
            address=one.address or name,
            port=one.port or self.defaults.port or 22,
            user=one.user or self.defaults.user or "forewarn",
            key=key,
            certificate=self._given(own, one, "certificate") if key else None,
            passphrase=self._passphrase(own, one) if key else None,
            jump=None if jump == name and one.jump is None else jump,  # the bastion of all needs no bastion
            fingerprints=one.fingerprint,
            known_hosts=tuple(str(self._path(file)) for file in files),
            groups=one.groups,
            source=self.doc.at(own),
        )

    def _path(self, name: str) -> FilePath:
        return self.folder / FilePath(name).expanduser()

    def _place(self, own: Path, one: WayWritten, field: str) -> tuple[Path, Any]:
        mine = getattr(one, field)
        return ((*own, field), mine) if mine is not None else (("defaults", field), getattr(self.defaults, field))

    def _given(self, own: Path, one: WayWritten, field: str) -> str | None:
        """A file that is named, in full; one that is not there is a problem."""
        at, name = self._place(own, one, field)
        if name is None:
            return None
        path = self._path(name)
        try:
            there = path.is_file()
        except OSError:  # in a folder that is the daemon's alone
            there = True
        if not there:
            self.reading.problems.add(
                self.doc,
                at,
                f'there is no file "{path}"',
                "make one with: ssh-keygen -t ed25519 -N '' -f FILE" if field == "key" else None,
            )
        return str(path)

    def _passphrase(self, own: Path, one: WayWritten) -> Any:
        at, name = self._place(own, one, "passphrase_file")
        return self.reading.secret(self.doc, at, name) if name else None


def _check(doc: Document, found: Mapping[str, Host], problems: Problems) -> None:
    groups = {group for host in found.values() for group in host.groups}
    for name, host in found.items():
        at: Path = ("hosts", name)
        if name == HERE:
            problems.add(doc, at, f'"{HERE}" is this machine, which needs no SSH', "give the host another name")
        if name in groups:
            problems.add(doc, at, f'"{name}" is a host and a group', "give one of them another name")
        if HERE in host.groups:
            problems.add(doc, (*at, "groups"), f'"{HERE}" is this machine', "give the group another name")
        if host.jump and host.jump not in found and not {"host", f"host {host.jump}"} & problems.incomplete:
            problems.add(doc, (*at, "jump"), f'"{host.jump}" is not a host', suggestion(host.jump, found))
    _circles(doc, found, problems)


def _circles(doc: Document, found: Mapping[str, Host], problems: Problems) -> None:
    """Hosts that are reached through each other: each circle once."""
    said: set[str] = set()
    for name in found:
        walked: list[str] = []
        at = name
        while at in found and at not in walked:
            walked.append(at)
            at = found[at].jump or ""
        if at in walked and not said & set(walked):
            circle = [*walked[walked.index(at) :], at]
            problems.add(doc, ("hosts", at), f"a circle: {' through '.join(circle)}", "take one jump out")
            said |= set(walked)


def named(words: Iterable[str], found: Mapping[str, Host]) -> list[str]:
    """The hosts that words of a `where:` mean, each once: a host, a group, or `local`. A word that is none raises Wrong."""
    groups: dict[str, list[str]] = {}
    for host in found.values():
        for group in host.groups:
            groups.setdefault(group, []).append(host.name)
    result: dict[str, None] = {}
    for word in words:
        if word != HERE and word not in found and word not in groups:
            known = suggestion(word, [HERE, *found, *groups])
            raise Wrong(f'"{word}" is neither a host nor a group', known if found else "write hosts into config/hosts.yaml")
        result.update(dict.fromkeys(groups.get(word, [word])))
    return list(result)
