"""Dues (something with a time, an owner and a consequence) and the calendars that they are counted in."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta, tzinfo

from forewarn.model.level import Colour

Hours = tuple[tuple[time, time], ...]


@dataclass(frozen=True, slots=True)
class Weekly:
    """Hours of the week in a zone, e.g. "Mon-Fri 10:00-12:00 Asia/Shanghai" or quiet hours "22:00-07:00".

    `days` are 0 (Monday) to 6, of the day on which the span begins; `end` <= `start` runs past midnight.
    """

    days: frozenset[int]
    start: time
    end: time
    zone: tzinfo
    text: str

    def covers(self, now: datetime) -> bool:
        return self.until(now) is not None

    def until(self, now: datetime) -> datetime | None:
        """End (UTC) of the span that `now` lies in, or None."""
        local = now.astimezone(self.zone)
        for back in (0, 1):
            day = local.date() - timedelta(days=back)
            if day.weekday() not in self.days:
                continue
            begins = datetime.combine(day, self.start, self.zone)
            last = day + timedelta(days=1) if self.end <= self.start else day
            ends = datetime.combine(last, self.end, self.zone)
            if begins.astimezone(UTC) <= now < ends.astimezone(UTC):
                return ends.astimezone(UTC)
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Calendar:
    """Working time. `week[d]` holds the open hours of weekday d; an empty week means always open (24x7).

    `end` 00:00 means midnight at the end of that day.
    """

    name: str
    zone: tzinfo
    week: tuple[Hours, ...] = ()
    holidays: frozenset[date] = frozenset()

    @property
    def always(self) -> bool:
        return not self.week

    def is_off(self, day: date) -> bool:
        """Whether nobody works on a local `day`: a holiday, or a weekday without hours."""
        return day in self.holidays or (not self.always and not self.week[day.weekday()])

    def spans(self, day: date) -> list[tuple[datetime, datetime]]:
        """Open spans (UTC) that begin on local `day`."""
        if day in self.holidays:
            return []
        spans = []
        for start, end in self.week[day.weekday()]:
            last = day + timedelta(days=1) if end <= start else day
            begins, ends = datetime.combine(day, start, self.zone), datetime.combine(last, end, self.zone)
            spans.append((begins.astimezone(UTC), ends.astimezone(UTC)))
        return spans

    def is_open(self, now: datetime) -> bool:
        return self.always or self.next_open(now) == now

    def next_open(self, now: datetime) -> datetime:
        """`now` if open, else the next opening (UTC). A calendar that never opens within 400 days answers `now`."""
        if self.always:
            return now
        day = now.astimezone(self.zone).date() - timedelta(days=1)
        for _ in range(400):
            for begins, ends in self.spans(day):
                if now < ends:
                    return max(now, begins)
            day += timedelta(days=1)
        return now

    def add(self, start: datetime, span: timedelta) -> datetime:
        """The moment when `span` of open time has passed since `start` (UTC)."""
        if self.always:
            return start + span
        left, day = span, start.astimezone(self.zone).date() - timedelta(days=1)
        for _ in range(4000):
            for begins, ends in self.spans(day):
                begins = max(begins, start)
                if begins >= ends:
                    continue
                if ends - begins >= left:
                    return begins + left
                left -= ends - begins
            day += timedelta(days=1)
        return start + span

    def subtract(self, end: datetime, span: timedelta) -> datetime:
        """The latest moment from which `span` of open time passes until `end` (UTC)."""
        if self.always:
            return end - span
        left, day = span, end.astimezone(self.zone).date() + timedelta(days=1)
        for _ in range(4000):
            for begins, ends in reversed(self.spans(day)):
                ends = min(ends, end)
                if begins >= ends:
                    continue
                if ends - begins >= left:
                    return ends - left
                left -= ends - begins
            day -= timedelta(days=1)
        return end - span

    def working(self, start: datetime, end: datetime) -> timedelta:
        """Open time between two moments; zero when end <= start."""
        if self.always or end <= start:
            return max(timedelta(), end - start)
        total, day = timedelta(), start.astimezone(self.zone).date() - timedelta(days=1)
        last = end.astimezone(self.zone).date()
        while day <= last:
            for begins, ends in self.spans(day):
                total += max(timedelta(), min(ends, end) - max(begins, start))
            day += timedelta(days=1)
        return total


ALWAYS = Calendar(name="24x7", zone=UTC)


@dataclass(frozen=True, slots=True)
class Span:
    """A limit of the ladder: seconds of the calendar's open time, or whole working days (`5wd`)."""

    seconds: float = 0.0
    working_days: int = 0

    def after(self, start: datetime, calendar: Calendar) -> datetime:
        """When this span, counted in `calendar`, has passed. A working day ends at the same local time some days on."""
        if not self.working_days:
            return calendar.add(start, timedelta(seconds=self.seconds))
        if calendar.always:
            return start + timedelta(days=self.working_days)
        at = calendar.next_open(start)
        local, days = at.astimezone(calendar.zone), self.working_days
        while days:
            local = datetime.combine(local.date() + timedelta(days=1), local.timetz().replace(tzinfo=None), calendar.zone)
            if calendar.spans(local.date()):
                days -= 1
        return local.astimezone(UTC)

    def before(self, end: datetime, calendar: Calendar) -> datetime:
        """The latest moment from which this span, counted in `calendar`, passes until `end`."""
        if not self.working_days:
            return calendar.subtract(end, timedelta(seconds=self.seconds))
        if calendar.always:
            return end - timedelta(days=self.working_days)
        local, days = calendar.subtract(end, timedelta()).astimezone(calendar.zone), self.working_days
        for _ in range(4000):
            if not days:
                break
            local = datetime.combine(local.date() - timedelta(days=1), local.timetz().replace(tzinfo=None), calendar.zone)
            if calendar.spans(local.date()):
                days -= 1
        return local.astimezone(UTC)


