"""In a network of its own: a name server that answers with a thousand addresses, a web server on all of them, and one probe.

Started by test_names_server.py inside `unshare --mount --net`; prints one line of JSON. usage: many_addresses.py FOLDER
"""

from __future__ import annotations

import asyncio
import fcntl
import json
import socket
import struct
import subprocess
import sys
import threading
import time
from pathlib import Path

from probing import answering, probe, values

from forewarn.probers.http_engine import HttpEngine
from forewarn.probers.names import Names
from forewarn.probers.once import run_once

COUNT = 1000
UP, FLAGS = 0x1 | 0x8 | 0x40, 0x8914  # IFF_UP | IFF_LOOPBACK | IFF_RUNNING, SIOCSIFFLAGS


def network(folder: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one:
        fcntl.ioctl(one, FLAGS, struct.pack("16sh14x", b"lo", UP))
    (folder / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:2 attempts:1\n")
    subprocess.run(["mount", "--bind", str(folder / "resolv.conf"), str(Path("/etc/resolv.conf").resolve())], check=True)


def answer(asked: bytes, short: bool) -> bytes:
    """`short`: too long for a datagram, ask again over TCP. Only A records are known."""
    end = asked.index(b"\0", 12) + 5
    wants_a = asked[end - 4 : end - 2] == b"\0\1"
    flags, count = (0x8380, 0) if short and wants_a else (0x8180, COUNT if wants_a else 0)
    records = b"".join(b"\xc0\x0c\0\1\0\1\0\0\0\x3c\0\4" + bytes((127, 1 + at // 250, at % 250, 1)) for at in range(count))
    return asked[:2] + struct.pack(">HHHHH", flags, 1, count, 0, 0) + asked[12:end] + records


def by_datagram(door: socket.socket) -> None:
    while True:
        asked, who = door.recvfrom(4096)
        door.sendto(answer(asked, True), who)


def by_stream(door: socket.socket) -> None:
    while True:
        peer, _ = door.accept()
        with peer:
            asked = peer.recv(4096)
            told = answer(asked[2:], False)
            peer.sendall(struct.pack(">H", len(told)) + told)


async def main() -> None:
    network(Path(sys.argv[1]))
    datagrams = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    datagrams.bind(("127.0.0.1", 53))
    for work, door in ((by_datagram, datagrams), (by_stream, socket.create_server(("127.0.0.1", 53)))):
        threading.Thread(target=work, args=(door,), daemon=True).start()
    known = len(socket.getaddrinfo("many.example", 80, socket.AF_INET, socket.SOCK_STREAM))
    web = await asyncio.start_server(answering(), "0.0.0.0", 0)  # a network of its own
    names = Names()
    engine = HttpEngine(names=names)
    url = f"http://many.example:{web.sockets[0].getsockname()[1]}/"
    run = (await run_once("engine", engine, probe("http", url, ip=4), time.time()))[0]
    found = names.known("many.example", 4)
    print(
        json.dumps({"answered": known, "kept": len(found.addresses) if found else 0, "outcome": run.outcome, "values": values(run)})
    )
    await engine.close()


asyncio.run(main())
