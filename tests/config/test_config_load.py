"""Whole configurations: merging, what comes from the shipped set, environment, secrets, identity."""

from __future__ import annotations

import gc
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from config_folder import BASE, NOW, problems_of, settings_of, write
from config_kinds import KINDS

from forewarn.config.find import shipped
from forewarn.config.load import load
from forewarn.model.due import Span
from forewarn.model.errors import ConfigError
from forewarn.model.level import Effect, Level, Mode
from forewarn.model.map import Channel, EscalationStep, Need, Secret
from forewarn.model.playbook import Match, PlaybookNeed
from forewarn.model.probe import Source, Target
from forewarn.probers import PROBERS

SHANGHAI = ZoneInfo("Asia/Shanghai")
DEMO = shipped() / "config" / "demo"
DEMO_ENV = {
    "DEMO_SHOP_1": "http://127.0.0.1:1/",
    "DEMO_SHOP_2": "http://127.0.0.1:2/",
    "DEMO_STATS": "http://127.0.0.1:3/stats",
    "DEMO_LOG": "/tmp/shop.log",
    "DEMO_DISKS": "/tmp/disks",
    "DEMO_SMTP": "smtp://127.0.0.1:2525",
    "DEMO_HOOK": "json://127.0.0.1:4/notice",
}


# --- probes


def test_a_probe_in_full(tmp_path: Path) -> None:
    text = (
        "# a remark\nprobe: a\nkind: http\nevery: 10s\ntimeout: 3s\nservice: shop\ntargets: {web-1: http://127.0.0.1:1/}\n"
        "values: {orders_per_min: $.orders}\ndepends_on: [ok]\ntags: [public]\nmode: suggest\n"
    )
    probe = settings_of(tmp_path, {"probes/a.yaml": text}).probes["a"]
    assert (probe.every_s, probe.timeout_s, probe.service, probe.mode) == (10, 3, "shop", Mode.SUGGEST)
    assert probe.targets == (Target("web-1", "http://127.0.0.1:1/"),)
    assert (probe.depends_on, probe.tags, probe.source) == (("ok",), ("public",), Source("probes/a.yaml", 2))
    assert probe.options.values == {"orders_per_min": "$.orders"}


def test_what_is_left_out_is_the_kinds(tmp_path: Path) -> None:
    probes = settings_of(tmp_path, {"probes/a.yaml": "probe: a\nkind: host\nevery: 4s\n"}).probes
    assert (probes["ok"].every_s, probes["ok"].timeout_s) == (30, 10)
    assert (probes["a"].every_s, probes["a"].timeout_s) == (4, 4)  # never longer than the interval
    assert probes["a"].targets == KINDS["host"].targets


def test_several_probes_of_one_file_and_files_of_folders(tmp_path: Path) -> None:
    files = {
        "probes/b.yaml": "probe: b1\nkind: host\n---\nprobe: b2\nkind: host\n",
        "probes/deep/er/c.yml": "probes:\n  - {probe: c1, kind: host}\n  - probe: c2\n    kind: host\n",
        "probes/.hidden.yaml": "probe: [",
        "probes/notes.txt": "probe: [",
        "probes/c.yaml~": "probe: [",
    }
    settings = settings_of(tmp_path, files)
    assert list(settings.probes) == ["b1", "b2", "c1", "c2", "ok"]
    assert str(settings.probes["c2"].source) == "probes/deep/er/c.yml:3"


def test_a_file_that_an_option_names_lies_with_the_secrets(tmp_path: Path) -> None:
    (tmp_path / "cred").mkdir()
    (tmp_path / "cred" / "token").write_text("x")
    text = "probe: a\nkind: http\ntargets: [http://127.0.0.1/]\ntoken_file: token\n"
    settings = settings_of(tmp_path, {"probes/a.yaml": text}, {"CREDENTIALS_DIRECTORY": str(tmp_path / "cred")})
    assert settings.probes["a"].options.token_file == tmp_path / "cred" / "token"


