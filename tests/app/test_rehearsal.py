"""forewarn try CONFIG --on: the chain on history, through the daemon's own watches and decide()."""

from __future__ import annotations

import hashlib
import json
import math
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from forewarn.app.lab.series_csv import BadFile
from forewarn.app.rehearsal.body import body
from forewarn.app.rehearsal.files import of_files
from forewarn.app.rehearsal.page import Page
from forewarn.app.rehearsal.rehearse import Rehearsal, rehearsed, span
from forewarn.app.rehearsal.watching import fired, watched
from forewarn.cli.main import main
from forewarn.config.load import load
from forewarn.core.reader import Reader
from forewarn.model.finding import RuleState
from forewarn.model.series import SeriesId
from forewarn.model.settings import Settings
from forewarn.probers import PROBERS
from forewarn.runtime.watch import Watch
from forewarn.store.samples import SqliteSamples
from forewarn.store.samples_memory import MemorySamples

BEGIN = datetime(2026, 9, 21, tzinfo=UTC)
FS = SeriesId("db", "local", "fs_used_ratio", (("mount", "/srv"),))
CPU = SeriesId("db", "local", "cpu_used_ratio")
PROBE = """probe: db
kind: host
every: 60s
service: shop
rules:
  - {{name: fills, forecast: {{metric: fs_used_ratio, above: {limit}, within: 3d}}}}
  - {{name: busy, threshold: {{metric: cpu_used_ratio, above: {busy}, for: 15m}}}}
"""


def configured(folder: Path, limit: str = "95%", busy: str = "90%") -> Path:
    (folder / "probes").mkdir(parents=True)
    (folder / "config").mkdir()
    (folder / "probes" / "db.yaml").write_text(PROBE.format(limit=limit, busy=busy))
    (folder / "config" / "services.yaml").write_text("services:\n  shop: {criticality: core}\n")
    return folder


def loaded(folder: Path) -> Settings:
    return load(folder, PROBERS, BEGIN)


def history(days: float = 6.0) -> MemorySamples:
    """A file system that fills from the second day on, 0.1 a day, and is cleaned at the end; a processor busy for 40 minutes."""
    samples, minutes = MemorySamples(), [BEGIN.timestamp() + 60 * n for n in range(int(days * 1440))]
    fill = [0.5 + max(0, n - 1440) * 0.1 / 1440 for n in range(len(minutes))]
    samples.fill(
        FS, [(at, 0.5 if n > 1440 * 5.8 else min(1.0, value)) for n, (at, value) in enumerate(zip(minutes, fill, strict=True))]
    )
    samples.fill(CPU, [(at, 0.97 if 3000 <= n < 3040 else 0.3 + 0.1 * math.sin(n / 200)) for n, at in enumerate(minutes)])
    return samples


def on_history(settings: Settings, against: Settings | None = None) -> Rehearsal:
    samples = history()
    return rehearsed(settings, against, samples, *span(samples))


def test_what_would_have_been(tmp_path: Path) -> None:
    it = on_history(loaded(configured(tmp_path / "a", limit="80%")))
    (incident,) = it.after.incidents.values()
    assert incident.thing == str(FS)
    assert incident.breached_at == BEGIN + timedelta(days=4)
    assert incident.verdict == "came_true"
    assert [one.rule for one in it.after.findings.values()] == ["fills", "busy"]
    assert it.after.pages(), "its act-by came while nobody was at work"
    ahead = incident.breached_at - incident.opened_at
    assert timedelta(hours=24) < ahead < timedelta(days=3)


def test_two_configurations(tmp_path: Path) -> None:
    """The lower limit is told of earlier; a rule with another limit has a finding that vanishes."""
    it = on_history(loaded(configured(tmp_path / "a", limit="80%", busy="99%")), loaded(configured(tmp_path / "b")))
    changes = {(one.thing.kind, one.change, one.thing.key[1:2]) for one in it.differences if one.thing.kind != "page"}
    assert changes == {("incident", "earlier", ()), ("finding", "earlier", ("fills",)), ("finding", "vanishes", ("busy",))}
    (incident,) = [one for one in it.differences if one.thing.kind == "incident"]
    assert incident.before and incident.after
    assert incident.hours == pytest.approx(-36, abs=12), "0.15 of the room are a day and a half"


