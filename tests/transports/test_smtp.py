"""The mail sender against a real SMTP server with every failure that it can meet."""

from __future__ import annotations

import asyncio
import email
import email.policy
import time

import pytest
from fault_servers import HANG, Hook, Sink, channel, daemon, envelope

from forewarn.model.errors import DeliveryError, Reason
from forewarn.transports.letter import letter, on_the_wire
from forewarn.transports.smtp import Mail, classify, mail_address, relay_of

SECRET = "s3cret-Pa55"
TO = "ops@customer-zh.example"


async def send(url: str, timeout_s: float = 3.0, relay: str | None = None, **changes) -> None:
    await Mail(daemon(relay))(envelope(**changes), channel(url), timeout_s)


async def fails(url: str, timeout_s: float = 3.0) -> DeliveryError:
    with pytest.raises(DeliveryError) as caught:
        await send(url, timeout_s)
    assert SECRET not in str(caught.value)
    return caught.value


async def test_a_mail_as_it_arrives():
    async with Sink().up() as sink:
        await send(f"mailto://localhost:{sink.port}?to={TO}&from=shop@ops.example")
        await send(f"mailto://localhost:{sink.port}?to={TO}")
    (sender, to, raw), (second_sender, _, second) = sink.mails
    assert (sender, to, second_sender) == ("shop@ops.example", [TO], "forewarn@ops.example")
    assert raw.isascii()
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert mail["Subject"] == "【提前告知】今晚下单可能变慢"
    assert mail.get_content().replace("\r\n", "\n") == envelope().text
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Content-Language"] == "zh"
    assert mail["Date"].datetime.tzinfo is not None
    again = email.message_from_bytes(second, policy=email.policy.default)
    assert again["From"] == "Forewarn <forewarn@ops.example>"
    assert again["Message-ID"].partition("@")[0] == mail["Message-ID"].partition("@")[0]
    assert sink.helo.startswith("[127.") or "." in sink.helo


async def test_an_address_without_server_goes_by_the_relay():
    async with Sink().up() as sink:
        await send(f"mailto://{TO}", relay=f"smtp://localhost:{sink.port}")
    assert [to for _, to, _ in sink.mails] == [[TO]]
    error = await fails(f"mailto://{TO}")
    assert (error.reason, error.permanent) == (Reason.ADDRESS, True)
    assert "no mail relay" in error.detail


@pytest.mark.parametrize(
    ("faults", "reason", "permanent"),
    [
        ({"rcpt": {TO: "451 4.3.0 try later"}}, Reason.SERVER, False),
        ({"rcpt": {TO: "550 5.1.1 no such user"}}, Reason.NO_SUCH, True),
        ({"rcpt": {TO: "550 no such user"}}, Reason.NO_SUCH, True),
        ({"rcpt": {TO: "554 5.7.1 relay access denied"}}, Reason.REFUSED, True),
        ({"mail": "530 5.7.0 Authentication required"}, Reason.AUTH, True),
        ({"mail": "421 4.7.0 too many"}, Reason.SERVER, False),
        ({"data": "452 4.3.1 disk full"}, Reason.SERVER, False),
        ({"data": "550 5.7.1 looks like spam"}, Reason.REFUSED, True),
    ],
)
async def test_refusals(faults, reason, permanent):
    async with Sink(**faults).up() as sink:
        error = await fails(f"mailto://localhost:{sink.port}?to={TO}")
    assert (error.reason, error.permanent, error.maybe_sent) == (reason, permanent, False)
    code = next(iter(faults.values()))
    assert (code if isinstance(code, str) else code[TO])[:3] in error.detail
    assert sink.mails == []


async def test_of_several_recipients_all_or_none():
    async with Sink(rcpt={"b@x.example": "550 5.1.1 unknown"}).up() as sink:
        error = await fails(f"mailto://localhost:{sink.port}?to=a@x.example,b@x.example")
        await send(f"mailto://localhost:{sink.port}?to=a@x.example,c@x.example")
    assert "b@x.example" in error.detail
    assert [to for _, to, _ in sink.mails] == [["a@x.example", "c@x.example"]]


