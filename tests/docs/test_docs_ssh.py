"""What docs/ssh.md shows is what the loader takes, and nothing that a host can be told is missing from it."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

from forewarn.config.hosts import HostWritten
from forewarn.config.load import load
from forewarn.core.show import AWAY
from forewarn.probers import PROBERS
from forewarn.probers.reasons import Reason

PAGE = (Path(__file__).parents[2] / "docs" / "ssh.md").read_text("utf-8")
HOSTS, PROBE, LOG = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def test_the_examples_load(tmp_path: Path) -> None:
    for path, text in {
        "config/hosts.yaml": HOSTS,
        "probes/disks.yaml": PROBE,
        "probes/log.yaml": LOG.replace("web-1, web-2", "web, db-1"),
        "config/ssh/id_ed25519": "x",
        "config/ssh/db": "x",
    }.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(text)
    (tmp_path / "config/ssh/db-passphrase").write_text("x")
    settings = load(tmp_path, PROBERS, datetime.now(UTC), {})
    assert [target.name for target in settings.probes["disks"].targets] == ["web-2", "db-1"]
    assert [target.where for target in settings.probes["shop-log"].targets] == ["web-2", "db-1"]


def test_every_key_of_a_host_and_every_reason_is_there() -> None:
    wanted = {*HostWritten.model_fields, *AWAY}
    assert not [name for name in sorted(wanted) if f"`{name}`" not in PAGE]


def test_reasons_of_hosts_are_reasons_of_runs() -> None:
    assert {str(reason) for reason in Reason} >= AWAY
