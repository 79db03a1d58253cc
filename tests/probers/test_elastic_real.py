"""kind elasticsearch on a real Elasticsearch: every example of docs/elasticsearch.md, paging, late documents and stops."""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from elastic_server import Server, call, running
from elastic_story import START, Story, at
from probing import probe as made

from forewarn.config.load import load
from forewarn.model.probe import Probe
from forewarn.probers import PROBERS
from forewarn.probers.elastic_follow import ElasticFollower
from forewarn.probers.reasons import Reason

pytestmark = pytest.mark.timeout(180)
PAGE = (Path(__file__).parents[2] / "docs" / "elasticsearch.md").read_text("utf-8")
EXAMPLES = {found[1]: found[0] for found in re.finditer(r"(?<=```yaml\n)probe: (\S+)\n.*?(?=```)", PAGE, re.DOTALL)}


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.getbasetemp().parent) as one:
        yield one


@pytest.fixture
def index(server: Server) -> Iterator[str]:
    name = f"forewarn-test-{uuid.uuid4().hex[:12]}"
    yield name
    server.drop(f"{name}*")


def example(name: str, folder: Path) -> Probe:
    """As the documentation has it; its secret files are there."""
    (folder / "config").mkdir()
    (folder / "probes").mkdir()
    for secret in ("es-key", "es-ca.pem", "es-password"):
        (folder / "config" / secret).write_text("x\n")
    (folder / "probes" / "example.yaml").write_text(EXAMPLES[name], "utf-8")
    (found,) = load(folder, PROBERS, datetime.now(UTC), {}).probes.values()
    return found