async def test_cut_after_the_final_dot_may_have_been_sent():
    async with Sink(data="drop").up() as sink:
        error = await fails(f"mailto://localhost:{sink.port}?to={TO}")
    assert (error.reason, error.maybe_sent, error.permanent) == (Reason.CONNECT, True, False)


async def test_a_hang_after_the_final_dot_may_have_been_sent():
    async with Sink(hang=True).up() as sink:
        began = time.monotonic()
        error = await fails(f"mailto://localhost:{sink.port}?to={TO}", timeout_s=0.2)
        assert time.monotonic() - began < 10.0
    assert (error.reason, error.maybe_sent) == (Reason.TIMEOUT, True)


async def test_a_hang_before_it_was_surely_not_sent():
    async with Hook(HANG).up() as hook:
        error = await fails(f"mailto://localhost:{hook.port}?to={TO}", timeout_s=0.2)
    assert (error.reason, error.maybe_sent, error.permanent) == (Reason.TIMEOUT, False, False)


async def speaking(*lines: bytes):
    """A server that says these lines, each after the client's next one, and then closes."""

    async def serve(reader, writer):
        for line in lines:
            writer.write(line)
            if line.startswith(b"354"):
                await reader.readuntil(b"\r\n.\r\n")
            else:
                await reader.readline()
        writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", 0)


async def test_a_server_that_speaks_something_else():
    async with await speaking(b"HTTP/1.1 400 Bad Request\r\n") as server:
        error = await fails(f"mailto://localhost:{server.sockets[0].getsockname()[1]}?to={TO}")
    assert (error.reason, error.permanent) == (Reason.SERVER, False)
    assert "does not speak SMTP" in error.detail


async def test_a_server_that_closes_right_after_taking_the_mail():
    async with await speaking(
        b"220 hi\r\n", b"250 ehlo\r\n", b"250 mail\r\n", b"250 rcpt\r\n", b"354 go\r\n", b"250 taken\r\n"
    ) as server:
        await send(f"mailto://localhost:{server.sockets[0].getsockname()[1]}?to={TO}")


async def test_login_over_starttls(trust):
    async with Sink().up(tls=trust.context("localhost"), authenticator=None) as open_sink:
        await send(f"mailtos://localhost:{open_sink.port}?to={TO}")
    assert len(open_sink.mails) == 1
    sink = Sink()
    async with sink.up(tls=trust.context("localhost"), authenticator=sink.login, auth_required=True):
        await send(f"mailtos://ops:right@localhost:{sink.port}?to={TO}")
        wrong = await fails(f"mailtos://ops:{SECRET}@localhost:{sink.port}?to={TO}")
        none = await fails(f"mailtos://localhost:{sink.port}?to={TO}")
    assert len(sink.mails) == 1
    assert set(sink.users) == {"ops"}
    assert (wrong.reason, wrong.permanent) == (Reason.AUTH, True)
    assert (none.reason, none.permanent) == (Reason.AUTH, True)


async def test_tls_from_the_first_byte(trust):
    async with Sink().up(tls=trust.context("localhost"), wrapped=True) as sink:
        await send(f"mailtos://localhost:{sink.port}?to={TO}&mode=ssl")
    assert len(sink.mails) == 1


async def test_a_certificate_for_another_name(trust):
    async with Sink().up(tls=trust.context("other.example")) as sink:
        error = await fails(f"mailtos://localhost:{sink.port}?to={TO}")
    assert (error.reason, error.permanent, error.maybe_sent, sink.mails) == (Reason.TLS, True, False, [])


async def test_starttls_that_is_not_offered_is_not_done_without():
    async with Sink().up() as sink:
        error = await fails(f"mailtos://localhost:{sink.port}?to={TO}")
    assert (error.reason, sink.mails) == (Reason.TLS, [])
    assert "STARTTLS" in error.detail


async def test_a_password_that_the_server_does_not_want():
    async with Sink().up() as sink:
        error = await fails(f"mailto://ops:{SECRET}@localhost:{sink.port}?to={TO}")
    assert (error.reason, error.permanent) == (Reason.AUTH, True)


