"""What is probed: an nginx of one process on loopback with eight ports for each prober, and targets that never answer.

Every prober has ports of its own, so that the access log says whose request it was.
"""

from __future__ import annotations

import selectors
import socket
import subprocess
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tools import end, free_ports, program, start

PORTS = 8
BODY = '{"status":"ok","queue":3,"version":"2026.11","checks":{"db":"ok","cache":"ok"},"uptime_s":86400}\\n'
SERVER = """
    server {{
        {listen}
        {tls}
        location / {{ default_type application/json; return 200 '{body}'; }}
    }}
"""
CONF = """
daemon off; worker_processes 1; pid {folder}/nginx.pid; error_log {folder}/nginx-error.log crit;
events {{ worker_connections 16384; }}
http {{
    log_format hit '$server_port $uri $msec $status';
    access_log {folder}/access.log hit buffer=64k flush=500ms;
    keepalive_timeout 0; tcp_nodelay on;
    client_body_temp_path {folder}/nginx-tmp; proxy_temp_path {folder}/nginx-tmp; fastcgi_temp_path {folder}/nginx-tmp;
    uwsgi_temp_path {folder}/nginx-tmp; scgi_temp_path {folder}/nginx-tmp;
    {servers}
}}
"""


@dataclass(frozen=True)
class Hit:
    """One request that was answered."""

    port: int
    path: str
    at_s: float
    status: int


class Place:
    """`addresses` for a prober, `hits` of a span of time, `close` at the end."""

    def __init__(self, folder: Path, probers: list[str], https: bool) -> None:
        self._folder, self.https = folder, https
        self.certificate = folder / "target.pem"
        ports = free_ports(PORTS * len(probers))
        self._ports = {name: ports[at * PORTS : (at + 1) * PORTS] for at, name in enumerate(probers)}
        if https:
            self._certify()
        (folder / "nginx-tmp").mkdir(exist_ok=True)
        (folder / "nginx.conf").write_text(self._conf(), "utf-8")
        self._nginx = start([str(program("nginx")), "-p", str(folder), "-c", str(folder / "nginx.conf")], folder / "nginx.out")
        self._hole = Hole()
        self._await(ports)

    @property
    def nginx(self) -> subprocess.Popen[bytes]:
        return self._nginx

    def addresses(self, prober: str, count: int, hanging: int = 0) -> list[str]:
        """Each target's own address; the last `hanging` of them take a connection and never answer."""
        scheme, ports = "https" if self.https else "http", self._ports[prober]
        good = [f"{scheme}://127.0.0.1:{ports[at % PORTS]}/t/{at}" for at in range(count - hanging)]
        return good + [f"{scheme}://127.0.0.1:{self._hole.port}/{prober}/{at}" for at in range(hanging)]

    def hits(self, prober: str, since_s: float, until_s: float) -> list[Hit]:
        """Answered requests of that span, as nginx logged them."""
        time.sleep(0)
        mine, found = {str(port) for port in self._ports[prober]}, []
        for line in (self._folder / "access.log").read_text("ascii", "replace").splitlines():
            words = line.split()
            if len(words) == 4 and words[0] in mine and since_s <= float(words[2]) < until_s:
                found.append(Hit(int(words[0]), words[1], float(words[2]), int(words[3])))
        return found

    def close(self) -> None:
        end(self._nginx)
        self._hole.close()

    def _conf(self) -> str:
        ssl = " ssl" if self.https else ""
        tls = ""
        if self.https:
            tls = f"ssl_certificate {self.certificate}; ssl_certificate_key {self._folder}/target.key; ssl_protocols TLSv1.3;"
            tls += " ssl_session_tickets off; ssl_session_cache off;"
        listen = "\n        ".join(
            f"listen 127.0.0.1:{port}{ssl} backlog=4096;" for ports in self._ports.values() for port in ports
        )
        return CONF.format(folder=self._folder, servers=SERVER.format(listen=listen, tls=tls, body=BODY))

    def _certify(self) -> None:
        subprocess.run(
            [
                str(program("openssl")), "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                "-days", "2", "-subj", "/CN=bench", "-addext", "subjectAltName=IP:127.0.0.1",
                "-keyout", str(self._folder / "target.key"), "-out", str(self.certificate),
            ],
            check=True, capture_output=True,
        )  # fmt: skip

    def _await(self, ports: list[int]) -> None:
        for _ in range(100):
            with suppress(OSError), socket.create_connection(("127.0.0.1", ports[-1]), 1):
                return
            time.sleep(0.05)
        raise SystemExit(f"nginx does not start; see {self._folder}/nginx.out")


class Hole:
    """Takes connections and never answers."""

    def __init__(self) -> None:
        self._door = socket.create_server(("127.0.0.1", 0), backlog=4096)
        self.port: int = self._door.getsockname()[1]
        self._open = True
        self._thread = threading.Thread(target=self._run, name="hole", daemon=True)
        self._thread.start()

    def close(self) -> None:
        self._open = False
        self._thread.join(2)
        self._door.close()

    def _run(self) -> None:
        with selectors.DefaultSelector() as watch:
            watch.register(self._door, selectors.EVENT_READ)
            while self._open:
                for key, _ in watch.select(0.5):
                    if key.fileobj is self._door:
                        watch.register(self._door.accept()[0], selectors.EVENT_READ)
                    else:
                        self._heard(watch, key.fileobj)  # type: ignore[arg-type]
            for key in list(watch.get_map().values()):
                if isinstance(key.fileobj, socket.socket) and key.fileobj is not self._door:
                    key.fileobj.close()

    def _heard(self, watch: selectors.BaseSelector, peer: socket.socket) -> None:
        """A question is not answered; a peer that has left is let go."""
        gone = True
        with suppress(OSError):
            gone = not peer.recv(65536)
        if gone:
            watch.unregister(peer)
            peer.close()
