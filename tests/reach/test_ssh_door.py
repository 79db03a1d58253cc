"""Getting in, and why not: keys, certificates, agents, jump hosts, and keys of hosts; each refusal with what to do."""

from __future__ import annotations

import asyncio
import os
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest
from sshd import Sshd, fingerprint, new_key, silent

from conftest import Place
from forewarn.model.map import Host, Secret
from forewarn.reach import connection
from forewarn.reach.connection import Connection, Shared
from forewarn.reach.fleet import Fleet
from forewarn.reach.machine import CannotReach


def says(*hosts: Host, name: str = "") -> str:
    """What `echo in` says on the first host, or the one with this name."""

    async def run() -> str:
        fleet = Fleet({host.name: host for host in hosts})
        try:
            return (await fleet(name or hosts[0].name).run(["echo", "in"], 30)).out
        finally:
            fleet.close()

    return asyncio.run(run())


def refused(*hosts: Host) -> CannotReach:
    with pytest.raises(CannotReach) as away:
        says(*hosts)
    assert not away.value.begun
    return away.value


# --- keys to log in with ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["ed25519", "ecdsa", "rsa"])
def test_keys_of_every_usual_type(kind: str, shared: Sshd, tmp_path: Path) -> None:
    own = new_key(tmp_path / kind, kind)
    shared.let_in(own.with_suffix(".pub"))
    assert says(shared.host(own)) == "in\n"


def test_an_encrypted_key_with_its_passphrase(shared: Sshd, tmp_path: Path) -> None:
    own = new_key(tmp_path / "own", passphrase="correct horse")
    shared.let_in(own.with_suffix(".pub"))
    assert says(shared.host(own, passphrase=Secret("correct horse"))) == "in\n"
    wrong, none = refused(shared.host(own, passphrase=Secret("battery"))), refused(shared.host(own))
    assert (wrong.reason, none.reason) == ("config", "config")
    assert "the passphrase does not open it" in str(wrong) and "battery" not in str(wrong)
    assert "passphrase_file" in str(none)


def test_a_certificate_that_an_authority_signed(sshd, tmp_path: Path) -> None:
    authority, own = new_key(tmp_path / "ca"), new_key(tmp_path / "own")
    daemon = sshd(f"TrustedUserCAKeys {tmp_path}/ca.pub")
    subprocess.run(["ssh-keygen", "-q", "-s", authority, "-I", "t", "-n", daemon.user, own.with_suffix(".pub")], check=True)
    assert says(daemon.host(own)) == "in\n"  # own-cert.pub lies beside the key
    moved = (tmp_path / "own-cert.pub").rename(tmp_path / "elsewhere.pub")
    assert refused(daemon.host(own)).reason == "auth"
    assert says(daemon.host(own, certificate=str(moved))) == "in\n"
    assert "there is no certificate" in str(refused(daemon.host(own, certificate=str(tmp_path / "none"))))


