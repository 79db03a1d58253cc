"""`forewarn try` on real targets: what it says and how it ends."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from probing import answering, server

from forewarn.cli.main import main

PROBE = """\
probe: shop
kind: http
every: 10s
timeout: 2s
service: this-host
targets: {{web: "{url}"}}
values: {{orders: $.orders}}
expect: {{json: {{$.status: {wanted}}}}}
rules:
  - {{name: slow, threshold: {{metric: total_s, above: {limit}, for: 1m}}}}
"""


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    """A shop's health page, served from a thread, since `try` has a loop of its own."""
    ready, stop, found = threading.Event(), threading.Event(), list[str]()

    async def serve() -> None:
        async with server(answering(b'{"status": "ok", "orders": 12}')) as url:
            found.append(url)
            ready.set()
            await asyncio.to_thread(stop.wait)

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert ready.wait(5)
    yield found[0]
    stop.set()
    thread.join()


def written(folder: Path, url: str, wanted: str = "ok", limit: str = "500ms") -> str:
    file = folder / "shop.yaml"
    file.write_text(PROBE.format(url=url, wanted=wanted, limit=limit))
    return str(file)


def test_up(shop: str, tmp_path: Path, capsys) -> None:
    assert main(["--lang", "en", "try", written(tmp_path, shop)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("up  web  ") and "(resolve " in said and ", first byte " in said and ", rest " in said
    assert "  orders  12\n" in said
    assert "\nok  slow" in said and "limit 500 ms" in said


def test_down_with_the_value(shop: str, tmp_path: Path, capsys) -> None:
    assert main(["--lang", "en", "try", written(tmp_path, shop, wanted="degraded")]) == 1
    assert 'unexpected JSON: $.status is "ok", expected "degraded"' in capsys.readouterr().out


def test_a_rule_over_its_limit_is_seen(shop: str, tmp_path: Path, capsys) -> None:
    assert main(["--lang", "en", "try", written(tmp_path, shop, limit="0.001ms")]) == 0
    assert "\nover  slow" in capsys.readouterr().out


def test_chinese(shop: str, tmp_path: Path, capsys) -> None:
    assert main(["--lang", "zh", "try", written(tmp_path, shop)]) == 0
    said = capsys.readouterr().out
    assert said.startswith("正常  web  ") and "首字节" in said


def test_json_is_the_body_of_the_api(shop: str, tmp_path: Path, capsys) -> None:
    assert main(["--lang", "en", "try", "--json", written(tmp_path, shop)]) == 0
    (item,) = json.loads(capsys.readouterr().out)["items"]
    (target,) = item["targets"]
    assert (item["name"], item["kind"], target["outcome"], target["why"]) == ("shop", "http", "up", None)
    assert {"metric": "orders", "labels": {}, "value": 12.0} in target["series"]
    assert "slow" in {rule["rule"] for rule in target["rules"]}


def test_cannot_see_is_three(tmp_path: Path, capsys) -> None:
    file = tmp_path / "shop-log.yaml"
    file.write_text(f"probe: shop-log\nkind: log\nfiles: [{tmp_path}/app.log]\npatterns: {{errors: ERROR}}\n")
    assert main(["--lang", "en", "try", str(file)]) == 3
    assert capsys.readouterr().out.startswith("cannot see  local  ")


def test_no_such_probe_is_three_and_names_those_there_are(capsys, monkeypatch) -> None:
    monkeypatch.delenv("FOREWARN_CONFIG", raising=False)
    assert main(["--lang", "en", "try", "hosst"]) == 3
    assert 'There is no probe and no file "hosst". Probes: ' in capsys.readouterr().out


def test_a_file_with_problems_is_two(tmp_path: Path, capsys) -> None:
    file = written(tmp_path, "http://x/")
    Path(file).write_text(Path(file).read_text().replace("kind: http", "kind: htpp"))
    assert main(["--lang", "en", "try", file]) == 2
    assert '"htpp" is not a kind of probe' in capsys.readouterr().err


def test_a_name_and_a_file_of_the_configuration(shop: str, tmp_path: Path, capsys) -> None:
    (tmp_path / "config").mkdir()
    (tmp_path / "config" / "services.yaml").write_text("services: {this-host: {criticality: test, team: local}}\n")
    (tmp_path / "probes").mkdir()
    file = written(tmp_path / "probes", shop)
    for what in ("shop", file):
        assert main(["--lang", "en", "--config", str(tmp_path), "try", what]) == 0, capsys.readouterr()


def test_host_and_log_can_be_tried(tmp_path: Path, capsys) -> None:
    log = tmp_path / "x.log"
    log.write_text("ERROR one\nfine\nERROR two\n")
    file = tmp_path / "two.yaml"
    file.write_text(
        "probes:\n"
        "  - {probe: here, kind: host, service: this-host}\n"
        f"  - {{probe: lines, kind: log, service: this-host, files: {log}, patterns: {{errors: ERROR}}}}\n"
    )
    assert main(["--lang", "en", "try", str(file)]) == 0
    said = capsys.readouterr().out
    assert "memory_used_ratio" in said and "  errors_total  2\n" in said
