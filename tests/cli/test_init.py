"""forewarn init on real servers: what it proposes loads, is explained, and says what is there."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from conftest import Forewarn
from forewarn.app.detect import listeners, proposals, sniff
from forewarn.app.detect.proposals import Found

WHERE = "/usr/sbin:/usr/local/sbin:/sbin:/usr/bin:/bin"


def program(name: str) -> str:
    found = shutil.which(name, path=WHERE)
    if not found:
        pytest.skip(f"{name} is missing; see scripts/system-packages.sh")
    return found


def free() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


def waited(port: int) -> None:
    for _ in range(500):
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.01)
    raise AssertionError(f"nothing listens on {port}")


@dataclass(frozen=True)
class Servers:
    http: int
    https: int
    refuses: int
    ssh: int
    redis_like: int


@pytest.fixture
def servers(tmp_path: Path) -> Iterator[Servers]:
    """nginx with HTTP, HTTPS and a page that is refused; sshd; a port of which nobody knows what it speaks."""
    nginx, sshd = program("nginx"), program("sshd")
    ports = Servers(*(free() for _ in range(5)))
    folder = tmp_path / "servers"
    folder.mkdir()
    make = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30"]
    make += ["-subj", "/CN=shop.example", "-keyout", "key.pem", "-out", "cert.pem"]
    subprocess.run(make, check=True, capture_output=True, cwd=folder)
    (folder / "nginx.conf").write_text(
        f"daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log; worker_processes 1; events {{}}\n"
        f"http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;\n"
        f"uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;\n"
        f"server {{ listen 127.0.0.1:{ports.http}; return 200 ok; }}\n"
        f"server {{ listen 127.0.0.1:{ports.refuses}; return 403; }}\n"
        f"server {{ listen 127.0.0.1:{ports.https} ssl; ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem; return 204; }}\n}}\n"
    )
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / "host")], check=True)
    (folder / "sshd.conf").write_text(
        f"Port {ports.ssh}\nListenAddress 127.0.0.1\nHostKey {folder}/host\nPidFile none\nUsePAM no\nStrictModes no\n"
    )
    Path("/run/sshd").mkdir(exist_ok=True)
    running = [
        subprocess.Popen([nginx, "-c", str(folder / "nginx.conf"), "-e", str(folder / "error.log")]),
        subprocess.Popen([sshd, "-D", "-f", str(folder / "sshd.conf"), "-E", str(folder / "sshd.log")]),
    ]
    with socket.create_server(("127.0.0.1", ports.redis_like)):
        for port in (ports.http, ports.https, ports.refuses, ports.ssh):
            waited(port)
        yield ports
    for one in running:
        one.terminate()
        one.wait(10)


def test_what_it_proposes_can_be_tried(forewarn: Forewarn, servers: Servers, tmp_path: Path) -> None:
    folder = tmp_path / "made"
    wanted = ",".join(str(port) for port in (servers.http, servers.https, servers.refuses, servers.ssh, servers.redis_like))
    ran = forewarn("init", str(folder), "--detect", "--ports", wanted)
    assert ran.code == 0, ran.out + ran.err
    assert "probes/found-nginx.yaml" in ran.out and "nginx listens here" in ran.out
    assert f"127.0.0.1:{servers.http} answers HTTP with 200" in ran.out
    assert f"127.0.0.1:{servers.https} answers HTTPS with 204" in ran.out
    assert f"127.0.0.1:{servers.ssh} speaks ssh" in ran.out
    assert f"127.0.0.1:{servers.redis_like} takes connections" in ran.out
    files = sorted((folder / "probes").glob("found-*.yaml"))
    assert len(files) == 3 and all(file.read_text().startswith("# yaml-language-server: $schema=") for file in files)
    found = yaml.safe_load((folder / "probes" / "found-nginx.yaml").read_text())["probes"]
    assert [one["kind"] for one in found] == ["process", "http", "http", "http"]
    refused = next(one for one in found if str(servers.refuses) in str(one.get("targets")))
    assert refused["expect"] == {"status": 403}, "what it answers today is what it should answer"
    assert forewarn("check", str(folder)).code == 0
    for file in files:
        tried = forewarn("--config", str(folder), "try", str(file))
        assert tried.code == 0, f"{file.name}: {tried.out}{tried.err}"
        assert ("certificate ends in" in tried.out) == ("nginx" in file.name), tried.out


def test_nothing_is_overwritten(forewarn: Forewarn, servers: Servers, tmp_path: Path) -> None:
    folder = tmp_path / "made"
    assert forewarn("init", str(folder), "--detect", "--ports", str(servers.http)).code == 0
    mine = {folder / "config" / "services.yaml": "services: {}\n", folder / "probes" / "found-nginx.yaml": "probes: []\n"}
    (folder / "probes" / "host.yaml").write_text("probe: host\nkind: host\n")
    for path, text in mine.items():
        path.write_text(text)
    for path in folder.glob("probes/*.yaml"):
        if path not in mine:
            path.write_text(path.read_text().replace("service: this-host\n", "").replace("service: forewarn\n", ""))
    before = {path: path.read_bytes() for path in folder.rglob("*.yaml")}
    ran = forewarn("init", str(folder), "--detect", "--ports", str(servers.http))
    assert {path: path.read_bytes() for path in folder.rglob("*.yaml")} == before
    assert "Left as they are: " in ran.out and "is there already and stays as it is" in ran.out


def test_a_folder_that_can_not_be_written_is_said(forewarn: Forewarn, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    ran = forewarn("init", str(tmp_path / "file"))
    assert ran.code == 1 and "can't be written" in ran.err and "Traceback" not in ran.err


def test_wrong_ports_are_wrong_use(forewarn: Forewarn, tmp_path: Path) -> None:
    ran = forewarn("init", str(tmp_path / "x"), "--detect", "--ports", "http")
    assert ran.code == 2 and '"http" are no ports; write 80,443' in ran.err and not (tmp_path / "x").exists()


def test_in_chinese(forewarn: Forewarn, tmp_path: Path) -> None:
    ran = forewarn("--lang", "zh", "init", str(tmp_path / "x"))
    assert ran.code == 0 and "没有问题" in ran.out


TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 100 1 0 100 0 0 10 0
   1: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 101 1 0 100 0 0 10 0
   2: 0100007F:1F90 0100007F:9999 01 00000000:00000000 00:00000000 00000000     0        0 102 1 0 100 0 0 10 0
garbage
"""
TCP6 = """\
  sl  local_address                         remote_address
   0: 00000000000000000000000001000000:0277 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 103 1
   1: 00000000000000000000000000000000:01BB 00000000000000000000000000000000:0000 0A 0:0 00:0 0 0 0 104 1
"""


