"""Certificates in real files, made by openssl."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path

import pytest
from made_machine import MadeMachine
from probing import certificate, ended, probe

from forewarn.model.series import ProbeRun, metric_text
from forewarn.probers.certificate_read import CertificateProber

DAY = 86400.0


async def look(*files: Path | str, **options: object) -> ProbeRun:
    made, prober = (
        probe("certificate", timeout_s=20.0, **({"files": [str(one) for one in files]} if files else {}), **options),
        CertificateProber(),
    )
    return await prober(made, made.targets[0], time.time())


def shown(run: ProbeRun) -> dict[str, float]:
    return {metric_text(*column): value for column, value in zip(run.columns, run.values, strict=True)}


async def test_when_it_ends_and_whose_it_is(tmp_path: Path) -> None:
    certificate(tmp_path, days=30, name="shop.example")
    run = await look(tmp_path / "cert.pem")
    (name, left_s) = next(iter(shown(run).items()))
    assert name == f'certificate_s{{file="{tmp_path}/cert.pem",name="shop.example"}}'
    assert run.outcome == "up" and left_s == pytest.approx(30 * DAY, abs=600)


async def test_one_that_has_ended_is_negative(tmp_path: Path) -> None:
    ended(tmp_path)
    assert next(iter(shown(await look(tmp_path / "cert.pem")).values())) < -5 * 365 * DAY


async def test_the_servers_own_comes_first_and_keys_are_passed_over(tmp_path: Path) -> None:
    for name, days in (("own", 10), ("ca", 3000)):
        (tmp_path / name).mkdir()
        certificate(tmp_path / name, days=days, name=f"{name}.example")
    key, own, ca = ((tmp_path / part).read_text() for part in ("own/key.pem", "own/cert.pem", "ca/cert.pem"))
    (tmp_path / "all.pem").write_text(f"{key}\nsome words\n{own}{ca}")
    run = await look(tmp_path / "all.pem")
    assert list(shown(run)) == [f'certificate_s{{file="{tmp_path}/all.pem",name="own.example"}}'] and "PRIVATE" not in repr(run)
    assert not shown(await look(str(tmp_path / "own" / "key*"))), "a key alone is no certificate and no trouble"


async def test_what_can_not_be_read_is_named(tmp_path: Path) -> None:
    run = await look(tmp_path / "none.pem")
    assert (run.outcome, run.reason) == (
        "unknown",
        "missing",
    ) and run.detail == f"{tmp_path}/none.pem is missing or may not be read"
    (tmp_path / "bad.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    certificate(tmp_path)
    run = await look(tmp_path / "*.pem")
    assert run.outcome == "up" and f"{tmp_path}/bad.pem holds a certificate that can't be read" in str(run.detail)
    assert [name for name in shown(run) if "cert.pem" in name]


async def test_none_in_the_usual_places_is_no_trouble() -> None:
    made, prober = probe("certificate"), CertificateProber(lambda where: MadeMachine({}))
    run = await prober(made, made.targets[0], time.time())
    assert (run.outcome, run.columns, run.detail) == ("up", (), "there is no certificate in the usual places")


async def test_some_may_be_left_out(tmp_path: Path) -> None:
    certificate(tmp_path)
    assert not shown(await look(tmp_path / "*.pem", skip=["*/cert.pem"]))


async def test_a_name_of_openssl_without_dns_names(tmp_path: Path) -> None:
    argv = [
        "openssl",
        "req",
        "-x509",
        "-newkey",
        "ec",
        "-pkeyopt",
        "ec_paramgen_curve:P-256",
        "-nodes",
        "-keyout",
        "k",
        "-out",
        "c.pem",
    ]
    subprocess.run([*argv, "-subj", "/O=x/CN=内网"], check=True, capture_output=True, cwd=tmp_path)
    assert 'name="' in next(iter(shown(await look(tmp_path / "c.pem"))))
