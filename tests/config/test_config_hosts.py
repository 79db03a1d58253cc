"""hosts.yaml, and what `where:` makes of it."""

from __future__ import annotations

from pathlib import Path

import pytest
from config_folder import settings_of

HOSTS = """\
defaults: {user: watch, port: 2222, jump: bastion, known_hosts: keys}
hosts:
  bastion: {address: bastion.example, groups: all}
  web-1: 10.0.0.1
  web-2: {address: 10.0.0.2, groups: [web, all], user: other, port: 22, jump: gate}
  web-3: {groups: web, fingerprint: "SHA256:uNiVztksCsDhcc0u9e8BrBHwjPoXtEC4bFvAZwXOgWo"}
  gate:
"""
KINDS_WITH = "probe: near\nkind: host\nwhere: {where}\n"


def targets(tmp_path: Path, probe: str) -> list[tuple[str, str, str]]:
    settings = settings_of(tmp_path, {"config/hosts.yaml": HOSTS, "probes/near.yaml": probe})
    return [(one.name, one.address, one.where) for one in settings.probes["near"].targets]


def test_a_host_takes_what_it_does_not_say_from_the_defaults(tmp_path: Path) -> None:
    hosts = settings_of(tmp_path, {"config/hosts.yaml": HOSTS}).hosts
    said = {name: (host.user, host.place, host.jump, host.groups) for name, host in hosts.items()}
    assert said == {
        "bastion": ("watch", "bastion.example:2222", None, ("all",)),  # the way of all others is its own
        "web-1": ("watch", "10.0.0.1:2222", "bastion", ()),
        "web-2": ("other", "10.0.0.2:22", "gate", ("web", "all")),
        "web-3": ("watch", "web-3:2222", "bastion", ("web",)),
        "gate": ("watch", "gate:2222", "bastion", ()),
    }
    assert hosts["web-1"].known_hosts == (str(tmp_path / "config" / "keys"),)
    assert str(hosts["web-2"].source) == "config/hosts.yaml:5"


def test_without_defaults_the_account_is_forewarn_and_keys_are_where_ssh_has_them(tmp_path: Path) -> None:
    host = settings_of(tmp_path, {"config/hosts.yaml": "hosts: {db: }\n"}).hosts["db"]
    assert (host.user, host.port, host.key, host.address) == ("forewarn", 22, None, "db")
    assert host.known_hosts == (
        str(tmp_path / "config/known_hosts"),
        str(Path("~/.ssh/known_hosts").expanduser()),
        "/etc/ssh/ssh_known_hosts",
    )


def test_files_lie_beside_hosts_yaml_and_a_passphrase_stays_hidden(tmp_path: Path) -> None:
    files = {
        "config/hosts.yaml": "hosts: {db: {key: ssh/id, passphrase_file: ssh/word}}\n",
        "config/ssh/id": "x",
        "config/ssh/word": "geheim\n",
    }
    host = settings_of(tmp_path, files).hosts["db"]
    assert host.key == str(tmp_path / "config/ssh/id") and host.passphrase is not None
    assert host.passphrase.reveal() == "geheim" and "geheim" not in repr(host)


@pytest.mark.parametrize(
    ("where", "names"),
    [
        ("web-1", ["web-1"]),
        ("[web-1, web]", ["web-1", "web-2", "web-3"]),
        ("[web, all, web-2]", ["web-2", "web-3", "bastion"]),  # each once
        ("[local, web-1]", ["local", "web-1"]),
    ],
)
def test_where_names_hosts_and_groups(where: str, names: list[str], tmp_path: Path) -> None:
    assert targets(tmp_path, KINDS_WITH.format(where=where)) == [(name, "local", name) for name in names]


def test_targets_that_are_named_are_looked_at_on_each_host(tmp_path: Path) -> None:
    probe = KINDS_WITH.format(where="[web-1, local]") + "targets: {first: /dev/sda}\n"
    assert targets(tmp_path, probe) == [("web-1:first", "/dev/sda", "web-1"), ("first", "/dev/sda", "local")]


def test_a_run_step_names_a_host_that_there_is(tmp_path: Path) -> None:
    book = "playbook: b\nfor: {probe: ok}\nsteps:\n  - {run: [df], reads: true, where: web-1}\n"
    files = {"config/hosts.yaml": HOSTS, "playbooks/b.yaml": book}
    assert settings_of(tmp_path, files).playbooks["b"].steps[0].where == "web-1"