@pytest.mark.parametrize(
    ("url", "to", "server"),
    [
        ("mailto://ops@a.example", ("ops@a.example",), None),
        ("mailto://mx.example:2525?to=x@a.example", ("x@a.example",), ("mx.example", 2525, "insecure")),
        ("mailtos://mx.example?to=x@a.example", ("x@a.example",), ("mx.example", 587, "starttls")),
        ("mailtos://mx.example:465?to=x@a.example", ("x@a.example",), ("mx.example", 465, "ssl")),
        ("mailtos://u:p@mx.example", ("u@mx.example",), ("mx.example", 587, "starttls")),
        ("mailtos://u%40b.example:p@mx.example?mode=ssl", ("u@b.example",), ("mx.example", 465, "ssl")),
        ("mailto://mx.example?to=a+tag@a.example,b@a.example", ("a+tag@a.example", "b@a.example"), ("mx.example", 25, "insecure")),
    ],
)
def test_addresses(url, to, server):
    address = mail_address(url)
    found = (address.server.host, address.server.port, address.server.mode) if address.server else None
    assert (address.to, found) == (to, server)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("mailto://host-only", "nobody"),
        (f"mailto://u:{SECRET}@mx.example?to=x@a.example", "plain text"),
        ("mailtos://mx.example?to=x@a.example&mode=insecure", "has TLS"),
        ("mailtos://mx.example?to=x@a.example&mode=tls", "not one of"),
        ("mailto://mx.example?to=x@a.example%0ARCPT", "mail address"),
        ("mailto://mx.example?to=x@a.example&smtp=other", "not an option"),
        ("mailto://ops@a.example?mode=ssl", "name it"),
        ("mailto://mx.example?to=张@a.example", "plain letters"),
        (f"mailtos://u:{SECRET}é@mx.example?to=x@a.example", "ASCII"),
    ],
)
def test_addresses_that_can_not_be_used(url, says):
    with pytest.raises(DeliveryError) as caught:
        mail_address(url)
    assert caught.value.reason is Reason.ADDRESS
    assert says in caught.value.detail
    assert SECRET not in caught.value.detail


def test_a_relay():
    assert relay_of("smtps://u:p@mx.example").mode == "starttls"
    assert SECRET not in repr(relay_of(f"smtps://u:{SECRET}@mx.example"))


def test_a_subject_can_not_add_headers():
    mail = letter(envelope(subject="a\r\nBcc: evil@x.example"), "f@ops.example", (TO,))
    assert mail["Bcc"] is None
    assert mail["Subject"] == "a Bcc: evil@x.example"


def test_dots_and_line_ends_on_the_wire():
    raw = on_the_wire(letter(envelope(text=".\nsecond\n..", language="en"), "f@ops.example", (TO,)))
    assert raw.endswith(b"\r\n..\r\nsecond\r\n...\r\n")
    assert b"\n" not in raw.replace(b"\r\n", b"")


def test_mails_of_an_incident_are_one_conversation_for_each_receiver():
    first, second = (letter(envelope(key=key), "f@ops.example", (TO,)) for key in ("a", "b"))
    assert first["Message-ID"] != second["Message-ID"]
    assert first["References"] == second["References"]
    assert letter(envelope(to="customer-en"), "f@ops.example", (TO,))["References"] != first["References"]


@pytest.mark.parametrize(
    ("code", "text", "mailbox", "expected"),
    [
        (550, "5.7.1 policy", True, (Reason.REFUSED, True)),
        (553, "bad name", True, (Reason.NO_SUCH, True)),
        (550, "5.1.1 unknown", False, (Reason.REFUSED, True)),
        (535, "5.7.8 wrong", False, (Reason.AUTH, True)),
        (454, "4.7.0 later", False, (Reason.SERVER, False)),
        (-1, "", False, (Reason.SERVER, False)),
    ],
)
def test_classes_of_answers(code, text, mailbox, expected):
    assert classify(code, text, mailbox) == expected