def iso(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def many(n: int, at_s: float, span_s: float = 20.0, **fields: Any) -> list[dict[str, Any]]:
    """So many documents, spread over a span that begins at `at_s`."""
    return [{"@timestamp": iso(at_s + span_s * i / n), **fields} for i in range(n)]


@dataclass
class Step:
    """Documents that come in one interval, in one request."""

    case: Case
    docs: Callable[[float], list[dict[str, Any]]]

    def __call__(self, at_s: float) -> None:
        self.case.server.put(self.case.index, self.docs(at_s))


class Case:
    """Documents of one test's index."""

    def __init__(self, server: Server, index: str, **fields: str) -> None:
        self.server, self.index = server, index
        server.make(index, **fields)

    def put(self, n: int = 1, **fields: Any) -> Step:
        return Step(self, lambda at_s: many(n, at_s + 1, **fields))

    def both(self, *steps: Step) -> Step:
        return Step(self, lambda at_s: [doc for one in steps for doc in one.docs(at_s)])

    def story(self, name: str, folder: Path) -> Story:
        return Story(at(example(name, folder), self.server.url, self.index))


async def test_any(server: Server, index: str, tmp_path: Path) -> None:
    case = Case(server, index, event="text", host="keyword")
    story = case.story("type-any", tmp_path)
    await story.play(case.both(case.put(event="root login", host="web-1"), case.put(event="user login", host="web-2")))
    assert story.firing() == {'root-login host="web-1"'}
    story.tick(301)
    assert story.told == ["root-login web-1 began", "root-login web-1 ended"]


async def test_frequency_of_each_user(server: Server, index: str, tmp_path: Path) -> None:
    case = Case(server, index, outcome="keyword", user="keyword")
    story = case.story("type-frequency", tmp_path)
    await story.play(
        case.both(
            case.put(49, outcome="failure", user="a"),
            case.put(50, outcome="failure", user="b"),
            case.put(99, outcome="ok", user="c"),
        )
    )
    assert story.firing() == {'failed-logins user="b"'}
    assert story.counts("matches_total") == {"a": 49, "b": 50}


async def test_spike(server: Server, index: str, tmp_path: Path) -> None:
    case = Case(server, index, level="keyword", service="keyword")
    story = case.story("type-spike", tmp_path)
    calm = case.both(case.put(2, level="ERROR", service="a"), case.put(1, level="ERROR", service="b"))
    burst = case.both(case.put(9, level="ERROR", service="a"), case.put(1, level="ERROR", service="b"))
    await story.play(*[calm] * 22, *[burst] * 4)
    assert story.firing() == {'more-errors service="a"'}
    story.restart(30)
    await story.play(burst)
    assert story.firing() == {'more-errors service="a"'}
    await story.play(*[calm] * 6)
    assert story.told == ["more-errors a began", "more-errors a ended"]


async def test_flatline_waits_on_over_a_restart(server: Server, index: str, tmp_path: Path) -> None:
    case = Case(server, index, shop="keyword")
    story = case.story("type-flatline", tmp_path)
    lively = case.both(case.put(12, shop="north"), case.put(12, shop="south"))
    await story.play(lively, *[case.put(12, shop="north")] * 8)
    assert story.told == []
    story.restart(300)  # ElastAlert #356: what it had waited for is not forgotten
    await story.play(*[case.put(12, shop="north")] * 5)
    assert story.told == ["few-orders south began"]
    story.restart(300)
    assert story.firing() == {'few-orders shop="south"'}
    await story.play(case.put(30, shop="south"))
    assert story.told == ["few-orders south began", "few-orders south ended"]


async def test_change_of_a_value(server: Server, index: str, tmp_path: Path) -> None:
    case = Case(server, index, outcome="keyword", user="keyword", country="keyword")
    story = case.story("type-change", tmp_path)
    login = {"outcome": "success"}
    await story.play(case.both(case.put(**login, user="a", country="FR"), case.put(**login, user="b", country="FR")))
    assert story.firing() == set()
    story.restart(600)
    await story.play(case.both(case.put(**login, user="a", country="US"), case.put(**login, user="b", country="FR")))
    assert story.firing() == {'other-country user="a"'}
    assert story.counts("country_changes_total") == {"a": 1, "b": 0}
    assert any("user=a: country FR -> US" in line for run in story.runs for line in run.lines)
    story.tick(360)
    assert story.told == ["other-country a began", "other-country a ended"]


async def test_new_term(server: Server, index: str, tmp_path: Path) -> None:
    case = Case(server, index, host="keyword", program="keyword")
    story = case.story("type-new-term", tmp_path)
    case.put(host="web-1", program="nginx")(START - 86400)
    case.put(host="web-2", program="nginx")(START - 86400)
    await story.play(case.both(case.put(host="web-1", program="nginx"), case.put(host="web-1", program="nc")))
    assert story.told == ["new-program web-1,nc began"]
    story.restart(7200)
    await story.play(case.both(case.put(host="web-1", program="nc"), case.put(host="web-2", program="nc")))
    story.tick()
    assert story.told == ["new-program web-1,nc began", "new-program web-1,nc ended", "new-program web-2,nc began"]


async def test_cardinality(server: Server, index: str, tmp_path: Path) -> None:
    case = Case(server, index, host="keyword", user="keyword")
    story = case.story("type-cardinality", tmp_path)
    users = [case.put(host="web-1", user=f"u{i}") for i in range(21)]
    await story.play(case.both(*users[:10]), case.both(*users[:20], case.put(host="web-2", user="u1")))
    assert story.firing() == set()
    story.restart(60)
    await story.play(users[20])
    assert story.told == ["many-users web-1 began"]
    story.tick(3700)
    assert story.told == ["many-users web-1 began", "many-users web-1 ended"]


async def test_percentage(server: Server, index: str, tmp_path: Path) -> None:
    case = Case(server, index, service="keyword", status="integer")
    story = case.story("type-percentage", tmp_path)
    good, bad = case.put(40, service="a", status=200), case.put(4, service="a", status=500)
    few = case.put(4, service="b", status=500)
    await story.play(*[case.both(good, bad, few)] * 4)
    assert story.firing() == {'failing service="a"'}  # b has too few documents for a share at first
    assert story.counts("failed_ratio")["a"] == pytest.approx(4 / 44)
    await story.play(*[good] * 11)
    assert story.told == ["failing a began", "failing a ended"]


async def test_metric_aggregation(server: Server, index: str, tmp_path: Path) -> None:
    case = Case(server, index, service="keyword", took_ms="double")
    story = case.story("type-metric", tmp_path)
    await story.play(*[case.both(case.put(20, service="a", took_ms=900), case.put(20, service="b", took_ms=90))] * 4)
    assert story.firing() == {'slow service="a"'}
    assert story.counts("answer_p95_s") == {"a": pytest.approx(0.9), "b": pytest.approx(0.09)}
    assert story.counts("answers") == {"a": 80, "b": 80}


async def test_blacklist(server: Server, index: str, tmp_path: Path) -> None:
    case = Case(server, index, domain="keyword", host="keyword")
    story = case.story("type-blacklist", tmp_path)
    await story.play(case.both(case.put(host="a", domain="bad.example"), case.put(host="b", domain="good.example")))
    assert story.firing() == {'bad-domain host="a"'}


async def test_whitelist(server: Server, index: str, tmp_path: Path) -> None:
    case = Case(server, index, user="keyword", other="keyword")
    story = case.story("type-whitelist", tmp_path)
    await story.play(case.both(case.put(user="root"), case.put(user="eve"), case.put(other="no user")))
    assert story.firing() == {'stranger user="eve"'}


async def test_compose(server: Server, index: str, tmp_path: Path) -> None:
    case = Case(server, index, status="integer", took_ms="double")
    story = case.story("type-compose", tmp_path)
    await story.play(case.put(20, status=200, took_ms=900))
    assert story.firing() == {"slow"}
    await story.play(case.put(2, status=500, took_ms=900))
    assert story.firing() == {"slow", "failing", "both"}
    story.restart(30)
    assert "both" in story.firing()
    await story.play(*[case.put(200, status=200, took_ms=9)] * 14)
    assert [one for one in story.told if "both" in one] == ["both began", "both ended"]


async def test_the_first_probe_takes_kql(server: Server, index: str, tmp_path: Path) -> None:
    case = Case(server, index, level="keyword", path="keyword", tenant="keyword")
    story = case.story("shop-errors", tmp_path)
    story.probe = Story(_open(story.probe)).probe
    await story.play(
        case.both(
            case.put(21, level="ERROR", path="/pay", tenant="customer-zh"), case.put(99, level="ERROR", path="/health", tenant="x")
        )
    )
    assert story.firing() == {'errors tenant="customer-zh"'}


def _open(probe: Probe) -> Probe:
    """Without the key and the CA, which a server without security does not want."""
    return replace(probe, options=probe.options.model_copy(update={"api_key_file": None, "ca_file": None}))  # type: ignore[attr-defined]


# --- reading ----------------------------------------------------------------------------------------------------------


def plain(server: Server, index: str, **options: Any) -> Probe:
    return made("elasticsearch", server.url, timeout_s=30.0, index=index, **options)


async def test_pages_and_caps_read_each_document_once(server: Server, index: str) -> None:
    Case(server, index)
    story = Story(plain(server, f"{index}*", page=7, max_documents=100))
    await story.play()
    same = [{"@timestamp": iso(START + 5)} for _ in range(40)]
    server.put(index, many(333, START + 1, 4) + same)
    server.put(f"{index}-2", many(50, START + 1, 8))
    await story.play(None)
    assert story.counts("matches_total") == {"": 423}
    assert story.counts("behind_s") == {"": 0}
    assert len([run for run in story.runs if run.cursor]) > 4  # capped, and gone on at once


async def test_late_documents_count_once_and_only_so_late(server: Server, index: str) -> None:
    Case(server, index)
    story = Story(plain(server, index, late="30s"))
    await story.play(None, None, None, None, None, None)
    server.put(
        index, [{"@timestamp": iso(story.now_s - 20)}, {"@timestamp": iso(story.now_s - 45)}, {"@timestamp": iso(START - 5)}]
    )
    await story.play(None, None)
    assert story.counts("matches_total") == {"": 1}
    assert story.counts("late_total") == {"": 1}


async def test_after_a_stop_each_interval_has_its_own_sample(server: Server, index: str) -> None:
    Case(server, index)
    story = Story(plain(server, index))
    await story.play(None)
    stopped_s = story.now_s
    story.restart(600)
    server.put(index, [{"@timestamp": iso(stopped_s + s)} for s in (5, 25, 26, 300)])
    await story.play()
    grown = [
        (at_s - stopped_s, value) for at_s, value in story.samples[next(s for s in story.samples if s.metric == "matches_total")]
    ]
    assert [one for one in grown if one[0] > 0] == [(10, 1), (30, 3), (300, 4), (600, 4)]
    story.restart(5 * 86400)
    server.put(index, [{"@timestamp": iso(story.now_s - 3 * 86400)}, {"@timestamp": iso(story.now_s - 60)}])
    await story.play()
    assert story.counts("matches_total") == {"": 5}  # catch_up: a day
    assert "catch_up" in str(story.runs[-1].detail)


@pytest.mark.slow
async def test_a_kill_at_any_run_neither_loses_nor_repeats(server: Server, index: str) -> None:
    """What is not stored is read again: the newest cursor and the samples with it decide."""
    Case(server, index)
    story = Story(plain(server, index, page=10, max_documents=100))
    await story.play()
    server.put(index, many(350, START + 1, 8))
    await story.play(None)
    for stored in [run for run in story.runs if run.cursor]:
        again = Story(story.probe, story.now_s)
        again.cursor = stored.cursor
        await again.play()
        assert again.counts("matches_total") == {"": 350}


async def test_dates_of_nanoseconds_and_a_part_without_the_field(server: Server, index: str) -> None:
    Case(server, index)
    nanos = {"mappings": {"properties": {"@timestamp": {"type": "date_nanos"}}}}
    call(server.url, f"/{index}-nanos", nanos, "PUT")
    call(server.url, f"/{index}-none", {"mappings": {"properties": {"x": {"type": "keyword"}}}}, "PUT")
    server.put(f"{index}-nanos", [{"@timestamp": "2026-11-20T10:00:03.123456789Z"}])
    server.put(f"{index}-none", [{"x": "y"}])
    story = Story(plain(server, f"{index}*"))
    await story.play(lambda at_s: server.put(index, many(3, at_s + 1, 5)))
    assert story.counts("matches_total") == {"": 4}


@pytest.mark.parametrize(
    ("options", "reason", "said"),
    [
        ({"index": "forewarn-test-none"}, Reason.MISSING, "no such index"),
        ({"index": "forewarn-test-none-*"}, Reason.MISSING, "no index is called"),
        ({"query": "level:[1 TO"}, Reason.CONFIG, "line 1, column 11"),
        ({"query": {"nonsense": {}}}, Reason.CONFIG, "unknown field [nonsense]"),
        ({"by": ["words"], "values": {"n": {"count": True}}}, Reason.CONFIG, "words"),
    ],
)
async def test_what_elasticsearch_refuses(server: Server, index: str, options: dict[str, Any], reason: Reason, said: str) -> None:
    Case(server, index, words="text")
    server.put(index, many(1, START + 1, words="a b"))
    story = Story(plain(server, **{"index": index, **options}))
    await story.play(None)
    assert (story.runs[-1].outcome, story.runs[-1].reason) == ("unknown", reason)
    assert said in str(story.runs[-1].detail).lower()
    assert not any(value for series in story.samples if series.metric == "matches_total" for _, value in story.samples[series])


async def test_a_single_look_shows_the_last_quarter_of_an_hour(server: Server, index: str) -> None:
    Case(server, index, user="keyword")
    server.put(index, many(3, START - 800, user="a") + many(4, START - 1000, user="a"))
    probe = plain(server, index, by=["user"])
    run = await ElasticFollower().once(probe, probe.targets[0], START)
    assert str(run.detail).startswith("3 documents in the last 15 min; the newest: 2026-11-20T09:4")
    assert run.cursor is None
