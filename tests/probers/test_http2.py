"""HTTP/2: asked for, it is what the server sees (nginx writes down which version it spoke), and libcurl is who speaks it."""

from __future__ import annotations

import asyncio
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from probing import certificate, probe, values

from forewarn.probers.http_engine import HttpEngine
from forewarn.probers.once import run_once

NGINX = shutil.which("nginx", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin")
CONF = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{ }}
http {{
    log_format spoken '$server_protocol $uri';
    access_log {folder}/spoken.log spoken;
    client_body_temp_path {folder}; proxy_temp_path {folder}; fastcgi_temp_path {folder}; uwsgi_temp_path {folder};
    scgi_temp_path {folder};
    server {{
        listen 127.0.0.1:{port} ssl http2;
        ssl_certificate {folder}/cert.pem; ssl_certificate_key {folder}/key.pem;
        location / {{ return 200 'well\\n'; }}
    }}
}}
"""


@pytest.fixture
def nginx(tmp_path: Path) -> Iterator[str]:
    if NGINX is None:
        pytest.skip("nginx is not here; scripts/system-packages.sh installs it")
    tmp_path.chmod(0o755)
    certificate(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as door:
        port = door.getsockname()[1]
    (tmp_path / "nginx.conf").write_text(CONF.format(folder=tmp_path, port=port))
    running = subprocess.Popen([NGINX, "-p", str(tmp_path), "-c", str(tmp_path / "nginx.conf")], stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            with socket.socket() as one:
                if one.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        yield f"https://127.0.0.1:{port}"
    finally:
        running.terminate()
        running.wait(10)


async def test_it_is_spoken_where_it_is_asked_for_and_only_there(nginx: str, tmp_path: Path) -> None:
    engine, trusted = HttpEngine(), str(tmp_path / "cert.pem")
    for path, options in (("two", {"http2": True}), ("one", {})):
        one = probe("http", f"{nginx}/{path}", ca_file=trusted, expect={"status": 200, "body": ["well"]}, **options)
        run = (await run_once("engine", engine, one, time.time()))[0]
        assert run.outcome == "up", run
        assert 0 < values(run)["tls_s"] < values(run)["total_s"]
        assert engine._long is not None, "HTTP/2 is libcurl's"
    await engine.close()
    for _ in range(100):
        if len(spoken := (tmp_path / "spoken.log").read_text().split("\n")) > 2:
            break
        await asyncio.sleep(0.02)
    assert spoken[:2] == ["HTTP/2.0 /two", "HTTP/1.1 /one"]