def test_a_thousand_probes_load_fast(tmp_path: Path) -> None:
    text = (
        "probe: p{0}\nkind: http\nevery: 10s\ntimeout: 3s\nservice: shop\ntargets: [http://127.0.0.1:{0}/health]\n"
        "values: {{orders_per_min: $.orders}}\nexpect: {{status: 200}}\nrules:\n  - total_s > 500ms for 1m\n"
        "  - {{name: slow, threshold: {{metric: total_s, stat: p95, window: 5m, above: 500ms, clear_below: 400ms}}}}\n"
        "  - {{name: soon, forecast: {{metric: total_s, above: 500ms, within: 3d}}}}\ntags: [public]\n"
    )
    write(tmp_path, {f"probes/p{n}.yaml": text.format(n) for n in range(1000)})
    load(tmp_path, KINDS, NOW, {})  # the disk's cache
    began = time.process_time()
    settings = load(tmp_path, KINDS, NOW, {})
    assert len(settings.probes) == 1001
    assert time.process_time() - began < 2.0  # 0.5-0.8 s measured on a busy 2-core host; slower ones have room
    assert gc.isenabled()


def test_a_long_chain_of_needs_is_no_trouble(tmp_path: Path) -> None:
    chain = "".join(f"probe: p{n}\nkind: host\ndepends_on: [p{n + 1}]\n---\n" for n in range(3000))
    assert problems_of(tmp_path, {"probes/a.yaml": chain + "probe: p3000\nkind: host\n"}) == []


# --- maps


def test_a_service_in_full(tmp_path: Path) -> None:
    text = (
        "services:\n  search: {criticality: important}\n  cache: {criticality: test}\n  shop:\n    criticality: core\n    team: local\n"
        "    names: {en: Shop, zh: 商城}\n    tags: [core-payment]\n    runs_on: ['host:local']\n    users: 12000\n    internal: yes\n"
        "    needs: [search, {soft: cache}, {any_of: [search, cache], at_least: 1}]\n    peak: ['Mon-Fri 10:00-12:00']\n"
        "    campaigns: [{from: '2026-11-11', to: 2026-11-12}]\n    business: 'ok|http://127.0.0.1/|orders_per_min'\n"
    )
    settings = settings_of(tmp_path, {"config/services.yaml": text})
    shop = settings.services["shop"]
    assert shop.needs == (
        Need(services=("search",)),
        Need(services=("cache",), soft=True),
        Need(services=("search", "cache"), at_least=1),
    )
    assert (shop.called("zh"), shop.called("fr"), shop.users, shop.internal) == ("商城", "Shop", 12000, True)
    assert shop.peak[0].zone == SHANGHAI  # the daemon's, where none is written
    assert shop.campaigns == ((datetime(2026, 11, 10, 16, tzinfo=UTC), datetime(2026, 11, 11, 16, tzinfo=UTC)),)
    assert str(shop.source) == "config/services.yaml:4"


def test_a_service_without_a_team_has_the_default_one(tmp_path: Path) -> None:
    oncall = BASE["config/oncall.yaml"] + "  default: [{to: on-call-1, ack: 1h}]\n"
    services = settings_of(tmp_path, {"config/oncall.yaml": oncall}).services
    assert (services["shop"].team, services["search"].team) == ("local", "default")


def test_without_a_default_it_has_none(tmp_path: Path) -> None:
    assert settings_of(tmp_path, {}).services["search"].team is None


def test_customers_and_their_channels(tmp_path: Path) -> None:
    text = (
        "customers:\n  customer-zh:\n    name: 客户甲\n    tier: vip\n    language: zh\n    zone: Asia/Shanghai\n    quiet: '22:00-07:00'\n"
        "    uses: {shop: 60%, search: 0.5}\n    consent: [incident]\n"
        "    channels: ['mailto://ops@customer-zh.example', 'json://h/p', {url_file: hook}, person, 'slack://a/b/c', 'console://']\n"
        "  customer-en: {}\n"
    )
    customers = settings_of(tmp_path, {"config/customers.yaml": text, "config/hook": "jsons://h/secret\n"}).customers
    zh, en = customers["customer-zh"], customers["customer-en"]
    assert [channel.kind for channel in zh.channels] == ["mail", "webhook", "webhook", "person", "apprise", "console"]
    assert zh.channels[2] == Channel("webhook", Secret("jsons://h/secret"))
    assert (zh.vip, zh.uses, zh.consent, zh.title) == (True, {"shop": 0.6, "search": 0.5}, {"incident"}, "客户甲")
    assert zh.quiet is not None
    assert zh.quiet.zone == SHANGHAI
    assert (en.title, en.language, en.zone, en.consent) == (
        "customer-en",
        "en",
        SHANGHAI,
        {"forewarning", "incident", "maintenance"},
    )


