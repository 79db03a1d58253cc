"""forewarn.yaml: the daemon itself, and what may happen without a person."""

from __future__ import annotations

import re
from datetime import UTC, tzinfo
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator

from forewarn.config.environment import SecretFiles
from forewarn.config.files import Document
from forewarn.config.problems import Problems, Wrong, suggestion
from forewarn.config.times import zone
from forewarn.config.units import duration_text
from forewarn.config.validate import validated_parts
from forewarn.config.written import Duration, Positive, Written, Zone, described
from forewarn.model.level import Mode
from forewarn.model.map import Secret
from forewarn.model.message import Subkind
from forewarn.model.policy import PolicyTable
from forewarn.model.scorecard import Prior
from forewarn.model.settings import BUDGETS, Budget, Daemon, FindChanges, Heartbeat

LANGUAGES = ("en", "zh")
SHORTEST_BEAT_S = 5.0
_DAEMON, _POLICY = Daemon(zone=UTC), PolicyTable()  # for their defaults

KINDS = ("page", "notice", "ask", "step.reads", "step.changes")
ACTIONS = (*KINDS, *(f"notice.{subkind}" for subkind in Subkind))
"""What the policy knows: a kind of action, or one subkind of notice."""


def _language(value: str) -> str:
    if value not in LANGUAGES:
        raise Wrong(f'"{value}" is not a language that Forewarn writes', f"write {' or '.join(LANGUAGES)}")
    return value


def _action(value: str) -> str:
    if value not in ACTIONS:
        raise Wrong(f'"{value}" is not an action', suggestion(value, ACTIONS, 20))
    return value


Language = Annotated[str, AfterValidator(_language)]


class MailWritten(Written):
    """The relay for mailto:// addresses that name no server of their own."""

    server: str | None = described("smtp://host:25, or smtps://user:password@host", "smtp://127.0.0.1:25", default=None)
    server_file: str | None = described("a secret's file that holds the server", "smtp-server", default=None)
    from_: str | None = described("the sender's address", "forewarn@ops.example", default=None, alias="from")


def _scheme(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9]*", value):
        raise Wrong(f'"{value}" is not the scheme of an address', "write what stands before :// there, e.g. dingtalk or mailto")
    return value


class BudgetWritten(Written):
    """How much an account of one provider takes."""

    per_minute: int = described("messages a minute", 15, ge=1, le=6000)
    keep: int = described("of these, kept for pages of P0", 5, default=0, ge=0)


def _budget(value: BudgetWritten) -> BudgetWritten:
    if value.keep >= value.per_minute:
        raise Wrong(f"keep {value.keep} leaves nothing of {value.per_minute} for all but P0", "keep fewer, e.g. a third")
    return value


class RollupsWritten(Written):
    """How long summaries of samples (mean, least, most, count, percentiles) are kept; 0s keeps none."""

    minutes: Duration = described("of slots of 5 minutes", "180d", default=_DAEMON.rollups_s[300], alias="5m")
    hours: Duration = described("of slots of an hour", "730d", default=_DAEMON.rollups_s[3600], alias="1h")


class ChangesWritten(Written):
    """Changes of this machine that nobody tells: packages, kernels, restarts, units, files, certificates, disks."""

    find: bool = described("look for them every two minutes", True, default=True)
    folders: tuple[str, ...] = described(
        "where changed files are looked for, by hash; nothing of a content is kept", ["/etc"], default=("/etc",)
    )


def _changes(value: ChangesWritten) -> ChangesWritten:
    for folder in value.folders:
        if not folder.startswith("/") or folder == "/":
            raise Wrong(f'"{folder}" is no folder to look through', "write a full path below /, e.g. /etc")
    return value


_PLACE = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^\s:/\[\]]+):[0-9]{1,5}")


