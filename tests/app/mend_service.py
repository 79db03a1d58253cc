"""A service as small as one can be, and the program that starts it: what tests break and playbooks restart.

python mend_service.py start PORT FOLDER    starts it in the background, as a service manager would; twice does no harm
python mend_service.py stop FOLDER          ends it
python mend_service.py serve PORT FOLDER    is it
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"ok\n")

    def log_message(self, *_: object) -> None:
        pass


def serve(port: int, folder: Path) -> None:
    if (folder / "broken").exists():
        sys.exit("the service can't start: its data is broken")
    HTTPServer.allow_reuse_address = True
    server = HTTPServer(("127.0.0.1", port), Answers)
    (folder / "pid").write_text(str(os.getpid()))
    server.serve_forever()


def start(port: int, folder: Path) -> None:
    stop(folder)
    with (folder / "starts").open("a") as log:
        log.write("start\n")
    quiet = subprocess.DEVNULL
    subprocess.Popen(
        [sys.executable, __file__, "serve", str(port), str(folder)], stdin=quiet, stdout=quiet, stderr=quiet, start_new_session=True
    )
    print("started")


def stop(folder: Path) -> None:
    pid = folder / "pid"
    if pid.exists():
        try:
            os.kill(int(pid.read_text()), signal.SIGKILL)
            time.sleep(0.05)
        except ProcessLookupError:
            pass
        pid.unlink()


if __name__ == "__main__":
    verb, *rest = sys.argv[1:]
    if verb == "stop":
        stop(Path(rest[0]))
    else:
        {"start": start, "serve": serve}[verb](int(rest[0]), Path(rest[1]))
