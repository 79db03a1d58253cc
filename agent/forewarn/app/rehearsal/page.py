"""A rehearsal as one HTML file that stands by itself: tables first, then a picture of each series that it is about."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from html import escape

from forewarn.app.rehearsal.comparing import KINDS, Difference, Thing
from forewarn.app.rehearsal.picture import Span, picture
from forewarn.app.rehearsal.rehearse import Rehearsal
from forewarn.core.reader import Reader
from forewarn.core.tell.voice import localised
from forewarn.model.finding import Finding
from forewarn.model.series import SeriesId
from forewarn.model.text import Fact, say
from forewarn.ports import Samples

MOST_PICTURES, MOST_ROWS = 24, 400
STYLE = """
:root{color-scheme:light dark;--ink:#222;--soft:#667;--line:#ddd;--back:#fff;--red:#c53030;--blue:#2b6cb0;--new:#b7791f}
@media(prefers-color-scheme:dark){:root{--ink:#eee;--soft:#aab;--line:#444;--back:#16181c;--red:#f08080;--blue:#7fb2e5;--new:#e3b35c}}
body{font:16px/1.5 system-ui,"Noto Sans CJK SC",sans-serif;color:var(--ink);background:var(--back);max-width:62rem;margin:2rem auto;padding:0 1rem}
h1{font-size:1.4rem}h2{font-size:1.1rem;margin-top:2rem}p.soft,figcaption{color:var(--soft)}
table{border-collapse:collapse;width:100%}th,td{text-align:left;padding:.25rem .6rem .25rem 0;border-bottom:1px solid var(--line);vertical-align:top}
td{white-space:nowrap}td:last-child{white-space:normal}.wide{overflow-x:auto}figure{margin:1rem 0}svg{width:100%;height:auto}
svg text{font:11px system-ui,sans-serif;fill:var(--soft)}.v{fill:none;stroke:var(--blue);stroke-width:1.2}.g{stroke:var(--line)}
.was{fill:var(--soft)}.now{fill:var(--red)}.appears{color:var(--new)}.vanishes{color:var(--soft)}
"""


class Page:
    """One report for one reader."""

    def __init__(self, it: Rehearsal, samples: Samples, reader: Reader, name: str) -> None:
        self._it, self._samples, self._reader, self._name = it, samples, reader, name

    def html(self) -> str:
        title = self._t("head", name=self._name)
        language = "zh-CN" if self._reader.language == "zh" else self._reader.language
        parts = [
            f'<!doctype html>\n<html lang="{language}"><head><meta charset="utf-8">',
            '<meta name="viewport" content="width=device-width, initial-scale=1">',
            f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>",
            f"<h1>{escape(title)}</h1>",
            f'<p class="soft">{escape(self._t("span", first=self._it.since.timestamp(), last=self._it.until.timestamp(), series=self._it.series, samples=self._it.samples))}</p>',
            *self._totals(),
            *self._foreseen(),
            *self._differences(),
            *self._things(),
            *self._pictures(),
            f'<p class="soft">{escape(self._t("assumed"))}</p></body></html>\n',
        ]
        return "\n".join(parts)

    # --- tables ---

    def _totals(self) -> Iterator[str]:
        it = self._it
        columns = [("now", it.after), *([("was", it.before)] if it.before else [])]
        rows = []
        for at, kind in enumerate(KINDS):
            counts = [(len(t.incidents), len(t.pages()), len(t.notices()), len(t.findings))[at] for _, t in columns]
            rows.append([self._t(f"kind.{kind}s"), *map(str, counts)])
        yield self._table([self._t("what"), *(self._t(name) for name, _ in columns)], rows)

    def _foreseen(self) -> Iterator[str]:
        rows = []
        for one in self._it.forewarned():
            assert one.breached_at is not None
            ahead = self._t("ahead", span=(one.breached_at - one.opened_at).total_seconds())
            rows.append([self._at(one.opened_at), self._at(one.breached_at), ahead, one.thing or ""])
        if rows:
            yield f"<h2>{escape(self._t('foreseen'))}</h2>"
            yield self._table([self._t("told_at"), self._t("came_at"), "", self._t("series_word")], rows)

    def _differences(self) -> Iterator[str]:
        if self._it.before is None:
            return
        changed = [one for one in self._it.differences if one.change != "same"]
        yield f"<h2>{escape(self._t('differences'))}</h2>"
        if not changed:
            yield f"<p>{escape(self._t('no_difference'))}</p>"
            return
        rows = [
            [self._change(one), self._t(f"kind.{one.thing.kind}"), self._at(one.thing.at), *self._words(one.thing)]
            for one in changed
        ]
        yield self._table([self._t("change_word"), self._t("what"), self._t("when"), "", ""], rows[:MOST_ROWS])
        yield from self._more(len(rows))

    def _things(self) -> Iterator[str]:
        yield f"<h2>{escape(self._t('things'))}</h2>"
        rows = [[self._t(f"kind.{one.kind}"), self._at(one.at), self._end(one), *self._words(one)] for one in self._it.things]
        if not rows:
            yield f"<p>{escape(self._t('nothing'))}</p>"
            return
        yield self._table([self._t("what"), self._t("when"), self._t("until"), "", ""], rows[:MOST_ROWS])
        yield from self._more(len(rows))

    def _more(self, count: int) -> Iterator[str]:
        if count > MOST_ROWS:
            yield f'<p class="soft">{escape(self._t("more", count=count - MOST_ROWS))}</p>'

    def _change(self, one: Difference) -> str:
        if one.change in ("earlier", "later"):
            return self._t(f"change.{one.change}", span=abs(one.hours) * 3600)
        if one.change == "level" and one.before and one.after:
            return self._t("change.level", before=one.before.level or "", after=one.after.level or "")
        return self._t(f"change.{one.change}")

    def _words(self, one: Thing) -> tuple[str, str]:
        about = one.to or one.level or (one.key[1] if one.kind == "finding" else "")
        text = self._reader.tell(localised(one.title, self._it.after.settings, self._reader.language))
        return about, f"{text} ({one.series})" if one.series else text

    def _table(self, head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
        top = "".join(f"<th>{escape(cell)}</th>" for cell in head)
        lines = "\n".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
        return f'<div class="wide"><table><thead><tr>{top}</tr></thead><tbody>\n{lines}\n</tbody></table></div>'

    # --- pictures ---

    def _pictures(self) -> Iterator[str]:
        """Of the series that differ first, then of all that had a finding."""
        wanted = [one.thing.series for one in self._it.differences if one.change != "same"]
        wanted += [one.series for one in self._it.things]
        names = list(dict.fromkeys(name for name in wanted if name))
        for name in names[:MOST_PICTURES]:
            window = self._samples.read(SeriesId.parse(name), self._it.since.timestamp(), self._it.until.timestamp())
            if len(window.times_s) > 1:
                bands = [(self._t("now"), "now", self._spans(self._it.after.findings.values(), name))]
                if self._it.before:
                    bands.append((self._t("was"), "was", self._spans(self._it.before.findings.values(), name)))
                since_s, until_s = self._it.since.timestamp(), self._it.until.timestamp()
                drawn = picture(name, window, since_s, until_s, bands, self._reader.zone)
                yield f"<figure><figcaption>{escape(name)}</figcaption>{drawn}</figure>"
        if len(names) > MOST_PICTURES:
            yield f'<p class="soft">{escape(self._t("more_pictures", count=len(names) - MOST_PICTURES))}</p>'

    def _spans(self, findings: Iterable[Finding], series: str) -> list[Span]:
        end = self._it.until
        return [(one.opened_at.timestamp(), (one.cleared_at or end).timestamp()) for one in findings if one.series == series]

    # --- words ---

    def _t(self, key: str, **facts: Fact) -> str:
        return self._reader.tell(say(f"rehearsal.{key}", **facts))

    def _at(self, at: datetime) -> str:
        return self._t("at", at=at.timestamp())

    def _end(self, one: Thing) -> str:
        """When it was over; a message has no end."""
        return self._at(one.until) if one.until else "" if one.of else self._t("still")