def _place(value: str) -> str:
    if not _PLACE.fullmatch(value) or not 0 < int(value.rpartition(":")[2]) < 65536:
        raise Wrong(f'"{value}" is not host:port', "write e.g. 192.0.2.1:53 or [2001:db8::1]:443")
    return value


class DaemonWritten(Written):
    """How the daemon runs."""

    host: str = described("where console and API listen", "127.0.0.1", default="127.0.0.1")
    port: int = described("their port; 0 takes a free one", 8420, default=8420, ge=0, le=65535)
    zone: Zone | None = described("the zone of people who name none; this host's if left out", "Asia/Shanghai", default=None)
    language: Language = described("the language of people who name none", "en", default="en")
    retention: Positive = described("how long samples are kept", "35d", default=35 * 86400.0)
    rollups: RollupsWritten = RollupsWritten()
    mail: MailWritten = MailWritten()
    send_timeout: Positive = described("how long one delivery may take", "10s", default=10.0)
    retry: tuple[Duration, ...] = described(
        "waits before each further attempt", ["5s", "30s", "2m", "10m", "30m"], default=_DAEMON.retry_s
    )
    uplink: tuple[Annotated[str, AfterValidator(_place)], ...] = described(
        "host:port that nearly always answer: when none does, this machine is cut off, and what fails outside is unknown; without"
        " any, its default route says so", ["192.0.2.1:53", "[2001:db8::1]:443"], default=(),
    )  # fmt: skip
    budgets: dict[Annotated[str, AfterValidator(_scheme)], Annotated[BudgetWritten, AfterValidator(_budget)]] = described(
        "what providers take, by the scheme of their addresses; those of the big chat providers are known",
        {"dingtalk": {"per_minute": 15, "keep": 5}}, default={},
    )  # fmt: skip
    changes: Annotated[ChangesWritten, AfterValidator(_changes)] = ChangesWritten()


class GatesWritten(Written):
    """Which precision a forecast needs at least (the lower end of its interval) before a text that rests on it leaves by itself."""

    customers: float = described("texts that name a fault ahead to a customer; 0 asks for none", 0.9, default=0.9, ge=0, le=1)
    maintenance: float = described("maintenance offers", 0.7, default=0.7, ge=0, le=1)


class PriorWritten(Written):
    """What is believed of forecasts of one kind before any was judged, as `forewarn try CONFIG --on history` told."""

    right: float = described("so many right ones", 4, gt=0, le=100)
    wrong: float = described("so many wrong ones", 1, gt=0, le=100)


class PolicyWritten(Written):
    """What may happen by itself: live acts, suggest asks a person first, shadow only records."""

    modes: dict[Annotated[str, AfterValidator(_action)], Mode] = described("action -> mode", {"notice": "suggest"}, default={})
    undo: Duration = described("how long an approved notice can still be taken back", "60s", default=_POLICY.undo_s)
    approval: Positive = described("how long a question for approval stands", "4h", default=_POLICY.approval_s)
    breaker: int = described(
        "after so many runs in a row that did not help a playbook changes nothing more", 3, default=_POLICY.breaker, ge=1
    )
    changes_per_hour: int = described(
        "how many runs of all playbooks together may change something", 6, default=_POLICY.changes_per_hour, ge=0
    )
    shadow: Duration = described(
        "for so long after the first start pages of shipped rules are only recorded and reported; 0s ends it", "30d",
        default=_POLICY.shadow_s,
    )  # fmt: skip
    gate: GatesWritten = GatesWritten()
    prior: dict[Literal["forecast", "risk"], PriorWritten] = described(
        "by kind of rule, what a rehearsal on your own history told", {"forecast": {"right": 4, "wrong": 1}}, default={}
    )


class HeartbeatWritten(Written):
    """An outside watcher (a dead-man's switch) that is pinged while Forewarn gets on, such as Healthchecks."""

    url: str | None = described("the address to ping", "https://hc.ops.example/ping/1f0a", default=None, repr=False)
    url_file: str | None = described("a secret's file that holds the address", "heartbeat-url", default=None)
    every: Positive = described("how often", "60s", default=60.0)


