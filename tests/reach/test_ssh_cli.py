"""forewarn hosts, try and doctor against a real sshd, as people type them."""

from __future__ import annotations

import json
import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from sshd import Sshd, fingerprint, new_key

from conftest import Place

DATA = Path(__file__).parents[1] / "data" / "smart"
Forewarn = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def folder(tmp_path: Path, shared: Sshd, key: Path) -> Path:
    """A configuration with one host, whose key is not known yet, and a probe on it."""
    for name in ("config", "probes", "state"):
        (tmp_path / name).mkdir()
    (tmp_path / "config/hosts.yaml").write_text(
        f"defaults: {{user: {shared.user}, key: {key}, known_hosts: known_hosts}}\n"
        f"hosts:\n  web-1: {{address: 127.0.0.1, port: {shared.port}, groups: [web]}}\n"
    )
    (tmp_path / "probes/kernel.yaml").write_text("probe: kernel\nkind: command\nargv: [uname, -s]\nwhere: web\n")
    return tmp_path


@pytest.fixture
def forewarn(folder: Path) -> Forewarn:
    def run(*argv: str) -> subprocess.CompletedProcess[str]:
        whole = [sys.executable, "-m", "forewarn", "--config", str(folder), "--state", str(folder / "state"), "--lang", "en", *argv]
        return subprocess.run(whole, capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120)

    return run


def shown(shared: Sshd) -> str:
    return fingerprint(shared.host_key.with_suffix(".pub"))


def test_the_way_of_docs_ssh_md(forewarn: Forewarn, shared: Sshd, folder: Path) -> None:
    """Not known: refused with the command; trusted by fingerprint; reached; looked at."""
    tried = forewarn("try", "kernel")
    assert tried.returncode == 3 and "forewarn hosts trust web-1" in tried.stdout
    assert "key not known yet" in forewarn("hosts", "list").stdout
    trusted = forewarn("hosts", "trust", "web-1", "--fingerprint", shown(shared))
    assert (trusted.returncode, "is known now" in trusted.stdout) == (0, True), trusted
    assert (folder / "config/known_hosts").read_text().startswith(f"[127.0.0.1]:{shared.port} ssh-ed25519 ")
    assert "key known" in forewarn("hosts", "list").stdout
    reached = forewarn("hosts", "test", "web")
    assert (reached.returncode, "reached" in reached.stdout) == (0, True)
    tried = forewarn("try", "kernel")
    assert tried.returncode == 0 and "web-1" in tried.stdout and "Linux" in tried.stdout


def test_a_key_is_trusted_by_nobody_where_nobody_can_be_asked(forewarn: Forewarn, shared: Sshd, folder: Path) -> None:
    for argv in ((), ("--fingerprint", "SHA256:" + "A" * 43)):
        ran = forewarn("hosts", "trust", "web-1", *argv)
        assert ran.returncode == 1 and shown(shared) in ran.stdout and "Not trusted" in ran.stdout
    assert f"The host shows {shown(shared)}, and you gave another: SHA256:{'A' * 43}" in ran.stdout
    assert not (folder / "config/known_hosts").exists()


@pytest.mark.parametrize(("answer", "code"), [("yes", 0), ("", 1), ("y es", 1)])
def test_a_person_is_asked(answer: str, code: int, folder: Path) -> None:
    master, terminal = pty.openpty()
    try:
        os.write(master, f"{answer}\n".encode())
        argv = [sys.executable, "-m", "forewarn", "--config", str(folder), "--lang", "en", "hosts", "trust", "web-1"]
        ran = subprocess.run(argv, stdin=terminal, capture_output=True, text=True, timeout=60)
    finally:
        os.close(master)
        os.close(terminal)
    assert ran.returncode == code and "ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub" in ran.stdout
    assert (folder / "config/known_hosts").exists() == (code == 0)