def test_an_empty_list_of_consent_is_none_at_all(tmp_path: Path) -> None:
    text = "customers:\n  customer-1: {consent: []}\n"
    assert settings_of(tmp_path, {"config/customers.yaml": text}).customers["customer-1"].consent == frozenset()


@pytest.mark.parametrize("text", ["customers: {}\n", "customers:\n", "# nobody\n"])
def test_nobody_to_tell(text: str, tmp_path: Path) -> None:
    assert settings_of(tmp_path, {"config/customers.yaml": text}).customers == {}


def test_people_rotas_and_escalations(tmp_path: Path) -> None:
    text = (
        "people:\n  on-call-1: {skills: [db], channels: ['console://']}\n  on-call-2: {zone: Europe/London, language: zh}\n"
        "rotas:\n  l1: {members: [on-call-1, on-call-2], turn: 7d, from: '2026-01-05T09:00 Asia/Shanghai'}\n"
        "escalations:\n  local: [{to: l1, ack: 5m}, {to: on-call-2, ack: 10m}]\n"
    )
    settings = settings_of(tmp_path, {"config/oncall.yaml": text})
    rota = settings.rotas["l1"]
    assert (rota.start, rota.turn) == (datetime(2026, 1, 5, 1, tzinfo=UTC), timedelta(days=7))
    assert rota.on_duty(datetime(2026, 1, 12, 1, tzinfo=UTC)) == "on-call-2"
    assert settings.escalations == {"local": (EscalationStep("l1", 300), EscalationStep("on-call-2", 600))}
    assert (settings.people["on-call-2"].language, settings.people["on-call-1"].zone) == ("zh", SHANGHAI)


def test_files_of_a_folder_are_one(tmp_path: Path) -> None:
    files = {
        "config/services/10.yaml": "services:\n  shop: {tags: [b], users: 5}\n  pay: {criticality: core, tags: [x]}\n",
        "config/services/20.yaml": "services:\n  shop: {tags: [c]}\n",
        "config/services.yaml": "services:\n  shop: {criticality: core, tags: [a]}\n  search: {criticality: important}\n",
    }
    settings = settings_of(tmp_path, files)
    assert settings.services["shop"].tags == ("a", "b", "c")
    assert settings.services["shop"].users == 5
    assert str(settings.services["pay"].source) == "config/services/10.yaml:3"


def test_a_place_in_a_merged_file_is_the_right_one(tmp_path: Path) -> None:
    files = {"config/services/10.yaml": "services:\n  pay:\n    criticality: core\n    needs: [shp]\n"}
    assert problems_of(tmp_path, files) == [
        'config/services/10.yaml:4 services.pay.needs[0]: "shp" is not a service; did you mean shop?'
    ]


# --- the ladder over the shipped one


def test_the_shipped_ladder() -> None:
    ladder = load(shipped(), PROBERS, NOW, {}).ladder
    assert list(ladder) == list(Level)
    p0, p2 = ladder[Level.P0], ladder[Level.P2]
    assert {name: span.seconds / 60 for name, span in p0.spans.items()} == {
        "ack": 5,
        "customer_call": 15,
        "war_room": 15,
        "diagnosis": 30,
        "plan": 120,
        "update.customer": 30,
        "update.internal": 15,
        "mitigate": 240,
        "resolve": 1440,
        "rca.first": 1440,
        "rca.final": 4320,
    }
    assert (p0.calendar, p0.room, p0.page, p0.call, p0.tell_s) == ("24x7", True, "at_once", 3, 0)
    assert (p2.calendar, p2.room, p2.page, p2.call, p2.tell_s) == ("office", False, "in_hours", 1, None)
    assert p2.spans["resolve"] == Span(working_days=5)
    assert [rules.page for rules in ladder.values()] == ["at_once", "at_once", "in_hours", "never", "never"]
    assert [rules.tell_s for rules in ladder.values()] == [0, 120, None, None, None]


