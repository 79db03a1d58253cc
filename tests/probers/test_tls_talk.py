"""TLS the short way: a full handshake each time, the name that was asked for, whom to trust as the file says it now."""

from __future__ import annotations

import asyncio
import shutil
import ssl
import time
from pathlib import Path

import pytest
from probing import answering, certificate, probe, saying, server, values

from forewarn.probers import plain, tls_talk
from forewarn.probers.ends import READ_S
from forewarn.probers.http import HttpOptions
from forewarn.probers.http_engine import HttpEngine
from forewarn.probers.names import Names
from forewarn.probers.once import run_once


async def looked(engine: HttpEngine, url: str, **options: object):  # type: ignore[no-untyped-def]
    return (await run_once("engine", engine, probe("http", url, **options), time.time()))[0]  # type: ignore[arg-type]


async def test_it_goes_without_libcurl_and_shakes_hands_in_full_each_time(tmp_path: Path) -> None:
    reused, ciphers = [], []

    async def handle(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        shaken: ssl.SSLObject = writer.get_extra_info("ssl_object")
        reused.append(shaken.session_reused)
        ciphers.append((shaken.version(), shaken.selected_alpn_protocol()))
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")

    context = certificate(tmp_path)
    context.set_alpn_protocols(["h2", "http/1.1"])
    engine = HttpEngine()
    async with server(handle, context) as url:
        runs = [await looked(engine, url, ca_file=str(tmp_path / "cert.pem")) for _ in range(3)]
    assert [run.outcome for run in runs] == ["up"] * 3, runs
    assert reused == [False] * 3 and set(ciphers) == {("TLSv1.3", "http/1.1")}
    assert engine._long is None, "it went the long way"
    found = values(runs[2])
    assert found["connect_s"] + found["tls_s"] + found["first_byte_s"] <= found["total_s"]
    assert 29 * 86400 < found["certificate_s"] < 30 * 86400 + 60
    await engine.close()


@pytest.mark.parametrize(
    ("shown", "asked", "outcome"),
    [
        ("shop.firm.example", "shop.firm.example", "up"),
        ("*.firm.example", "shop.firm.example", "up"),
        ("*.firm.example", "www.shop.firm.example", "down"),
        ("s*.firm.example", "shop.firm.example", "down"),
        ("other.firm.example", "shop.firm.example", "down"),
        ("shop.firm.example", "127.0.0.1", "down"),
    ],
)
async def test_the_certificate_must_hold_the_name_that_was_asked_for(tmp_path: Path, shown: str, asked: str, outcome: str) -> None:
    names = Names(lambda *given, **more: [(2, 1, 6, "", ("127.0.0.1", 0))])
    engine, heard = HttpEngine(names=names), []
    context = certificate(tmp_path, name=shown)
    context.sni_callback = lambda sock, name, given: heard.append(name)
    async with server(answering(), context) as url:
        run = await looked(engine, url.replace("127.0.0.1", asked), ca_file=str(tmp_path / "cert.pem"))
        free = await looked(engine, url.replace("127.0.0.1", asked), verify=False)
    assert run.outcome == outcome, run
    if outcome == "down":
        assert run.reason == "tls" and str(run.detail).startswith("its certificate can't be trusted: "), run
        assert "mismatch" in str(run.detail), run
    assert free.outcome == "up"
    assert heard[0] == (None if asked[0].isdigit() else asked), "an address is no server name"
    assert engine._long is None
    await engine.close()


async def test_a_file_of_trust_that_changes_counts_with_the_next_run(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"
    ours.mkdir(), theirs.mkdir()
    context, _ = certificate(ours), certificate(theirs)
    trusted, engine = tmp_path / "ca.pem", HttpEngine()
    shutil.copy(theirs / "cert.pem", trusted)
    async with server(answering(), context) as url:
        assert (await looked(engine, url, ca_file=str(trusted))).reason == "tls"
        shutil.copy(ours / "cert.pem", trusted)
        assert (await looked(engine, url, ca_file=str(trusted))).outcome == "up"
        trusted.write_text("nothing\n")
        run = await looked(engine, url, ca_file=str(trusted))
    assert (run.outcome, run.reason) == ("unknown", "missing"), run
    await engine.close()


async def test_an_old_protocol_is_refused(tmp_path: Path) -> None:
    context = certificate(tmp_path)
    context.maximum_version, context.minimum_version = ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_2
    engine = HttpEngine()
    async with server(answering(), context) as url:
        assert (await looked(engine, url, verify=False)).outcome == "up"
    await engine.close()
    assert tls_talk.trust(None, False).get_verify_mode() == 0
    assert tls_talk.trust(str(tmp_path / "cert.pem"), True).get_verify_mode() == 1


async def test_a_large_answer_comes_whole_and_is_bounded(tmp_path: Path) -> None:
    body, engine, context = b"x" * 700_000, HttpEngine(), certificate(tmp_path)
    async with server(answering(body), context) as url:
        run = await looked(engine, url, verify=False)
        assert (run.outcome, values(run)["size_bytes"]) == ("up", 700_000.0)
        assert (await looked(engine, url, verify=False, max_body="64kB")).reason == "too_big"
    async with server(saying(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf"), context) as url:
        run = await looked(engine, url, verify=False)
        assert (run.outcome, run.reason) == ("down", "reset"), run
    assert engine._long is None
    await engine.close()


def test_what_needs_more_goes_the_long_way(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url, shown = "https://shop.example/", tmp_path / "c.pem"
    assert plain.way(HttpOptions(), url) is not None
    assert plain.way(HttpOptions(cert_file=shown), url) is None
    assert plain.way(HttpOptions(http2=True), url) is None
    assert plain.way(HttpOptions(), "https://shop.example./") is None
    monkeypatch.setattr(plain, "_has_tls", lambda: False)
    assert plain.way(HttpOptions(), url) is None and plain.way(HttpOptions(), "http://shop.example/") is not None


@pytest.mark.parametrize(("curve", "known"), [("prime256v1", "secp256r1"), ("secp384r1", "secp384r1")])
async def test_the_group_that_a_target_chooses_is_learnt_and_any_other_still_offered(
    tmp_path: Path, curve: str, known: str
) -> None:
    context, other = certificate(tmp_path), certificate(tmp_path)
    context.set_ecdh_curve(curve)
    engine = HttpEngine()
    async with server(answering(), context) as url:
        assert [(await looked(engine, url, verify=False)).outcome for _ in range(3)] == ["up"] * 3
        assert engine._ends.group(url, time.time()) == known
        assert engine._ends.group(url, time.time() + READ_S + 1) == "", "seen again now and then"
        other.set_ecdh_curve("secp521r1")
    async with server(answering(), other) as elsewhere:
        engine._ends.read(elsewhere, time.time(), time.time() + 9.0, known)
        assert (await looked(engine, elsewhere, verify=False)).outcome == "up", "it has changed its mind meanwhile"
    await engine.close()
