"""The figures as a table for people and as a flat file, the unit in each name."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

LARGEST_FOR_RATIOS = 10_000
"""A run with more targets is about keeping up; the ratios are those of the sizes that peers can do."""
LABELS = {
    "forewarn": "forewarn, the whole daemon",
    "floor": "floor: bare libcurl loop",
    "blackbox": "blackbox_exporter + prometheus",
    "monit": "monit (no phases, no history)",
}


def table(result: dict[str, Any]) -> str:
    """Probers first, then the store."""
    lines: list[str] = []
    probers = result.get("probers", {})
    if probers:
        scheme = "https" if result["https"] else "http"
        hanging = ", while it reloads, shows and reports" if result["disturbed"] else ""
        hanging += f", {result['hanging_percent']:g} % of them hanging" if result["hanging_percent"] else ""
        lines.append(
            f"\n{result['targets']} {scheme} targets every {result['every_s']} s{hanging};"
            f" {result['window_s']:.0f} s measured, all at the same time"
        )
        lines.append(f"{'':32}{'CPU ms/probe':>13}{'to ours':>9}{'late p50':>10}{'p99':>9}{'max ms':>9}{'RSS MB':>9}{'runs':>9}")
        ours = probers.get("forewarn", {}).get("cpu_ms")
        for name, figures in probers.items():
            lines.append(_row(LABELS[name], figures, ours))
        if (share := probers.get("forewarn", {}).get("stored_share")) is not None:
            lines.append(f"stored and read back: {share:.1%} of the runs that the targets answered")
        if findings := probers.get("forewarn", {}).get("findings"):
            lines.append(f"beware: {findings} findings began, and what follows from them is in our figure; the machine is too busy")
    for name, why in result["skipped"].items():
        lines.append(f"left out: {name}: {why}")
    if store := result.get("store"):
        lines += _stored(store)
    return "\n".join(lines)


def _stored(store: dict[str, Any]) -> list[str]:
    """The store's table; peers' published figures are in docs/decisions/."""
    peer, ours = store.get("prometheus_bytes_per_sample"), store["bytes_per_sample"]
    at_rest = (
        f"chunks of prometheus' own blocks of such samples: {peer:.2f}, {peer / ours:.1f}x" if peer else "promtool is not here"
    )
    rows = [
        ("a sample in, CPU, with its sealing", f"{store['append_us']:.2f} us", ""),
        ("a sample at rest", f"{ours:.2f} bytes", at_rest),
        ("a series of 30 days, read, CPU", f"{store['read_30d_ms']:.1f} ms", "43,200 samples"),
        ("the same, counted by the hour", f"{store['tally_30d_ms']:.1f} ms", ""),
        ("the longest that sealing kept another thread waiting", f"{store['seal_gap_max_ms']:.1f} ms", "includes a busy machine's"),
    ]
    rows += [
        (
            "35,000 series: they begin, CPU, the longest append",
            f"{store['crowd_begin_cpu_s']:.1f} s",
            f"{store['crowd_begin_longest_ms']:.0f} ms",
        ),
        ("likewise: a sample in, CPU, without sealing", f"{store['crowd_rows_us']:.2f} us", ""),
        ("likewise: memory of the store", f"{store['crowd_rss_mb']:.0f} MB", ""),
        (
            "likewise: a loop beside it is late, p99, while it seals",
            f"{store['crowd_loop_late_seal_p99_ms']:.1f} ms",
            f"{store['crowd_loop_late_idle_p99_ms']:.1f} ms with nothing beside it",
        ),
        (
            "likewise: the longest call that keeps the interpreter, CPU",
            f"{store['crowd_longest_hold_ms']:.2f} ms",
            "what does not depend on a busy machine",
        ),
    ]
    head = f"\nsample store, {store['samples']:,.0f} samples: latencies in microseconds, one a minute, 30 days"
    return [head, *(f"  {what:60}{value:>14}  {beside}".rstrip() for what, value, beside in rows)]


def _row(label: str, figures: dict[str, Any], ours: float | None) -> str:
    cpu = figures["cpu_ms"]
    ratio = f"{cpu / ours:.2f}x" if cpu and ours else "-"
    cells = [_number(cpu, 3), ratio, *(_number(figures[f"late_{what}_ms"], 1) for what in ("p50", "p99", "max"))]
    cells += [_number(figures["rss_mb"], 1), f"{figures['runs']:.0f}"]
    return f"{label:32}" + "".join(f"{cell:>{width}}" for cell, width in zip(cells, (13, 9, 10, 9, 9, 9, 9), strict=True))


def _number(value: float | None, digits: int) -> str:
    return "-" if value is None else f"{value:.{digits}f}"


def write(result: dict[str, Any], file: Path) -> None:
    """The file keeps what other runs (other sizes, HTTPS) left in it under their own names."""
    flat: dict[str, Any] = {}
    probers = result.get("probers", {})
    scheme = "https" if result["https"] else "http"
    plain = not result["hanging_percent"] and not result["disturbed"]
    if "forewarn" in probers and plain and result["targets"] <= LARGEST_FOR_RATIOS:
        flat |= _ratios(scheme, probers, result["targets"])
    flat |= {name: value for name, value in result.get("store", {}).items() if name != "samples"}
    suffix = f"_{result['hanging_percent']:g}_percent_hanging" if result["hanging_percent"] else ""
    suffix += "_disturbed" if result["disturbed"] else ""
    calm = flat.get(f"{scheme}_{result['targets']}_forewarn_cpu_ms")
    if "forewarn" in probers and result["hanging_percent"] and calm and probers["forewarn"]["cpu_ms"]:
        flat["hanging_cpu_factor"] = probers["forewarn"]["cpu_ms"] / calm
    for name, figures in probers.items():
        flat |= {f"{scheme}_{result['targets']}{suffix}_{name}_{what}": _rounded(value) for what, value in figures.items()}
    keep(flat, file)


def keep(figures: dict[str, Any], file: Path) -> None:
    """Put figures beside those that are there."""
    flat: dict[str, Any] = json.loads(file.read_text("utf-8")) if file.exists() else {}
    flat |= figures
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({name: _rounded(flat[name]) for name in sorted(flat)}, indent=1) + "\n", "utf-8")


def _ratios(scheme: str, probers: dict[str, Any], targets: int) -> dict[str, Any]:
    ours = probers["forewarn"]
    found = {f"{scheme}_targets": targets, f"{scheme}_cpu_ms_per_probe": ours["cpu_ms"]}
    if scheme == "http":
        found |= {
            "lateness_p50_ms": ours["late_p50_ms"],
            "lateness_p99_ms": ours["late_p99_ms"],
            f"rss_mb_{targets}": ours["rss_mb"],
        }
    for name, key in (("blackbox", "peer"), ("floor", "floor"), ("monit", "monit")):
        if name in probers and probers[name]["cpu_ms"] and ours["cpu_ms"]:
            found |= {f"{scheme}_{key}_cpu_ms_per_probe": probers[name]["cpu_ms"]}
            ratio = f"{scheme}_cpu_ratio" if key == "peer" else f"{scheme}_{key}_cpu_ratio"
            found[ratio] = probers[name]["cpu_ms"] / ours["cpu_ms"]
    return found


def _rounded(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value