class ForewarnFile(Written):
    """config/forewarn.yaml"""

    daemon: DaemonWritten = DaemonWritten()
    heartbeat: HeartbeatWritten | None = None
    policy: PolicyWritten = PolicyWritten()


def daemon(doc: Document | None, problems: Problems, secrets: SecretFiles) -> tuple[Daemon, PolicyTable]:
    """The daemon and its policy; the defaults where the file can't be used."""
    written = validated_parts(ForewarnFile, doc.value, doc, problems)[0] if doc else None
    given = written or ForewarnFile()
    own = given.daemon
    made = Daemon(
        host=own.host,
        port=own.port,
        zone=_zone(own.zone),
        language=own.language,
        retention_s=own.retention,
        rollups_s={300: own.rollups.minutes, 3600: own.rollups.hours},
        smtp_url=_server(doc, own.mail, problems, secrets) if doc else None,
        mail_from=own.mail.from_ or _DAEMON.mail_from,
        send_timeout_s=own.send_timeout,
        retry_s=own.retry,
        uplink=own.uplink,
        budgets={**BUDGETS, **{name: Budget(one.per_minute, one.keep) for name, one in own.budgets.items()}},
        changes=FindChanges(find=own.changes.find, folders=own.changes.folders),
        heartbeat=_heartbeat(doc, given.heartbeat, problems, secrets) if doc and given.heartbeat else None,
    )
    if doc and made.retention_s < 86400:
        problems.add(
            doc,
            ("daemon", "retention"),
            f"{duration_text(made.retention_s)} is too short",
            "forecasts need a day at least; write 35d",
        )
    return made, PolicyTable(
        modes=given.policy.modes,
        undo_s=given.policy.undo,
        approval_s=given.policy.approval,
        breaker=given.policy.breaker,
        changes_per_hour=given.policy.changes_per_hour,
        shadow_s=given.policy.shadow,
        gates=given.policy.gate.model_dump(),
        priors={**_POLICY.priors, **{kind: Prior(one.right, one.wrong) for kind, one in given.policy.prior.items()}},
    )


def _zone(given: tzinfo | None) -> tzinfo:
    return given or zone("local")


def _heartbeat(doc: Document, given: HeartbeatWritten, problems: Problems, secrets: SecretFiles) -> Heartbeat | None:
    at = ("heartbeat",)
    if bool(given.url) == bool(given.url_file):
        problems.add(doc, at, "a heartbeat has either url or url_file", "write the address of your watcher's check")
        return None
    url = Secret(given.url) if given.url else problems.reading(doc, (*at, "url_file"), secrets.read, given.url_file or "")
    if url and not (url.reveal().startswith(("http://", "https://")) and urlsplit(url.reveal()).hostname):
        problems.add(
            doc, (*at, "url" if given.url else "url_file"), "this is not an address that can be pinged", "write https://..."
        )
        return None
    if given.every < SHORTEST_BEAT_S:
        problems.add(doc, (*at, "every"), f"{duration_text(given.every)} is too often", "write 60s")
    return Heartbeat(url=url, every_s=given.every) if url else None


def _server(doc: Document, mail: MailWritten, problems: Problems, secrets: SecretFiles) -> Secret | None:
    at = ("daemon", "mail")
    if mail.server and mail.server_file:
        problems.add(doc, (*at, "server_file"), "server and server_file are both given", "keep one")
    server = Secret(mail.server) if mail.server else None
    if mail.server_file:
        server = problems.reading(doc, (*at, "server_file"), secrets.read, mail.server_file)
    if server and not server.reveal().startswith(("smtp://", "smtps://", "mailto://", "mailtos://")):
        problems.add(
            doc, (*at, "server"), "this is not the address of a mail server", "write smtp://host:25 or smtps://user:password@host"
        )
    return server