def test_a_changed_key_gives_way_only_to_who_says_so(forewarn: Forewarn, shared: Sshd, folder: Path, tmp_path: Path) -> None:
    known, other = folder / "config/known_hosts", new_key(tmp_path / "other").with_suffix(".pub").read_text()
    known.write_text(f"kept.example {other}[127.0.0.1]:{shared.port} {other}")
    yes = ("--fingerprint", shown(shared))
    refused = forewarn("hosts", "trust", "web-1", *yes)
    assert refused.returncode == 1 and "known_hosts:2" in refused.stdout and "--replace" in refused.stdout
    assert shown(shared) not in known.read_text() and len(known.read_text().splitlines()) == 2
    assert forewarn("hosts", "trust", "web-1", "--replace", *yes).returncode == 0
    kept, fresh = known.read_text().splitlines()
    assert (
        kept == f"kept.example {other}".strip() and fresh.split()[2] == shared.host_key.with_suffix(".pub").read_text().split()[1]
    )
    again = forewarn("hosts", "trust", "web-1")
    assert again.returncode == 0 and "the one that is known" in again.stdout


def test_wrong_use_says_what_there_is(forewarn: Forewarn, shared: Sshd, folder: Path) -> None:
    ran = forewarn("hosts", "trust", "web-2")
    assert ran.returncode == 2 and "did you mean web-1?" in ran.stderr
    assert "neither a host nor a group" in forewarn("hosts", "test", "wep").stderr
    hosts = folder / "config/hosts.yaml"
    hosts.write_text(hosts.read_text().replace("groups:", f'fingerprint: "{shown(shared)}", groups:'))
    ran = forewarn("hosts", "trust", "web-1")
    assert ran.returncode == 2 and "config/hosts.yaml:3" in ran.stderr


def test_the_doctor_says_how_hosts_stand_with_the_command_that_mends(
    forewarn: Forewarn, shared: Sshd, folder: Path, key: Path
) -> None:
    def hosts() -> list[dict[str, str]]:
        return [one for one in json.loads(forewarn("doctor", "--json").stdout)["checks"] if one["area"] == "hosts"]

    assert [one["mend"] for one in hosts()] == ["forewarn hosts trust web-1"]
    forewarn("hosts", "trust", "web-1", "--fingerprint", shown(shared))
    assert [(one["state"], one["what"]) for one in hosts()] == [("fine", "hosts that can be reached over SSH: 1")]
    own = new_key(folder / "own")
    own.chmod(0o644)
    file = folder / "config/hosts.yaml"
    file.write_text(file.read_text().replace(str(key), str(own)))
    assert [one["mend"].split()[0].removeprefix("sudo") for one in hosts()] == ["chmod", "ssh-copy-id"]


def test_disks_of_a_host_are_read_by_its_smartctl(forewarn: Forewarn, shared: Sshd, folder: Path, place: Place) -> None:
    """smartctl itself is played by a script: a disk is hardware."""
    tool = place.folder / "smartctl"
    for name in ("scan", "sata-ok"):
        (place.folder / f"{name}.json").write_text((DATA / f"{name}.json").read_text())
    tool.write_text(f"#!/bin/sh\ncase $2 in --scan) cat {place.folder}/scan.json;; *) cat {place.folder}/sata-ok.json;; esac\n")
    tool.chmod(0o755)
    (folder / "probes/disks.yaml").write_text(f"probe: disks\nkind: smart\nwhere: [web-1]\nprogram: {tool}\n")
    forewarn("hosts", "trust", "web-1", "--fingerprint", shown(shared))
    body = json.loads(forewarn("try", "disks", "--json").stdout)["items"][0]["targets"][0]
    assert (body["target"], body["outcome"]) == ("web-1", "up"), body
    serial = json.loads((DATA / "sata-ok.json").read_text())["serial_number"]
    assert ("disk_ok", serial, 1) in {(one["metric"], one["labels"].get("serial"), one["value"]) for one in body["series"]}
