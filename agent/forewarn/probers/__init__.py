"""The kinds of probes: one line each. Heavy libraries are imported when a prober is made, options always.

A new kind is its module with options, its line here, its tests, one example in probes/ and one section in docs/.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forewarn.model.probe import Target
from forewarn.ports import Kind
from forewarn.probers import command, host, http, journal, log, own, smart, tcp, temperature

HERE = (Target("local", "local"),)
"""The one target of kinds that look at this machine."""


def _http() -> Any:
    from forewarn.probers.http_engine import HttpEngine

    return HttpEngine()


def _host() -> Any:
    from forewarn.probers.host_read import HostProber

    return HostProber()


def _log() -> Any:
    from forewarn.probers.log_follow import LogFollower

    return LogFollower()


def _journal() -> Any:
    from forewarn.probers.journal_follow import JournalFollower

    return JournalFollower()


def _temperature() -> Any:
    from forewarn.probers.temperature_read import TemperatureProber

    return TemperatureProber()


def _command() -> Any:
    from forewarn.probers.command_run import CommandProber

    return CommandProber()


def _self() -> Any:
    """Without the daemon's figures; the daemon puts one with them in its place."""
    return own.SelfProber()


def _tcp() -> Any:
    from forewarn.probers.tcp_connect import TcpProber

    return TcpProber()


def _smart() -> Any:
    from forewarn.probers.smart_read import SmartProber

    return SmartProber()


PROBERS: Mapping[str, Kind] = {
    "http": Kind(http.HttpOptions, "engine", _http, every_s=30.0, timeout_s=10.0, metrics=http.METRICS),
    "host": Kind(host.HostOptions, "async", _host, every_s=10.0, timeout_s=5.0, targets=HERE, metrics=host.METRICS),
    "log": Kind(log.LogOptions, "follower", _log, every_s=10.0, timeout_s=10.0, targets=HERE, metrics=log.METRICS),
    "journal": Kind(
        journal.JournalOptions, "follower", _journal, every_s=10.0, timeout_s=10.0, targets=HERE, metrics=journal.METRICS
    ),
    "tcp": Kind(tcp.TcpOptions, "async", _tcp, every_s=30.0, timeout_s=10.0, metrics=tcp.METRICS),
    "temperature": Kind(
        temperature.TemperatureOptions,
        "async",
        _temperature,
        every_s=30.0,
        timeout_s=10.0,
        targets=HERE,
        metrics=temperature.METRICS,
    ),
    "smart": Kind(smart.SmartOptions, "async", _smart, every_s=600.0, timeout_s=60.0, targets=HERE, metrics=smart.METRICS),
    "self": Kind(own.SelfOptions, "async", _self, every_s=10.0, timeout_s=5.0, targets=HERE, metrics=own.METRICS),
    "command": Kind(command.CommandOptions, "async", _command, every_s=60.0, timeout_s=10.0, targets=HERE, metrics=command.METRICS),
}