def test_a_ladder_lies_over_the_shipped_one_key_by_key(tmp_path: Path) -> None:
    text = (
        "calendars:\n  office: {zone: Europe/London}\n  shifts: {open: {Mon-Sun: '06:00-22:00'}}\n"
        "levels:\n  P0: {plan: 1h, update: {internal: 10m}, customer_call: null}\n  P2: {clock: shifts}\n"
        "impact: {users_total: 500, reach: {all: 30%}, drop: {stopped: 40%}}\n"
    )
    settings = settings_of(tmp_path, {"config/ladder.yaml": text})
    p0 = settings.ladder[Level.P0]
    assert (p0.spans["plan"].seconds, p0.spans["update.internal"].seconds, p0.spans["ack"].seconds) == (3600, 600, 300)
    assert p0.spans["update.customer"].seconds == 1800
    assert "customer_call" not in p0.spans
    assert settings.ladder[Level.P2].calendar == "shifts"
    assert settings.calendar("office").zone == ZoneInfo("Europe/London")
    assert settings.calendar("office").week[0] != ()
    assert (settings.impact.users_total, settings.impact.reach_all, settings.impact.reach_many) == (500, 0.3, 0.05)
    assert (settings.impact.drop[Effect.STOPPED], settings.impact.drop[Effect.FAILS]) == (0.4, 0.1)


def test_weights_are_the_users_whole(tmp_path: Path) -> None:
    text = "impact:\n  weights: {orders: 0.5, users: 0.1, criticality: 0.1, availability: 0.1, scope: 0.1, customers: 0.1}\n"
    assert settings_of(tmp_path, {"config/ladder.yaml": text}).impact.weights["orders"] == 0.5


# --- playbooks, daemon, phrases


def test_a_playbook_in_full(tmp_path: Path) -> None:
    text = (
        "playbook: free\ntitle: {en: Free}\nfor: {probe: ok, rule: 'd*'}\ntakes: 90m\nneeds: [{spare: disk-4t, lead: 3d}]\nrisk: medium\n"
        "mode: live\nsteps:\n  - {name: look, run: [df, -h, '${mount}'], reads: true, timeout: 10s}\n"
        "  - {probe: ok, target: 'http://127.0.0.1/'}\n  - {name: again, probe: '${probe}'}\n"
        "  - {ask: Shall it go?, choices: [yes, later], when: look failed}\n"
        "  - {name: clean, run: [clean, /srv], undo: [restore, /srv], allow_dash: true}\n  - {tell: update}\n  - {wait: 5m}\n"
        "  - {name: queue, run: {http: {url: 'http://127.0.0.1/q'}}, reads: true}\n"
    )
    found = settings_of(tmp_path, {"playbooks/a.yaml": text}).playbooks["free"]
    assert (found.match, found.takes_s, found.risk, found.mode) == (Match(probe="ok", rule="d*"), 5400, "medium", Mode.LIVE)
    assert found.needs == (PlaybookNeed(what="disk-4t", lead_s=259200),)
    assert [(step.name, step.kind, dict(step.spec)) for step in found.steps] == [
        ("look", "run", {"argv": ["df", "-h", "${mount}"]}),
        ("probe", "probe", {"probe": "ok", "target": "http://127.0.0.1/"}),
        ("again", "probe", {"probe": "${probe}"}),
        ("ask", "ask", {"text": "Shall it go?", "choices": ["yes", "later"]}),
        ("clean", "run", {"argv": ["clean", "/srv"], "allow_dash": True}),
        ("tell", "tell", {"notice": "update"}),
        ("wait", "wait", {"for_s": 300}),
        ("queue", "run", {"http": {"method": "GET", "url": "http://127.0.0.1/q", "headers": {}}}),
    ]
    assert [step.changing for step in found.steps] == [False, False, False, False, True, False, False, False]
    assert found.steps[4].undo == {"argv": ["restore", "/srv"]}
    assert (found.steps[3].when, found.steps[0].timeout_s, str(found.steps[1].source)) == ("look failed", 10, "playbooks/a.yaml:10")


