"""Everything that was loaded from files, checked as a whole: the only configuration that core ever sees."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo

from forewarn.model.due import ALWAYS, Calendar, Span
from forewarn.model.impact import ImpactRules
from forewarn.model.level import Level
from forewarn.model.map import Customer, EscalationStep, Host, Person, Rota, Secret, Service
from forewarn.model.playbook import Playbook
from forewarn.model.policy import PolicyTable
from forewarn.model.probe import Added, Probe


@dataclass(frozen=True, slots=True, kw_only=True)
class LevelRules:
    """One level of the ladder. `spans` maps a due (ack, customer_call, war_room, diagnosis, plan, mitigate, resolve,
    update.customer, update.internal, rca.first, rca.final) to its limit; `tell_s` is how long after reaching this level
    customers are told that it has started (None: only when a person says so)."""

    calendar: str
    spans: Mapping[str, Span]
    room: bool = False
    page: str = "never"  # at_once | in_hours | never
    call: int = 1  # how many steps of the escalation are called at once (0 = none)
    tell_s: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeat:
    """An outside watcher that is told every `every_s` that Forewarn gets on; its silence is somebody else's alarm."""

    url: Secret
    every_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Budget:
    """How many messages an account of a provider takes a minute, and how many of them are kept for pages of P0."""

    per_minute: int
    keep: int


BUDGETS: Mapping[str, Budget] = {
    "dingtalk": Budget(15, 5),  # 20 a minute and robot: open.dingtalk.com/document/robots/custom-robot-access
    "wecombot": Budget(15, 5),  # 20 a minute and robot: developer.work.weixin.qq.com/document/path/91770
    "feishu": Budget(60, 15),  # 100 a minute and robot: open.feishu.cn/document/client-docs/bot-v3/add-custom-bot
    "lark": Budget(60, 15),
    "slack": Budget(45, 10),  # one a second: api.slack.com/docs/rate-limits
    "tgram": Budget(15, 5),  # 20 a minute and group: core.telegram.org/bots/faq
    "discord": Budget(25, 5),  # 30 a minute and webhook: discord.com/developers/docs/topics/rate-limits
    "pagerduty": Budget(100, 30),  # 120 a minute and key: developer.pagerduty.com, Events API
}
"""By the scheme of the provider's addresses; what each publishes, less a margin for others who use the same account."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FindChanges:
    """Whether changes of this machine are looked for, and in which folders files are compared."""

    find: bool = True
    folders: tuple[str, ...] = ("/etc",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Daemon:
    """forewarn.yaml. Spans in seconds."""

    host: str = "127.0.0.1"
    port: int = 8420
    zone: tzinfo
    language: str = "en"
    retention_s: float = 35 * 86400.0
    rollups_s: Mapping[int, float] = field(default_factory=lambda: {300: 180 * 86400.0, 3600: 730 * 86400.0})  # slot -> how long
    smtp_url: Secret | None = None  # relay for mailto:// addresses without a server of their own
    mail_from: str = "forewarn@localhost"
    send_timeout_s: float = 10.0
    retry_s: tuple[float, ...] = (5.0, 30.0, 120.0, 600.0, 1800.0)
    heartbeat: Heartbeat | None = None
    uplink: tuple[str, ...] = ()  # host:port that show whether this machine has a way out; none: its default route does
    budgets: Mapping[str, Budget] = field(default_factory=lambda: BUDGETS)
    changes: FindChanges = FindChanges()


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """`id` is a short hash of all files; `folder` is where they were read; `phrases[language][key]` is the catalogue."""

    id: str
    folder: str
    loaded_at: datetime
    files: int
    daemon: Daemon
    probes: Mapping[str, Probe] = field(default_factory=dict)
    hosts: Mapping[str, Host] = field(default_factory=dict)  # reached over SSH
    services: Mapping[str, Service] = field(default_factory=dict)
    customers: Mapping[str, Customer] = field(default_factory=dict)
    people: Mapping[str, Person] = field(default_factory=dict)
    rotas: Mapping[str, Rota] = field(default_factory=dict)
    escalations: Mapping[str, tuple[EscalationStep, ...]] = field(default_factory=dict)  # by team
    calendars: Mapping[str, Calendar] = field(default_factory=dict)
    ladder: Mapping[Level, LevelRules] = field(default_factory=dict)
    impact: ImpactRules = field(default_factory=ImpactRules)
    policy: PolicyTable = field(default_factory=PolicyTable)
    playbooks: Mapping[str, Playbook] = field(default_factory=dict)
    phrases: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    added: tuple[Added, ...] = ()  # kinds of probes that other packages bring

    def calendar(self, name: str) -> Calendar:
        return ALWAYS if name == ALWAYS.name else self.calendars[name]

    @property
    def office(self) -> Calendar:
        """The calendar of working hours: `office`, or always open where none is declared."""
        return self.calendars.get("office", ALWAYS)

    def probes_of(self, service: str) -> tuple[Probe, ...]:
        return tuple(probe for probe in self.probes.values() if probe.service == service)

    def users_of(self, service: str) -> tuple[Customer, ...]:
        """Customers who use a service, by map."""
        return tuple(customer for customer in self.customers.values() if service in customer.uses)
