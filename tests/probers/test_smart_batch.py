"""Disks of one model and firmware that go bad together."""

from __future__ import annotations

import json
import time
from pathlib import Path

from probing import probe

from forewarn.probers.smart_answer import Disk
from forewarn.probers.smart_batch import Batches
from forewarn.probers.smart_read import SmartProber

BATCH = (("firmware", "A1"), ("model", "M"))


def disk(serial: str, model: str = "M", firmware: str = "A1", **values: float) -> Disk:
    return Disk(f"/dev/{serial}", serial, model, {"disk_ok": 1.0} | values, firmware=firmware)


def test_one_of_a_kind_is_no_batch():
    assert Batches().ailing([disk("s1"), disk("s2", firmware="B2"), disk("s3", model="N")]) == []


def test_what_stood_before_says_nothing_and_growth_does():
    batches = Batches()
    assert batches.ailing([disk("s1", pending_sectors=8.0), disk("s2", pending_sectors=0.0)]) == [(BATCH, 0.0)]
    assert batches.ailing([disk("s1", pending_sectors=8.0), disk("s2", pending_sectors=1.0)]) == [(BATCH, 1.0)]
    assert batches.ailing([disk("s1", pending_sectors=9.0), disk("s2", pending_sectors=1.0)]) == [(BATCH, 2.0)]


def test_one_that_fails_counts_from_the_first_look():
    assert Batches().ailing([disk("s1", disk_ok=0.0), disk("s2")]) == [(BATCH, 1.0)]


async def test_a_run_carries_the_batches_and_keeps_its_columns(tmp_path: Path):
    answer = json.loads((Path(__file__).parents[1] / "data" / "smart" / "sata-ok.json").read_text())
    for serial in ("S1", "S2"):
        document = {"at": time.time(), "device": f"/dev/{serial}", "exit": 0, "answer": answer | {"serial_number": serial}}
        (tmp_path / f"disk-{serial}.json").write_text(json.dumps(document))
    (tmp_path / "scan.json").write_text(json.dumps({"at": time.time(), "devices": []}))
    made, prober = probe("smart", source="file", folder=str(tmp_path)), SmartProber()
    first, second = [await prober(made, made.targets[0], time.time()) for _ in range(2)]
    batches = [(labels, value) for (name, labels), value in zip(first.columns, first.values, strict=True) if name == "batch_ailing"]
    assert batches == [((("firmware", answer["firmware_version"]), ("model", answer["model_name"])), 0.0)]
    assert first.columns is second.columns