def test_the_daemon_and_its_policy(tmp_path: Path) -> None:
    text = (
        "daemon:\n  port: ${PORT}\n  zone: Europe/London\n  language: zh\n  retention: 2w\n  rollups: {5m: 0s}\n  send_timeout: 5s\n  retry: [1s, 2s]\n"
        "  mail: {server_file: smtp, from: me@ops.example}\npolicy:\n  modes: {notice: live, notice.started: shadow}\n  undo: 2s\n  approval: 1h\n"
    )
    files = {"config/forewarn.yaml": text, "config/smtp": "smtps://user:s3cret@mail.example\n"}
    settings = settings_of(tmp_path, files, {"PORT": "9000"})
    daemon = settings.daemon
    assert (daemon.port, daemon.zone, daemon.language, daemon.retention_s) == (9000, ZoneInfo("Europe/London"), "zh", 14 * 86400)
    assert daemon.rollups_s == {300: 0, 3600: 730 * 86400}
    assert (daemon.send_timeout_s, daemon.retry_s, daemon.mail_from) == (5, (1, 2), "me@ops.example")
    assert daemon.smtp_url == Secret("smtps://user:s3cret@mail.example")
    assert settings.policy.modes == {"notice": Mode.LIVE, "notice.started": Mode.SHADOW}
    assert (settings.policy.undo_s, settings.policy.approval_s) == (2, 3600)


def test_a_phrase_of_the_users_own(tmp_path: Path) -> None:
    files = {"config/phrases/en/mine.yaml": "due: {ack: take it}\nmetric: {queue_length: queue}\n"}
    phrases = settings_of(tmp_path, files).phrases
    assert phrases["en"]["due.ack"] == "take it"
    assert phrases["en"]["metric.queue_length"] == "queue"
    assert phrases["en"]["due.resolve"] == load(shipped(), PROBERS, NOW, {}).phrases["en"]["due.resolve"]
    assert phrases["zh"]["due.ack"] != "take it"


# --- environment, secrets, identity


def test_values_from_the_environment(tmp_path: Path) -> None:
    text = 'probe: a\nkind: http\ntargets: {x: "http://${HOST}:${PORT}/"}\nvalues: {n: "$${HOST} ${lower} $.x"}\n'
    probe = settings_of(tmp_path, {"probes/a.yaml": text}, {"HOST": "h", "PORT": "1"}).probes["a"]
    assert probe.targets[0].address == "http://h:1/"
    assert probe.options.values["n"] == "${HOST} ${lower} $.x"


def test_what_the_environment_gives_is_never_read_as_a_place_for_more(tmp_path: Path) -> None:
    text = 'probe: a\nkind: http\ntargets: {x: "${ONE}"}\n'
    probe = settings_of(tmp_path, {"probes/a.yaml": text}, {"ONE": "${TWO}", "TWO": "x"}).probes["a"]
    assert probe.targets[0].address == "${TWO}"


def test_secrets_do_not_show(tmp_path: Path) -> None:
    files = {
        "config/customers.yaml": "customers:\n  customer-1: {channels: ['jsons://h/${HOOK}', {url_file: hook}, 'mailto://a:pw-in-file@h?to=a@b.example']}\n",
        "config/hook": "jsons://h/s3cret-in-file",
        "config/forewarn.yaml": "daemon: {mail: {server: 'smtp://u:${PASSWORD}@h'}}\n",
    }
    settings = settings_of(tmp_path, files, {"HOOK": "s3cret-hook", "PASSWORD": "s3cret-word"})
    assert settings.customers["customer-1"].channels[0].url.reveal() == "jsons://h/s3cret-hook"
    for secret in ("s3cret", "pw-in-file"):
        assert secret not in repr(settings)


def test_secrets_do_not_show_in_errors(tmp_path: Path) -> None:
    files = {
        "config/customers.yaml": "customers:\n  customer-1: {channels: ['${HOOK}', 'mailto:pw-in-file', {url: pw-in-file, url_file: pw}]}\n"
        "  customer-2: {channels: {url: 'json://pw-in-file'}, quiet: '${HOOK}'}\n  customer-3: {channels: [{url_file: empty}, {url_file: bad}]}\n",
        "config/empty": "\n",
        "config/bad": "pw-in-file",
        "config/forewarn.yaml": "daemon: {mail: {server: '${HOOK}'}, port: '${HOOK}'}\n",
    }
    problems = problems_of(tmp_path, files, {"HOOK": "s3cret-hook"})
    assert len(problems) == 9
    assert not any(secret in problem for problem in problems for secret in ("s3cret", "pw-in-file"))
    assert (
        'config/customers.yaml:4 customers.customer-3.channels[0].url_file: "empty" is empty; write the secret into it' in problems
    )


