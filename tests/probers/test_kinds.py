"""The table of kinds, their words, and the probes that are shipped."""

from __future__ import annotations

import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest
import yaml

from forewarn.cli.main import main
from forewarn.config.find import shipped
from forewarn.config.load import load
from forewarn.model.settings import Settings
from forewarn.probers import PROBERS
from forewarn.probers.log_lines import LineCounter
from forewarn.probers.reasons import Reason

SYSLOG = "Nov 23 10:00:00 web-1 "
RFC3339 = "2026-11-23T10:00:00.123456+00:00 web-1 "


def test_the_table_costs_no_heavy_import() -> None:
    code = (
        "import sys, forewarn.probers; print([m for m in ('pycurl', 'psutil', 're2', 'structlog', 'asyncio') if m in sys.modules])"
    )
    found = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert found.strip() == "[]"


@pytest.mark.parametrize("kind", PROBERS)
def test_each_kind_has_a_schema_and_is_strict(kind: str) -> None:
    schema = PROBERS[kind].options.model_json_schema()
    assert schema["additionalProperties"] is False and PROBERS[kind].metrics
    assert PROBERS[kind].shape in ("async", "engine", "follower", "push")


@pytest.mark.parametrize("language", ["en", "zh"])
def test_each_reason_has_its_words(language: str) -> None:
    file = shipped() / "config" / "phrases" / language / "probers.yaml"
    words = yaml.safe_load(file.read_text("utf-8"))["prober"]["reason"]
    assert set(words) == {str(reason) for reason in Reason}
    assert len(set(words.values())) == len(words), "two reasons that read alike can't be told apart"


@pytest.fixture(scope="module")
def settings() -> Settings:
    return load(shipped(), PROBERS, datetime.now(UTC), {})


@pytest.mark.parametrize("name", ["host", "self", "logs"])
def test_shipped_probes_load_and_name_the_schema(settings: Settings, name: str) -> None:
    file = shipped() / "probes" / f"{name}.yaml"
    assert file.read_text().startswith("# yaml-language-server: $schema=../config/schemas/probe.json\n")
    assert settings.probes[name].every_s == 10.0 and settings.probes[name].service in settings.services