def test_who_listens() -> None:
    four, six = list(listeners.parse(TCP, False)), list(listeners.parse(TCP6, True))
    assert [(one.place, one.inode, one.everywhere) for one in four + six] == [
        ("127.0.0.1:8080", "100", False),
        ("127.0.0.1:22", "101", True),
        ("[::1]:631", "103", False),
        ("127.0.0.1:443", "104", True),
    ]


@pytest.mark.parametrize(
    ("cgroup", "unit"),
    [
        ("0::/system.slice/nginx.service\n", "nginx.service"),
        ("1:name=systemd:/system.slice/system-getty.slice/getty@tty1.service\n", "getty@tty1.service"),
        ("0::/user.slice/user-0.slice/session-1.scope\n", None),
        ("0::/system.slice/docker.service/abc\n", "docker.service"),
        ("", None),
    ],
)
def test_the_unit_of_a_program(cgroup: str, unit: str | None) -> None:
    assert listeners.unit_of(cgroup) == unit


def test_a_unit_and_a_database_are_proposed_without_being_spoken_to() -> None:
    assert sniff.silent("postgres", 6000) == "postgresql" and sniff.silent(None, 5432) == "postgresql"
    assert sniff.silent("python", 5432) is None and sniff.silent("java", 9200) is None
    one = Found(listeners.Listener("127.0.0.1", 6379, "1", False, "redis-server", "redis.service"), sniff.Spoken("redis"))
    (made,) = proposals.proposals([one], lambda text: text.key)
    first, second = yaml.safe_load(made.text)["probes"]
    assert first["unit"] == "redis.service" and second["send"] == "PING\\r\\n" and made.file == "found-redis-server.yaml"


def test_a_program_with_an_odd_name_writes_no_yaml_of_its_own() -> None:
    name = 'x\n  - probe: evil"\x1b[31m'
    one = Found(listeners.Listener("127.0.0.1", 7000, "1", False, name, None), sniff.Spoken("tcp"))
    (made,) = proposals.proposals([one], lambda text: f"{text.key} {name}")
    probes = yaml.safe_load(made.text)["probes"]
    assert [probe["kind"] for probe in probes] == ["process", "tcp"] and probes[0]["name"] == name and "\x1b" not in made.text