def test_credentials_come_before_the_folder(tmp_path: Path) -> None:
    (tmp_path / "cred").mkdir()
    (tmp_path / "cred" / "hook").write_text("json://credentials\n")
    files = {
        "config/customers.yaml": "customers:\n  customer-1: {channels: [{url_file: hook}, {url_file: other}]}\n",
        "config/hook": "json://folder",
        "config/other": "json://other",
    }
    settings = settings_of(tmp_path, files, {"CREDENTIALS_DIRECTORY": str(tmp_path / "cred")})
    assert [channel.url.reveal() for channel in settings.customers["customer-1"].channels] == ["json://credentials", "json://other"]


def test_the_id_is_that_of_the_files(tmp_path: Path) -> None:
    first = settings_of(tmp_path, {})
    again = load(tmp_path, KINDS, NOW + timedelta(days=1), {})
    assert (again.id, len(first.id)) == (first.id, 6)
    assert (again.loaded_at, again.folder, again.files) == (NOW + timedelta(days=1), str(tmp_path), 4)
    assert settings_of(tmp_path, {"probes/ok.yaml": BASE["probes/ok.yaml"] + "\n"}).id != first.id


def test_what_is_missing_comes_from_the_shipped_set(tmp_path: Path) -> None:
    (tmp_path / "probes").mkdir()
    settings = load(tmp_path, KINDS, NOW, {})
    assert (settings.services, settings.customers, settings.probes, settings.playbooks) == ({}, {}, {}, {})
    assert list(settings.people) == ["on-call-1"]
    assert set(settings.ladder) == set(Level)
    assert settings.daemon.port == 8420
    assert settings.files == 0


def test_a_folder_with_nothing_in_it(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        load(tmp_path, KINDS, NOW, {})
    assert "there is neither config/ nor probes/ in this folder" in str(error.value)


def test_a_file_that_must_not_be_read(tmp_path: Path) -> None:
    write(tmp_path, {})
    (tmp_path / "probes" / "gone.yaml").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ConfigError) as error:
        load(tmp_path, KINDS, NOW, {})
    assert "probes/gone.yaml:1: the file can't be read: No such file or directory" in str(error.value)


# --- what we ship


def test_the_shipped_set_loads() -> None:
    settings = load(shipped(), PROBERS, NOW, {})
    assert settings.customers == {}  # nothing can leave by accident
    assert settings.services["this-host"].internal
    assert settings.policy.modes["notice"] is Mode.SUGGEST
    assert settings.policy.modes["step.changes"] is Mode.SUGGEST
    assert settings.daemon.host == "127.0.0.1"
    assert settings.escalations["default"]
    assert set(settings.playbooks) >= {"disk-filling", "host-busy", "web-down"}


def test_shipped_playbooks_change_nothing_without_a_yes() -> None:
    for folder, environ in ((shipped(), {}), (DEMO, DEMO_ENV)):
        settings = load(folder, PROBERS, NOW, environ)
        assert settings.policy.modes["step.changes"] is not Mode.LIVE
        for playbook in settings.playbooks.values():
            assert playbook.mode is not Mode.LIVE
            for step in playbook.steps:
                assert not step.changing or step.undo or step.idempotent or step.irreversible


def test_the_demo_loads() -> None:
    settings = load(DEMO, PROBERS, NOW, DEMO_ENV)
    assert set(settings.probes) == {"volume", "shop", "orders", "shop-log", "disk"}
    assert {customer.name: customer.language for customer in settings.users_of("checkout")} == {
        "customer-en": "en",
        "customer-zh": "zh",
    }
    assert [channel.kind for channel in settings.customers["customer-en"].channels] == ["webhook"]
    assert [step.to for step in settings.escalations["shop"]] == ["on-call-1", "on-call-2", "head"]
    assert settings.policy.undo_s == 2
    assert settings.impact.users_total == 100000


def test_the_demo_says_what_it_lacks() -> None:
    with pytest.raises(ConfigError) as error:
        load(DEMO, PROBERS, NOW, {})
    for name in DEMO_ENV:
        assert f"${{{name}}} is not set" in str(error.value)