def test_a_busy_processor_is_yellow(settings: Settings) -> None:
    rule = settings.probes["host"].rule("cpu-busy")
    assert rule and rule.colour == "yellow" and rule.options.limit == 0.9 and rule.options.for_s == 900  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("line", "counted"),
    [
        (SYSLOG + "nginx[12]: upstream error while reading", {"errors_total": ("program", "nginx")}),
        (RFC3339 + "nginx: FATAL: no memory", {"errors_total": ("program", "nginx")}),
        (SYSLOG + "cron[1]: done, 0 errors", {}),
        (SYSLOG + "backup[1]: finished without errors", {}),
        (SYSLOG + "app[1]: errors=0 warnings=3", {}),
        (SYSLOG + "app[1]: mirrored terror", {}),
        (
            SYSLOG + "kernel: [123.4] Out of memory: Killed process 4711 (java) total-vm:1kB",
            {"oom_kills_total": ("process", "java")},
        ),
        (
            RFC3339 + "kernel: Memory cgroup out of memory: Killed process 4711 (python3) total-vm:1kB",
            {"oom_kills_total": ("process", "python3")},
        ),
        (SYSLOG + "kernel: blk_update_request: I/O error, dev sdb, sector 1", {"io_errors_total": ("device", "sdb"), "errors_total": None}),
        (SYSLOG + "kernel: Buffer I/O error on dev sdb1, logical block 0", {"io_errors_total": ("device", "sdb1"), "errors_total": None}),
        (SYSLOG + "kernel: EXT4-fs error (device sda1): ext4_find_entry: x", {"fs_errors_total": ("device", "sda1"), "errors_total": None}),
        (SYSLOG + "kernel: XFS (dm-0): Mounting V5 Filesystem", {}),
        (SYSLOG + "kernel: XFS (dm-0): Metadata corruption detected at x", {"fs_errors_total": ("device", "")}),
        (SYSLOG + "kernel: [1.2] app[4711]: segfault at 0 ip 0 sp 0 error 4 in app", {"crashes_total": ("process", "app")}),
        (
            RFC3339 + "sshd[99]: Failed password for invalid user admin from 203.0.113.9 port 22 ssh2",
            {"failed_logins_total": ("from", "203.0.113.9")},
        ),
        (
            SYSLOG + "sshd[99]: Failed password for bob from 203.0.113.9 port 22 ssh2",
            {"failed_logins_total": ("from", "203.0.113.9"), "failed_accounts_total": ("account", "bob")},
        ),
        (
            RFC3339 + "passwd[7]: pam_unix(passwd:chauthtok): password changed for bob",
            {"password_resets_total": ("account", "bob")},
        ),
        (SYSLOG + "usermod[7]: change user 'bob' password", {"password_resets_total": ("account", "bob")}),
        (
            SYSLOG + "sudo[7]:      bob : TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/id",
            {"sudo_total": ("account", "bob")},
        ),
        (
            SYSLOG + "sudo:      bob : user NOT in sudoers ; TTY=pts/0 ; PWD=/ ; USER=root ; COMMAND=/usr/bin/id",
            {"sudo_refused_total": ("account", "bob")},
        ),
        (
            SYSLOG + "useradd[7]: new user: name=bob, UID=1001, GID=1001, home=/home/bob, shell=/bin/sh",
            {"new_users_total": ("account", "bob")},
        ),
        (SYSLOG + "useradd[7]: new user: name=_apt2, UID=105, GID=65534, home=/nonexistent, shell=/usr/sbin/nologin", {}),
        (SYSLOG + "sshd[99]: Accepted publickey for root from 203.0.113.9 port 22", {}),
    ],
)  # fmt: skip
def test_shipped_log_patterns(settings: Settings, line: str, counted: dict[str, tuple[str, str] | None]) -> None:
    probe = settings.probes["logs"]
    assert settings.probes["journal"].options.patterns == probe.options.patterns  # type: ignore[union-attr]
    run = LineCounter(probe.options).run(probe, [line], 1.0)  # type: ignore[arg-type]
    found = {
        metric: labels for (metric, labels), value in zip(run.columns, run.values, strict=True) if value and metric != "lines_total"
    }
    assert found.keys() == counted.keys()
    for metric, label in counted.items():
        assert label is None or found[metric] == (label,)


@pytest.mark.parametrize(
    ("kind", "address", "said"),
    [
        ("http", "127.0.0.1:8000", '"127.0.0.1:8000" is not an address; write http://... or https://...'),
        ("http", "ftp://u:secret@x.example/", "is not an address; write http://... or https://..."),
        ("http", "https://", '"https://" names no host; write e.g. https://shop.example:8443/health'),
        ("http", "http://u:secret@x.example:99999/", "has a port that is no number up to 65535; "),
        ("http", "http://[::1/", '"http://[::1/" is not an address; write e.g. '),
        ("tcp", "127.0.0.1", '"127.0.0.1" is not host:port; write e.g. db.example:5432 or [2001:db8::1]:443'),
    ],
)
def test_an_address_that_no_probe_could_ask_is_refused_before_it_runs(kind: str, address: str, said: str) -> None:
    check = PROBERS[kind].address
    assert check
    with pytest.raises(ValueError, match=re.escape(said)) as error:
        check(address)
    assert "secret" not in str(error.value)


@pytest.mark.parametrize(
    ("kind", "address"),
    [
        ("http", "http://127.0.0.1:8000/"),
        ("http", "https://u:p@[2001:db8::1]:8443/a?b=c d#e"),
        ("http", "https://商城.example"),
        ("tcp", "db:5432"),
        ("tcp", "[::1]:22"),
    ],
)
def test_an_address_that_can_be_asked_is_taken(kind: str, address: str) -> None:
    check = PROBERS[kind].address
    assert check
    check(address)


def test_check_says_where_the_address_stands(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "shop.yaml"
    file.write_text("probe: shop\nkind: http\ntargets:\n  - 127.0.0.1:8000\n", "utf-8")
    assert main(["--lang", "en", "try", str(file)]) == 2
    assert f'{file}:4 targets[0]: "127.0.0.1:8000" is not an address; write http://' in capsys.readouterr().err
