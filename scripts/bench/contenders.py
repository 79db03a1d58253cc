"""Who is measured: Forewarn as a whole, the floor, and the peers. Each is started with its targets and knows its processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from tools import ROOT, end, free_ports, program, start

PER_PROBE = 100
TIMEOUT_S = 5
BODY = '"status":"ok"'


@dataclass(frozen=True)
class Load:
    """What is asked of everybody."""

    every_s: int
    ca_file: Path | None  # of the targets; None without TLS
    per_probe: int = PER_PROBE


@dataclass
class Contender:
    """Running processes by name. `state`: Forewarn's own folder."""

    name: str
    folder: Path
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    @property
    def pids(self) -> list[int]:
        return [process.pid for process in self.processes.values()]

    def stop(self) -> None:
        for process in self.processes.values():
            end(process)


def forewarn(folder: Path, addresses: list[str], load: Load) -> Contender:
    """The daemon as it is shipped, with probes of `per_probe` targets that judge status and body and have two rules a target
    besides the built-in ones. The limits are so high that a crowded machine opens no incidents: those are another figure."""
    (folder / "probes").mkdir()
    (folder / "config").mkdir()
    (folder / "config" / "services.yaml").write_text("services: {}\n")
    for at in range(0, len(addresses), load.per_probe):
        part = addresses[at : at + load.per_probe]
        targets = "\n".join(f'  t{at + place}: "{address}"' for place, address in enumerate(part))
        trust = f"ca_file: {load.ca_file}\n" if load.ca_file else ""
        name = f"bench-{at // load.per_probe:05d}"
        (folder / "probes" / f"{name}.yaml").write_text(
            f"probe: {name}\nkind: http\nevery: {load.every_s}s\ntimeout: {TIMEOUT_S}s\n{trust}"
            f"expect: {{status: 200, body: ['{BODY}']}}\ntargets:\n{targets}\nrules:\n"
            "  - {name: slow, threshold: {metric: total_s, stat: p95, window: 5m, above: 3s, clear_below: 2s}, colour: yellow}\n"
            "  - {name: slow-connect, threshold: {metric: connect_s, above: 2s, clear_below: 1s, for: 30s}, colour: yellow}\n"
        )
    env = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT / "agent"), os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-m", "forewarn", "run", "--config", str(folder), "--state", str(folder / "state"), "--port", "0"]
    return Contender("forewarn", folder, {"forewarn": start(command, folder / "out.log", env)})


def floor(folder: Path, addresses: list[str], load: Load) -> Contender:
    (folder / "addresses").write_text("\n".join(addresses))
    command = [
        sys.executable,
        str(Path(__file__).with_name("floor.py")),
        str(folder / "addresses"),
        str(load.every_s),
        str(TIMEOUT_S),
    ]
    return Contender("floor", folder, {"floor": start(command + ([str(load.ca_file)] if load.ca_file else []), folder / "out.log")})


RULES = """
groups:
  - name: bench
    interval: {every_s}s
    rules:
      - {{alert: Down, expr: probe_success == 0, for: {every_s}s}}
      - {{alert: Slow, expr: "quantile_over_time(0.95, probe_duration_seconds[5m]) > 3"}}
      - {{alert: SlowConnect, expr: 'probe_http_duration_seconds{{phase="connect"}} > 2', for: 30s}}
"""


def blackbox(folder: Path, addresses: list[str], load: Load) -> Contender:
    """blackbox_exporter and the Prometheus that schedules it, keeps its samples and runs the same three rules."""
    exporter, server = free_ports(2)
    tls = f", tls_config: {{ca_file: {load.ca_file}}}" if load.ca_file else ""
    (folder / "blackbox.yml").write_text(
        "modules:\n  bench:\n    prober: http\n"
        f"    timeout: {TIMEOUT_S}s\n"
        "    http: {preferred_ip_protocol: ip4, valid_status_codes: [200], "
        f"fail_if_body_not_matches_regexp: ['{BODY}']{tls}}}\n"
    )
    (folder / "rules.yml").write_text(RULES.format(every_s=load.every_s))
    (folder / "targets.json").write_text(json.dumps([{"targets": addresses}]))
    (folder / "prometheus.yml").write_text(
        f"global: {{scrape_interval: {load.every_s}s, scrape_timeout: {TIMEOUT_S}s}}\n"
        "rule_files: [rules.yml]\n"
        "scrape_configs:\n  - job_name: bench\n    metrics_path: /probe\n    params: {module: [bench]}\n"
        "    file_sd_configs: [{files: [targets.json]}]\n"
        "    relabel_configs:\n"
        "      - {source_labels: [__address__], target_label: __param_target}\n"
        "      - {source_labels: [__param_target], target_label: instance}\n"
        f"      - {{target_label: __address__, replacement: '127.0.0.1:{exporter}'}}\n"
    )
    first = [
        str(program("prometheus-blackbox-exporter")),
        "--config.file=blackbox.yml",
        f"--web.listen-address=127.0.0.1:{exporter}",
    ]
    second = [
        str(program("prometheus")), "--config.file=prometheus.yml", "--storage.tsdb.path=tsdb",
        f"--web.listen-address=127.0.0.1:{server}",
    ]  # fmt: skip
    return Contender(
        "blackbox",
        folder,
        {"blackbox": start(first, folder / "blackbox.log"), "prometheus": start(second, folder / "prometheus.log")},
    )


def monit(folder: Path, addresses: list[str], load: Load) -> Contender:
    """One target after another in one burst: no phases, no history, no schedule inside the cycle."""
    checks = []
    for at, address in enumerate(addresses):
        host, _, path = address.partition("://")[2].partition("/")
        checks.append(
            f"check host t{at} with address 127.0.0.1\n  if failed port {host.rpartition(':')[2]} protocol http"
            f' request "/{path}" with timeout {TIMEOUT_S} seconds then alert'
        )
    control = folder / "monitrc"
    head = f"set daemon {load.every_s}\nset pidfile {folder}/pid\nset idfile {folder}/id\nset statefile {folder}/state\n"
    control.write_text(head + f"set log {folder}/log\n" + "\n".join(checks) + "\n")
    control.chmod(0o600)
    return Contender("monit", folder, {"monit": start([str(program("monit")), "-I", "-c", str(control)], folder / "out.log")})


Start = Callable[[Path, list[str], Load], Contender]
CONTENDERS: dict[str, tuple[Start, tuple[str, ...]]] = {
    "forewarn": (forewarn, ()),
    "floor": (floor, ()),
    "blackbox": (blackbox, ("prometheus-blackbox-exporter", "prometheus")),
    "monit": (monit, ("monit",)),
}
"""Name -> how it is started, and the programs that it needs."""


def missing(name: str, https: bool) -> str | None:
    """Why a contender can't take part; None if it can."""
    if name == "monit" and https:
        return "monit builds its store of certificates for every check (25 ms): it does not keep up with any of these loads"
    lacking = [one for one in CONTENDERS[name][1] if not program(one)]
    return f"{', '.join(lacking)} not found; scripts/bench-tools.sh fetches what this distribution has" if lacking else None
