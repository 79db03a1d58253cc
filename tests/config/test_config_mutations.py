"""Whatever stands in the place of a value: the set loads, or every problem is a sentence with a place. Nothing crashes."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from config_folder import NOW, problems_of, write
from config_kinds import KINDS

from forewarn.config.files import read
from forewarn.config.load import load
from forewarn.model.errors import ConfigError

FULL = {
    "config/forewarn.yaml": "daemon: {port: 1, zone: UTC, retention: 5d, retry: [1s], mail: {server: 'smtp://h', from: x}}\n"
    "policy: {modes: {page: live}, undo: 5s, approval: 1h}\n",
    "config/services.yaml": "services:\n  search: {criticality: important}\n  shop: {criticality: core, team: local, names: {en: x},"
    " tags: [a], runs_on: ['host:a'], users: 5, internal: true, needs: [search, {soft: search}, {any_of: [search], at_least: 1}],"
    " peak: ['10:00-12:00'], campaigns: [{from: '2026-11-11', to: '2026-11-12'}], business: 'ok|http://127.0.0.1/|x'}\n",
    "config/customers.yaml": "customers:\n  c1: {name: x, tier: vip, language: zh, zone: UTC, quiet: '22:00-07:00',"
    " uses: {shop: 60%}, consent: [incident], channels: ['json://x', {url: 'json://y'}, person], users: 5}\n",
    "config/oncall.yaml": "people:\n  p1: {name: x, zone: UTC, skills: [a], channels: ['console://']}\n"
    "rotas:\n  r1: {members: [p1], turn: 7d, from: '2026-01-05T09:00 UTC'}\nescalations:\n  local: [{to: r1, ack: 5m}]\n",
    "config/ladder.yaml": "calendars: {office: {zone: UTC, open: {Mon-Fri: '09:00-18:00'}, holidays: [2026-10-01]}}\n"
    "levels: {P0: {clock: 24x7, ack: 1m, update: {customer: 1h}, rca: {first: 1h}, room: true, page: never, call: 1, tell: 1s}}\n"
    "impact: {users_total: 5, reach: {all: 20%, many: 5%, many_customers: 2}, drop: {slow: 1%}, peak_factor: 2}\n",
    "probes/a.yaml": "probes:\n  - {probe: a, kind: http, every: 5s, timeout: 1s, service: shop, targets: {x: y}, values: {n: $.x},"
    " depends_on: [ok], tags: [t], mode: live, where: [local], rules: ['total_s > 5s for 1m', {name: s, threshold: {metric: total_s,"
    " stat: p95, window: 5m, above: 1s, clear_below: 500ms, for: 1m}, colour: red, effect: slow, mode: live},"
    " {name: f, forecast: {metric: total_s, above: 1s, within: 1d, confidence: 0.9, window: 1h}}]}\n"
    "  - {probe: l, kind: log, files: [x], patterns: {e: x}, rules: [{pattern: {metric: e_total, more_than: 1, within: 1m}}]}\n",
    "playbooks/a.yaml": "playbook: a\ntitle: {en: x}\nfor: {probe: ok, rule: down, service: shop, tag: a}\ntakes: 1h\n"
    "needs: [{spare: x, lead: 1d}]\nrisk: low\nmode: live\nsteps:\n  - {name: a, run: [df], reads: true, timeout: 5s}\n"
    "  - {name: b, probe: ok, target: 'http://127.0.0.1/', when: a ok}\n  - {name: c, ask: x, choices: [y]}\n"
    "  - {tell: update}\n  - {wait: 5m}\n  - {name: f, run: {http: {url: x, headers: {a: b}}}, undo: [x], allow_dash: true}\n",
}
JUNK = (None, 5, -1, 1.5, True, "x", "", "5s", "${X}", "a|b{", "\0", "x" * 5000, [], [[]], {}, {"a": {"b": [None]}}, 10**400)


def paths(value: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in inner:
        yield from paths(item, (*at, key))


def replaced(value: Any, at: tuple[Any, ...], by: object) -> Any:
    if not at:
        return by
    value = copy.deepcopy(value)
    inner = value
    for key in at[:-1]:
        inner = inner[key]
    inner[at[-1]] = by
    return value


def test_the_full_one_is_good(tmp_path: Path) -> None:
    assert problems_of(tmp_path, FULL) == []


def test_any_value_may_be_anything(tmp_path: Path) -> None:
    documents = {file: read(text.encode(), file, [])[0].value for file, text in FULL.items()}
    places = [(file, at) for file, value in documents.items() for at in paths(value)]
    chosen = random.Random(11)
    write(tmp_path, FULL)
    refused = 0
    for file, at in chosen.sample(places, 120):
        (tmp_path / file).write_text(json.dumps(replaced(documents[file], at, chosen.choice(JUNK))))
        try:
            load(tmp_path, KINDS, NOW, {})
        except ConfigError as error:
            refused += 1
            assert all(one.line >= 1 and one.what and len(str(one)) < 1200 for one in error.problems)
        (tmp_path / file).write_text(FULL[file])
    assert refused > 60
