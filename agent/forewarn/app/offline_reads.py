"""Reading while the daemon is down: the same bodies as the API's, from the files that it left.

The ledger is opened for reading only. What only a running daemon knows is None, every target is `unknown` because nobody
looks, and the status carries a `why` that says so. Series show their last stored values.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from forewarn.core.reader import Body, Reader
from forewarn.model.errors import ForewarnError, NotFound, StoreError
from forewarn.model.series import SeriesId
from forewarn.model.settings import Settings
from forewarn.model.text import say
from forewarn.ports import ProbeView, SeriesView, TargetView

OFFLINE = say("trouble.offline")


class Offline:
    """What is stored in a state folder. Raises NotFound where nothing is, and what `load` raises for bad files."""

    def __init__(self, state: Path, config: str | None, environ: Mapping[str, str], now: datetime) -> None:
        if not (state / "ledger.db").exists():
            raise NotFound(str(state))
        from forewarn.config.find import folder
        from forewarn.config.load import load
        from forewarn.probers import PROBERS
        from forewarn.store.ledger_sqlite import SqliteLedger
        from forewarn.web.reads import Reads

        self._state, self._now = state, now
        self.settings: Settings = load(folder(config, environ), PROBERS, now)
        self._ledger = SqliteLedger(state / "ledger.db", read_only=True)
        self._reads = Reads(self._ledger, lambda: self.settings)

    def get(self, path: str, query: Mapping[str, str], language: str) -> Body | str:
        """The body of GET /api/v1/PATH; raises ForewarnError with a sentence where the API answers an error."""
        from forewarn.core.overview import glance
        from forewarn.web.find import asked, search_body
        from forewarn.web.reads import Live, Query
        from forewarn.web.reported import reported
        from forewarn.web.said import Unanswerable
        from forewarn.web.scores import scorecard
        from forewarn.web.twins import TWINS

        reader = Reader(language, self.settings.phrases.get(language, {}), self.settings.daemon.zone, self._now)
        name, _, id = path.partition("/")
        views = self._probes()
        live = Live(glance=glance(views), views=views, why=OFFLINE)
        try:
            if name == "status":
                return self._reads.status(live, reader)
            if name in TWINS:
                return TWINS[name](self._reads, live, Query.of(query), reader)
            if name == "search":
                return search_body(self._reads, asked(query), reader)
            if name == "report":
                return reported(self._reads, query.get("days"), reader)
            if name == "scorecard":
                return scorecard(self._reads)
            if name == "why":
                return self._why(id, bool(query.get("text")), reader)
            if id.endswith("/outreach"):
                return self._reads.outreach(id.removesuffix("/outreach"), reader)
            if id.endswith("/timeline"):
                return self._reads.timeline(id.removesuffix("/timeline"), reader)
            return self._reads.one(name, id, live, reader) if id else self._reads.items(name, Query.of(query), live, reader)
        except Unanswerable as error:
            kind = NotFound if error.trouble.status == 404 else ForewarnError
            raise kind(reader.tell(error.trouble.say)) from error

    def _why(self, id: str, as_text: bool, reader: Reader) -> Body | str:
        from forewarn.web.explain import explained

        found = explained(id, self._reads, reader)["why"]
        if found is None:
            raise NotFound(reader.tell(say("web.not_found", id=id)))
        body, text = found
        return str(text) if as_text else dict(body)

    def _probes(self) -> list[ProbeView]:
        """Every declared target as one that nobody looks at, with the last values that were stored."""
        from forewarn.store.samples import SqliteSamples

        try:
            samples = SqliteSamples(self._state / "samples.db", read_only=True)
        except StoreError:  # no samples yet, or a file that can't be read: the ledger alone is still worth showing
            return [_view(self.settings, name, {}) for name in self.settings.probes]
        try:
            return [_view(self.settings, name, samples.last(name)) for name in self.settings.probes]
        finally:
            samples.close()

    def close(self) -> None:
        self._ledger.close()


def _view(settings: Settings, name: str, last: Mapping[SeriesId, tuple[float, float]]) -> ProbeView:
    found: dict[str, list[SeriesView]] = {target.name: [] for target in settings.probes[name].targets}
    for series, (at_s, value) in last.items():
        one = SeriesView(series=series, value=value, at=datetime.fromtimestamp(at_s, UTC))
        found.setdefault(series.target, []).append(one)
    targets = tuple(
        TargetView(
            target=target,
            outcome="unknown",
            reason="stopped",
            detail=None,
            at=max((one.at for one in views if one.at), default=None),
            lateness_ms=None,
            series=tuple(views),
        )
        for target, views in found.items()
    )
    return ProbeView(probe=settings.probes[name], targets=targets)
