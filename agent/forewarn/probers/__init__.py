"""The kinds of probes: one line each. Heavy libraries are imported when a prober is made, options always.

A new kind is its module with options, its line here, its tests, one example in probes/ and one section in docs/. One that
can also look at hosts over SSH says `remote=True` and takes Machines (reach/machine.py). Kinds of other packages come to
those of this table by an entry point (added.py).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from forewarn.model.probe import Target
from forewarn.ports import Kind
from forewarn.probers import (
    added,
    certificate,
    command,
    elastic,
    growth,
    host,
    http,
    journal,
    log,
    own,
    process,
    smart,
    tcp,
    temperature,
)
from forewarn.reach.machine import Machines, only_here

HERE = (Target("local", "local"),)
"""The one target of kinds that look at this machine."""


def _http() -> Any:
    from forewarn.probers.http_engine import HttpEngine

    return HttpEngine()


def _host(machines: Machines = only_here) -> Any:
    from forewarn.probers.host_read import HostProber

    return HostProber(machines)


def _log(machines: Machines = only_here) -> Any:
    from forewarn.probers.log_follow import LogFollower

    return LogFollower(machines)


def _journal() -> Any:
    from forewarn.probers.journal_follow import JournalFollower

    return JournalFollower()


def _temperature(machines: Machines = only_here) -> Any:
    from forewarn.probers.temperature_read import TemperatureProber

    return TemperatureProber(machines)


def _command(machines: Machines = only_here) -> Any:
    from forewarn.probers.command_run import CommandProber

    return CommandProber(machines)


def _certificate(machines: Machines = only_here) -> Any:
    from forewarn.probers.certificate_read import CertificateProber

    return CertificateProber(machines)


def _growth() -> Any:
    from forewarn.probers.growth_walk import GrowthProber

    return GrowthProber()


def _process(machines: Machines = only_here) -> Any:
    from forewarn.probers.process_read import ProcessProber

    return ProcessProber(machines)


def _self() -> Any:
    """Without the daemon's figures; the daemon puts one with them in its place."""
    return own.SelfProber()


def _tcp() -> Any:
    from forewarn.probers.tcp_connect import TcpProber

    return TcpProber()


def _smart(machines: Machines = only_here) -> Any:
    from forewarn.probers.smart_read import SmartProber

    return SmartProber(machines)


def _elastic() -> Any:
    from forewarn.probers.elastic_follow import ElasticFollower

    return ElasticFollower()


OWN: Mapping[str, Kind] = {
    "http": Kind(http.HttpOptions, "engine", _http, every_s=30.0, timeout_s=10.0, metrics=http.METRICS, address=http.check_address),
    "host": Kind(host.HostOptions, "async", _host, every_s=10.0, timeout_s=5.0, targets=HERE, metrics=host.METRICS, remote=True),
    "log": Kind(log.LogOptions, "follower", _log, every_s=10.0, timeout_s=10.0, targets=HERE, metrics=log.METRICS, remote=True),
    "journal": Kind(
        journal.JournalOptions, "follower", _journal, every_s=10.0, timeout_s=10.0, targets=HERE, metrics=journal.METRICS
    ),
    "tcp": Kind(tcp.TcpOptions, "async", _tcp, every_s=30.0, timeout_s=10.0, metrics=tcp.METRICS, address=tcp.check_address),
    "temperature": Kind(
        temperature.TemperatureOptions,
        "async",
        _temperature,
        every_s=30.0,
        timeout_s=10.0,
        targets=HERE,
        metrics=temperature.METRICS,
        remote=True,
    ),
    "smart": Kind(
        smart.SmartOptions, "async", _smart, every_s=600.0, timeout_s=60.0, targets=HERE, metrics=smart.METRICS, remote=True
    ),
    "certificate": Kind(
        certificate.CertificateOptions,
        "async",
        _certificate,
        every_s=3600.0,
        timeout_s=30.0,
        targets=HERE,
        metrics=certificate.METRICS,
        remote=True,
    ),
    "growth": Kind(growth.GrowthOptions, "async", _growth, every_s=21_600.0, timeout_s=600.0, targets=HERE, metrics=growth.METRICS),
    "process": Kind(
        process.ProcessOptions, "async", _process, every_s=30.0, timeout_s=10.0, targets=HERE, metrics=process.METRICS, remote=True
    ),
    "self": Kind(own.SelfOptions, "async", _self, every_s=10.0, timeout_s=5.0, targets=HERE, metrics=own.METRICS),
    "elasticsearch": Kind(elastic.ElasticOptions, "follower", _elastic, every_s=30.0, timeout_s=15.0, metrics=elastic.METRICS),
    "command": Kind(
        command.CommandOptions, "async", _command, every_s=60.0, timeout_s=10.0, targets=HERE, metrics=command.METRICS, remote=True
    ),
}

PROBERS = added.Kinds(OWN)
"""All of them: our own, and those of other packages."""