def test_keys_of_a_real_agent(shared: Sshd, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    own, sock = new_key(tmp_path / "own", passphrase=""), tmp_path / "agent"
    shared.let_in(own.with_suffix(".pub"))
    agent = subprocess.Popen(["ssh-agent", "-D", "-a", sock], stdout=subprocess.DEVNULL)
    try:
        while not sock.exists():
            asyncio.run(asyncio.sleep(0.01))
        monkeypatch.setenv("SSH_AUTH_SOCK", str(sock))
        monkeypatch.setenv("HOME", str(tmp_path))
        none = refused(replace(shared.host(own), key=None))
        assert (none.reason, "there is no key to log in to web-1 with" in str(none)) == ("auth", True)
        subprocess.run(["ssh-add", "-q", new_key(tmp_path / "other")], check=True)
        subprocess.run(["ssh-add", "-q", own], check=True)
        assert says(replace(shared.host(own), key=None)) == "in\n"
    finally:
        agent.kill()
        agent.wait()


def test_keys_in_the_home_of_the_daemons_user(shared: Sshd, key: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("SSH_AUTH_SOCK", raising=False)
    (tmp_path / ".ssh").mkdir()
    (tmp_path / ".ssh" / "id_ed25519").write_bytes(key.read_bytes())
    assert says(replace(shared.host(key), key=None)) == "in\n"


def test_a_key_that_nobody_let_in(shared: Sshd, tmp_path: Path) -> None:
    own = new_key(tmp_path / "own")
    away = refused(shared.host(own))
    assert (away.reason, fingerprint(own.with_suffix(".pub")) in str(away)) == ("auth", True)
    assert f"put the public key into ~{shared.user}/.ssh/authorized_keys there" in str(away)


def test_a_host_that_takes_passwords_only(sshd, key: Path, tmp_path: Path) -> None:
    away = refused(sshd("PubkeyAuthentication no", "KbdInteractiveAuthentication yes").host(key))
    assert (away.reason, "logs in with keys only" in str(away)) == ("auth", True)


def test_a_key_file_that_is_not_there_or_is_none(shared: Sshd, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no key")
    assert refused(shared.host(tmp_path / "none")).reason == "missing"
    assert refused(shared.host(tmp_path / "text")).reason == "config"


def test_an_account_without_a_shell_is_not_taken_for_a_program_that_warns(shared: Sshd, key: Path, place: Place) -> None:
    if not place.accounts:
        pytest.skip("needs an account whose shell is nologin")
    away = refused(shared.host(key, user="locked"))
    assert (away.reason, "currently not available" in str(away), "usermod -s /bin/sh locked" in str(away)) == ("auth", True, True)


def test_login_files_that_talk_are_named(shared: Sshd, key: Path, place: Place) -> None:
    if not place.accounts:
        pytest.skip("needs an account with a .bashrc of its own")
    away = refused(shared.host(key, user="noisy"))
    assert (away.reason, '"Welcome to this machine" before each command' in str(away)) == ("protocol", True)


# --- keys of hosts ----------------------------------------------------------------------------------------------------


def test_an_unknown_key_is_refused_with_the_command_that_shows_it(shared: Sshd, key: Path, tmp_path: Path) -> None:
    away = refused(shared.host(key, known_hosts=(str(tmp_path / "none"),)))
    assert (away.reason, fingerprint(shared.host_key.with_suffix(".pub")) in str(away)) == ("host_key", True)
    assert "forewarn hosts trust web-1" in str(away)


def test_a_changed_key_is_refused_and_named_beside_the_known_one(shared: Sshd, key: Path, tmp_path: Path) -> None:
    other = new_key(tmp_path / "other")
    public = other.with_suffix(".pub").read_text()
    (tmp_path / "known").write_text(f"# ours\n[127.0.0.1]:{shared.port} {public}")
    away = refused(shared.host(key, known_hosts=(str(tmp_path / "known"),)))
    assert away.reason == "host_key_changed"
    for part in (f"{tmp_path}/known:2", fingerprint(other.with_suffix(".pub")), "forewarn hosts trust web-1 --replace"):
        assert part in str(away)


def test_nothing_is_logged_in_with_before_the_hosts_key_is_known(sshd, key: Path, tmp_path: Path) -> None:
    daemon = sshd("LogLevel VERBOSE")
    refused(daemon.host(key, known_hosts=(str(tmp_path / "none"),)))
    assert "publickey" not in (daemon.folder / "log").read_text()


def test_a_revoked_key_is_refused_whatever_else_the_file_says(shared: Sshd, key: Path, tmp_path: Path) -> None:
    line = Path(shared.host(key).known_hosts[0]).read_text()
    (tmp_path / "known").write_text(f"{line}@revoked * {' '.join(line.split()[1:])}\n")
    away = refused(shared.host(key, known_hosts=(str(tmp_path / "known"),)))
    assert (away.reason, "revoked" in str(away)) == ("host_key_changed", True)


def test_a_fingerprint_in_the_file_is_enough_and_the_only_one(shared: Sshd, key: Path, tmp_path: Path) -> None:
    right = fingerprint(shared.host_key.with_suffix(".pub"))
    wrong = fingerprint(new_key(tmp_path / "other").with_suffix(".pub"))
    assert says(shared.host(key, known_hosts=(), fingerprints=(wrong, right))) == "in\n"
    away = refused(shared.host(key, fingerprints=(wrong,)))  # known_hosts has the right one, and is not asked
    assert (away.reason, "config/hosts.yaml:3 says" in str(away)) == ("host_key_changed", True)


def test_a_host_with_several_keys_shows_the_one_that_is_known(sshd, key: Path, tmp_path: Path) -> None:
    rsa = new_key(tmp_path / "rsa", "rsa")
    daemon = sshd(f"HostKey {rsa}")
    (tmp_path / "known").write_text(f"[127.0.0.1]:{daemon.port} {rsa.with_suffix('.pub').read_text()}")
    assert says(daemon.host(key, known_hosts=(str(tmp_path / "known"),))) == "in\n"


def test_a_file_of_known_hosts_that_may_not_be_read_is_not_an_unknown_host(shared: Sshd, key: Path, tmp_path: Path) -> None:
    away = refused(shared.host(key, known_hosts=(str(tmp_path),)))  # a folder
    assert (away.reason, "can't be read" in str(away)) == ("permission", True)


# --- through another host ---------------------------------------------------------------------------------------------


def test_through_one_host_and_through_two(sshd, key: Path) -> None:
    bastion, second, last = (sshd() for _ in range(3))
    hosts = (last.host(key, jump="second"), second.host(key, "second", jump="bastion"), bastion.host(key, "bastion"))
    assert says(*hosts) == "in\n"
    assert (
        "Accepted publickey" in (second.folder / "log").read_text() and "Accepted publickey" in (bastion.folder / "log").read_text()
    )


def test_a_jump_host_that_is_away_is_the_reason_of_those_behind_it(shared: Sshd, key: Path) -> None:
    away = refused(shared.host(key, jump="bastion"), shared.host(key, "bastion", port=1))
    assert (away.reason, "web-1 is reached through bastion" in str(away), "refuses connections" in str(away)) == (
        "jump",
        True,
        True,
    )


def test_a_jump_host_that_can_not_go_on_says_so(shared: Sshd, key: Path) -> None:
    away = refused(shared.host(key, port=1, jump="bastion"), shared.host(key, "bastion"))
    assert (away.reason, "bastion opens no way to web-1 (127.0.0.1:1)" in str(away)) == ("jump", True)


# --- hosts that are away ----------------------------------------------------------------------------------------------


def test_no_sshd_no_name_no_ssh(shared: Sshd, key: Path) -> None:
    assert refused(shared.host(key, port=1)).reason == "refused"
    assert refused(shared.host(key, address="no-such-host.invalid")).reason == "resolve"
    with silent(b"HTTP/1.1 400 Bad Request\r\n\r\n" * 200) as port:
        assert refused(shared.host(key, port=port)).reason in ("reset", "protocol")


@pytest.mark.parametrize("answer", [b"", b"SSH-2.0-OpenSSH_9.2\r\n"])
def test_a_host_that_takes_the_connection_and_says_nothing_more(
    answer: bytes, shared: Sshd, key: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "CONNECT_S", 0.5)
    with silent(answer) as port:
        away = refused(shared.host(key, port=port))
    assert away.reason == "unreachable"
    assert ("says nothing" if not answer else "does not exchange keys within 0.5 s") in str(away)


def test_who_asks_hears_the_reason_without_waiting_for_a_host_that_hangs(shared: Sshd, key: Path) -> None:
    async def run() -> CannotReach:
        fleet = Fleet({"web-1": shared.host(key, port=port)})
        try:
            with pytest.raises(CannotReach) as away:
                await fleet("web-1").run(["true"], 0.3)
            return away.value
        finally:
            fleet.close()

    with silent() as port:
        away = asyncio.run(run())
    assert (away.reason, "has not let us in yet" in str(away)) == ("unreachable", True)


def test_a_host_that_is_away_is_asked_again_only_after_its_pause(shared: Sshd, key: Path) -> None:
    """The pauses grow; a host that comes back is found by the first who asks after the pause."""
    now = [0.0]
    tried: list[float] = []

    class Counted(Connection):
        async def _connect(self):
            tried.append(now[0])
            return await super()._connect()

    async def run() -> str:
        shared_parts = Shared(clock=lambda: now[0])
        gone = Counted(shared.host(key, port=1), shared_parts)
        for second in range(60):
            now[0] = float(second)
            with pytest.raises(CannotReach, match="refuses connections"):
                await gone.run("true", 20, 100)
        gone.host = shared.host(key)
        now[0] = 100.0
        done = await gone.run("echo back", 20, 100)
        gone.close()
        shared_parts.pool.shutdown()
        return done.kept[0].decode()

    assert asyncio.run(run()) == "back\n"
    assert tried == [0.0, 1.0, 3.0, 8.0, 23.0, 53.0, 100.0]


def test_a_refused_log_in_is_not_tried_again_at_once(shared: Sshd, tmp_path: Path) -> None:
    own, now = new_key(tmp_path / "own"), [0.0]

    async def run() -> int:
        parts = Shared(clock=lambda: now[0])
        one = Connection(shared.host(own), parts)
        before = (shared.folder / "log").read_text().count("Connection closed by authenticating user")
        for second in range(0, 30, 5):
            now[0] = float(second)
            with pytest.raises(CannotReach, match="does not let"):
                await one.run("true", 20, 100)
        one.close()
        parts.pool.shutdown()
        return (shared.folder / "log").read_text().count("Connection closed by authenticating user") - before

    assert asyncio.run(run()) <= 1


# --- other files ------------------------------------------------------------------------------------------------------


def test_a_reload_keeps_the_connections_of_hosts_that_did_not_change(sshd, key: Path) -> None:
    kept, changed, behind, gone = (sshd() for _ in range(4))

    async def run() -> None:
        hosts = {
            "kept": kept.host(key, "kept"),
            "changed": changed.host(key, "changed"),
            "behind": behind.host(key, "behind", jump="changed"),
            "gone": gone.host(key, "gone"),
        }
        fleet = Fleet(hosts)
        for name in hosts:
            await fleet(name).run(["true"], 30)
        before = {name: fleet.connection(name) for name in hosts}
        after = {
            **hosts,
            "kept": replace(hosts["kept"], groups=("web",)),
            "changed": replace(hosts["changed"], address="localhost"),
        }
        after["changed"] = replace(after["changed"], fingerprints=(fingerprint(changed.host_key.with_suffix(".pub")),))
        del after["gone"]
        fleet.apply(after)
        assert fleet.connection("kept") is before["kept"]
        assert fleet.connection("changed") is not before["changed"] and fleet.connection("behind") is not before["behind"]
        assert (await fleet("behind").run(["echo", "through"], 30)).out == "through\n"
        with pytest.raises(CannotReach, match='no host "gone"'):
            await fleet("gone").run(["true"], 30)
        fleet.close()

    asyncio.run(run())
    assert (kept.folder / "log").read_text().count("Accepted publickey") == 1


def test_paramiko_says_nothing_by_itself(shared: Sshd, key: Path, capfd: pytest.CaptureFixture[str]) -> None:
    refused(shared.host(key, port=1))
    with silent(b"no ssh\r\n" * 300) as port:
        refused(shared.host(key, port=port))
    assert "Traceback" not in capfd.readouterr().err and os.environ is not None
