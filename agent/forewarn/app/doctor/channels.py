"""Addresses of people and customers: can they be used, and does their server's name resolve?

Nothing is sent unless asked for (`--send`), and then only to people: a customer is never sent a test.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import urlsplit

from forewarn.app.doctor.check import FINE, NOTE, PROBLEM, Check, Patient
from forewarn.app.doctor.remedies import edit
from forewarn.app.doctor.resolve import unresolved
from forewarn.core.tell.words import render
from forewarn.model.errors import DeliveryError
from forewarn.model.map import Channel, Customer, Person
from forewarn.model.message import Envelope
from forewarn.model.settings import Settings
from forewarn.model.text import say
from forewarn.transports import build, problem
from forewarn.transports.address import refuse
from forewarn.transports.smtp import mail_address, relay_of
from forewarn.transports.webhook import webhook_address


@dataclass(frozen=True, slots=True)
class Place:
    """One address of somebody, and the server that it leads to (None: none of ours to look up)."""

    who: Person | Customer
    channel: Channel
    host: str | None = None


def look(patient: Patient) -> Iterator[Check]:
    """Every address once; then, with `send`, what came of the test messages."""
    settings = patient.settings
    if settings is None:
        return
    yield from _nobody(patient, settings)
    good: list[Place] = []
    everybody: list[Person | Customer] = [*settings.people.values(), *settings.customers.values()]
    for who in everybody:
        for channel in who.channels:
            found = _place(patient, settings, who, channel)
            if isinstance(found, Place):
                good.append(found)
            else:
                yield found
    yield from _resolved(good)
    if patient.send:
        yield from asyncio.run(_sent(settings, [place for place in good if isinstance(place.who, Person)]))


def _nobody(patient: Patient, settings: Settings) -> Iterator[Check]:
    """A page needs somebody whom it reaches away from the console."""
    if not any(channel.kind != "console" for person in settings.people.values() for channel in person.channels):
        mend = edit(patient.folder / "config" / "oncall.yaml")
        yield Check("channels", NOTE, say("doctor.channels.console_only"), mend)


def _place(patient: Patient, settings: Settings, who: Person | Customer, channel: Channel) -> Place | Check:
    wrong = problem(channel)
    try:
        host = None if wrong else _host(settings, channel)
    except DeliveryError as error:
        wrong = error.detail
    if wrong:
        what = say("doctor.channels.wrong", who=who.name, channel=channel.kind, why=wrong)
        return Check("channels", PROBLEM, what, edit(patient.folder / who.source.file, who.source.line))
    return Place(who, channel, host)


def _host(settings: Settings, channel: Channel) -> str | None:
    """The server's name. Raises DeliveryError where a mail address has no server to go through."""
    url = channel.url.reveal()
    if channel.kind == "webhook":
        return urlsplit(webhook_address(url).url).hostname
    if channel.kind != "mail":
        return None
    server = mail_address(url).server
    if server is None and settings.daemon.smtp_url is None:
        refuse("the address names no mail server and forewarn.yaml has none (daemon.mail.server)")
    return server.host if server else relay_of(settings.daemon.smtp_url.reveal()).host if settings.daemon.smtp_url else None


def _resolved(places: list[Place]) -> Iterator[Check]:
    hosts = {place.host for place in places if place.host}
    for host, why in unresolved(hosts).items():
        who = next(place.who.name for place in places if place.host == host)
        yield Check("channels", PROBLEM, say("doctor.channels.unresolved", who=who, host=host, why=why), f"getent hosts {host}")
    if places:
        yield Check("channels", FINE, say("doctor.channels.fine", count=len(places), hosts=len(hosts)))


async def _sent(settings: Settings, places: list[Place]) -> list[Check]:
    with ThreadPoolExecutor(8, thread_name_prefix="send") as threads:
        transports = build(settings, threads)

        async def one(number: int, place: Place) -> Check:
            catalogue = settings.phrases[place.who.language]
            text = say("doctor.test.text", who=place.who.name)
            envelope = Envelope(
                message=f"test-{number}",
                kind="page",
                subkind="test",
                to=place.who.name,
                subject=render(say("doctor.test.subject"), catalogue, place.who.zone, settings.loaded_at),
                text=render(text, catalogue, place.who.zone, settings.loaded_at),
                key=f"doctor-{settings.loaded_at.timestamp():.0f}-{number}",
                language=place.who.language,
                incident=None,
            )
            try:
                await transports[place.channel.kind](envelope, place.channel, settings.daemon.send_timeout_s)
            except DeliveryError as error:
                what = say("doctor.channels.not_sent", who=place.who.name, channel=place.channel.kind, why=error.detail)
                return Check("channels", PROBLEM, what, edit(f"{settings.folder}/{place.who.source.file}", place.who.source.line))
            return Check("channels", FINE, say("doctor.channels.sent", who=place.who.name, channel=place.channel.kind))

        return list(await asyncio.gather(*(one(at, place) for at, place in enumerate(places, 1))))