COLOURS: tuple[tuple[float, Colour], ...] = ((0.5, Colour.BLUE), (0.8, Colour.YELLOW), (1.0, Colour.RED))
"""Share of a due's span that is used up -> its colour."""

INTERNAL = frozenset(
    {
        "hold-ends",
        "retry",
        "tell",
        "reassess",
        "settle",
        "escalate",
        "remind",
        "silent",
        "copy",
        "wait",
        "witness",
        "judge",
        "close",
        "report",
        "wounds",
        "unsure",
    }
)
"""Dues that are clockwork of ours: they have no colours and people aren't shown them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """What, when, owner, calendar, pauses, colour, then-what. `subject` is the id of what it belongs to."""

    id: str
    what: str  # ack, customer_call, war_room, diagnosis, plan, update, mitigate, resolve, act-by, approval, hold-ends, retry ...
    subject: str
    incident: str | None
    owner: str | None
    started_at: datetime
    due_at: datetime
    calendar: str = "24x7"
    paused_at: datetime | None = None
    colour: Colour | None = None
    next_at: datetime | None = None  # when something happens to it next; None: nothing more will
    done_at: datetime | None = None
    ended: str | None = None  # met | late | dropped

    @property
    def open(self) -> bool:
        return self.done_at is None

    def used(self, now: datetime) -> float:
        """Share of the span that has passed, 0 and up (1 = due)."""
        whole = (self.due_at - self.started_at).total_seconds()
        at = self.done_at or self.paused_at or now
        return max(0.0, (at - self.started_at).total_seconds() / whole) if whole > 0 else 1.0

    def coloured(self, now: datetime) -> Due:
        """This due with the colour that `now` gives it, and the next time at which that changes."""
        if self.what in INTERNAL:
            return replace(
                self, colour=Colour.RED if now >= self.due_at else None, next_at=self.due_at if now < self.due_at else None
            )
        whole = self.due_at - self.started_at
        moments = [(self.started_at + whole * share, colour) for share, colour in COLOURS]
        colour = next((c for at, c in reversed(moments) if now >= at), None)
        return replace(self, colour=colour, next_at=next((at for at, _ in moments if now < at), None))