def test_the_same_configuration_differs_in_nothing(tmp_path: Path) -> None:
    settings = loaded(configured(tmp_path / "a"))
    it = on_history(settings, replace(settings, id="other"))
    assert {one.change for one in it.differences} == {"same"}


def test_a_rehearsal_sees_what_the_daemon_sees(tmp_path: Path) -> None:
    """Several samples at one step: thresholds move at the same sample, forecasts within an hour."""
    settings, samples = loaded(configured(tmp_path / "a")), history()
    probe, daemon = settings.probes["db"], []
    watch = Watch(probe)
    came = watched(probe, samples, *span(samples))
    import forewarn.app.rehearsal.watching as watching

    for track in [watching._track("local", samples.series("db"), samples, *span(samples))]:
        assert track is not None
        for run in watching._runs("db", track):
            at = datetime.fromtimestamp(run.at_s, UTC)
            daemon += [(moved.rule, moved.claim, at) for moved in [*watch.take(run, at), *watch.tick(at)]]

    def edges(moves: list[tuple[str, object, datetime]], rule: str) -> list[datetime]:
        found: list[tuple[bool, datetime]] = []
        for name, claim, at in moves:
            firing = getattr(claim, "state", None) is RuleState.FIRING
            if name == rule and (not found or found[-1][0] is not firing):
                found.append((firing, at))
        return [at for _, at in found]

    rehearsal = [(one.moved.rule, one.moved.claim, one.at) for one in came.moves]
    assert edges(rehearsal, "busy") == edges(daemon, "busy") != []
    (began, ended), (daemon_began, daemon_ended) = edges(rehearsal, "fills")[:2], edges(daemon, "fills")[:2]
    assert abs(began - daemon_began) <= timedelta(hours=1), "at a horizon of three days"
    assert abs(ended - daemon_ended) <= timedelta(minutes=8)


def test_how_often_each_rule_fired(tmp_path: Path) -> None:
    probe, samples = loaded(configured(tmp_path / "a")).probes["db"], history()
    found = fired(probe, samples, *span(samples))
    assert found is not None and {name: n for name, n in found.items() if n} == {"fills": 1, "busy": 1}
    assert fired(replace(probe, name="other"), samples, *span(samples)) is None


def test_time_without_samples_is_no_finding(tmp_path: Path) -> None:
    """Nobody knows why nothing was kept: it is neither absent nor out of sight."""
    samples = history()
    found = fired(loaded(configured(tmp_path / "a")).probes["db"], samples, BEGIN.timestamp() - 86400, span(samples)[1] + 86400)
    assert found is not None and {name for name, n in found.items() if n} == {"fills", "busy"}


def test_samples_that_are_further_apart_than_the_probe_looks(tmp_path: Path) -> None:
    """One-minute samples of a probe that looks every 10 s are no gaps: `for 15m` still counts."""
    settings = loaded(configured(tmp_path / "a"))
    probe = replace(settings.probes["db"], every_s=10.0)
    it = on_history(replace(settings, probes={"db": probe}))
    assert it.slower == {"db": 60.0}
    assert "busy" in {one.rule for one in it.after.findings.values()}


def test_a_span_of_a_longer_history_knows_what_lies_before_it(tmp_path: Path) -> None:
    settings, samples = loaded(configured(tmp_path / "a", limit="80%")), history()
    since = BEGIN + timedelta(days=2, hours=12)
    it = rehearsed(settings, None, samples, since.timestamp(), span(samples)[1])
    (incident,) = it.after.incidents.values()
    assert incident.opened_at - since < timedelta(minutes=15), "the growth of the day before is known"


# --- files ------------------------------------------------------------------------------------------------------------


def written(path: Path, samples: MemorySamples) -> Path:
    lines = ["timestamp,series,value"]
    for series in samples.series():
        window, quoted = samples.read(series, 0, 1e12), str(series).replace('"', '""')
        lines += [f'{at:.0f},"{quoted}",{value!r}' for at, value in zip(window.times_s, window.values, strict=True)]
    path.write_text("\n".join(lines) + "\n")
    return path


def test_csv_files(tmp_path: Path) -> None:
    samples = history(0.1)
    found = of_files(written(tmp_path / "all.csv", samples), None)
    assert found.series() == samples.series()
    assert found.read(FS, 0, 1e12) == samples.read(FS, 0, 1e12)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "db%7Clocal%7Ccpu_used_ratio.csv").write_text("timestamp,value\n2026-09-21T00:00:00Z,0.5\n")
    assert of_files(tmp_path / "folder", None).last() == {CPU: (BEGIN.timestamp(), 0.5)}


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("timestamp,value\n1,2\n", r"two columns, and no word of which series this is; name it with --series"),
        ("timestamp,series,value\nyesterday,db|local|cpu_used_ratio,1\n", r':2 timestamp: "yesterday" is not a time'),
        ("timestamp,series,value\n1,db,1\n", r':2 series: "db" is not a series; write probe\|target\|metric'),
        ("timestamp,series,value\n1,db|local|cpu_used_ratio,much\n", r':2 value: "much" is not a number'),
        ("timestamp,series,value\n1,db|local|cpu_used_ratio\n", r":2 2 columns; 3 are needed"),
        ("series,value\n", r":1 no column timestamp"),
    ],
)
def test_bad_csv_files(tmp_path: Path, text: str, wrong: str) -> None:
    (tmp_path / "h.csv").write_text(text)
    with pytest.raises(BadFile, match=wrong):
        of_files(tmp_path / "h.csv", None)


# --- what people see --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("language", ["en", "zh"])
def test_the_report_stands_by_itself(tmp_path: Path, language: str) -> None:
    a, b, samples = loaded(configured(tmp_path / "a", limit="80%")), loaded(configured(tmp_path / "b")), history()
    it = rehearsed(a, b, samples, *span(samples))
    html = Page(it, samples, Reader(language, a.phrases[language], UTC, it.until), "<new>").html()
    assert "<script" not in html and "http" not in re.sub(r"https?://www\.w3\.org\S*", "", html)
    assert "&lt;new&gt;" in html and "<new>" not in html
    assert html.count("<svg") == 2, "of each series with a finding"
    assert "rehearsal." not in html, "every sentence is in the catalogue"


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    a, b = configured(tmp_path / "a", limit="80%"), configured(tmp_path / "b")
    csv, report = written(tmp_path / "h.csv", history()), tmp_path / "out.html"
    assert main(["--lang", "en", "--config", str(b), "try", str(a), "--on", str(csv), "--html", str(report)]) == 0
    shown = capsys.readouterr().out
    assert "earlier" in shown and "before it came" in shown and report.exists()
    assert main(["--config", str(b), "try", str(a / "probes" / "db.yaml"), "--on", str(csv), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["totals"]["after"]["ahead"] == found["totals"]["before"]["ahead"] == 1
    assert found["verdicts"]["forecast"]["came_true"] == 1


def test_stored_history_is_only_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config, state = configured(tmp_path / "a"), tmp_path / "state"
    state.mkdir()
    stored, samples = SqliteSamples(state / "samples.db"), history(2.5)
    for series in samples.series():
        window = samples.read(series, 0, 1e12)
        stored.append([(series, at, value) for at, value in zip(window.times_s, window.values, strict=True)])
    stored.close()
    before = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in state.iterdir() if path.suffix == ".db"}
    assert main(["--config", str(config), "--state", str(state), "try", str(config), "--on", "history", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["series"], found["samples"], found["against"]) == (2, 7200, None)
    assert before == {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in state.iterdir() if path.suffix == ".db"}


@pytest.mark.parametrize(
    ("words", "wrong"),
    [
        (["--on", "nowhere.csv"], "there is no nowhere.csv; write history, a CSV"),
        (["--on", "prometheus"], "wants the address of one"),
        (["--on", "history", "more"], "takes one place; what is this: more"),
        (["--on", "history", "--state", "/nowhere"], "/nowhere"),
    ],
)
def test_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str], words: list[str], wrong: str) -> None:
    config = str(configured(tmp_path / "a"))
    assert main(["--lang", "en", "--config", config, "try", config, *words]) == 2
    assert wrong in capsys.readouterr().err


def test_body_is_json(tmp_path: Path) -> None:
    settings = loaded(configured(tmp_path / "a", limit="80%"))
    it = on_history(settings)
    found = json.loads(json.dumps(body(it, Reader("en", settings.phrases["en"], UTC, it.until))))
    assert found["foreseen"][0]["series"] == str(FS) and found["strangers_count"] == 0
