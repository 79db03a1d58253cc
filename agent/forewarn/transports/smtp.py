"""Mail over SMTP, to a server named in the address or to the configured relay.

A mail counts as sent when the server has answered the final dot with 250. Until the dot has left, nothing was taken and
the mail may be tried again; from the dot to the answer nobody can know (RFC 5321 section 4.5.3.2.6 gives the server ten
minutes), and a failure there is `maybe_sent`. Of several recipients all are accepted, or nobody gets the mail.
"""

from __future__ import annotations

import re
import smtplib
import socket
from collections.abc import Iterator
from concurrent.futures import Executor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.errors import MessageError
from email.utils import parseaddr

from forewarn.model.errors import DeliveryError, Reason
from forewarn.model.map import Channel
from forewarn.model.message import Envelope
from forewarn.model.settings import Daemon
from forewarn.reach.mask import mask
from forewarn.reach.wire import Line, on_thread, trusted
from forewarn.transports.address import Url, only, read, refuse
from forewarn.transports.letter import letter, on_the_wire

PORTS = {"ssl": 465, "starttls": 587, "insecure": 25}
LOOPBACK = ("localhost", "127.0.0.1", "::1")
_MAILBOX = re.compile(r"[!#-'*+/-9=?A-Z^-~.-]{1,64}@[A-Za-z0-9._-]{1,255}|[!#-'*+/-9=?A-Z^-~.-]{1,64}@\[[0-9A-Fa-f:.]+\]")
_ENHANCED = re.compile(r"^([245])\.(\d{1,3})\.(\d{1,3})\b")


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is handed in. `mode` is ssl, starttls or insecure (no TLS)."""

    host: str
    port: int
    mode: str
    user: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class MailAddress:
    """`server` None: the configured relay. `sender` None: the configured sender."""

    to: tuple[str, ...]
    sender: str | None
    server: Server | None


def mail_address(url: str) -> MailAddress:
    """`mailto://someone@example.org` (by the relay), or `mailto://user:pass@host:port?to=..&from=..&mode=starttls|ssl|insecure`.

    `mailtos://` has TLS: at once on port 465, by STARTTLS elsewhere. Raises DeliveryError(ADDRESS).
    """
    parts = read(url, ("mailto", "mailtos"))
    only(parts.options, "to", "from", "mode")
    named = "to" in parts.options or parts.password is not None or parts.port is not None
    user = parts.user or ""
    to = parts.options.get("to") or (user if "@" in user or not user else f"{user}@{parts.host}")
    recipients = tuple(_mailbox(one.strip()) for one in to.split(",") if one.strip())
    if not recipients:
        refuse("nobody is named; write mailto://someone@example.org, or ?to=someone@example.org")
    if not named and parts.options.keys() & {"mode"}:
        refuse("mode is an option of a server; name it: mailtos://user:password@host?to=someone@example.org")
    sender = parts.options.get("from")
    return MailAddress(recipients, _mailbox(sender) if sender else None, server(parts) if named else None)


def relay_of(url: str) -> Server:
    """`smtp://user:pass@host:port?mode=..` or `smtps://`, for addresses that name no server."""
    parts = read(url, ("smtp", "smtps", "mailto", "mailtos"))
    only(parts.options, "mode")
    return server(parts)


def server(parts: Url) -> Server:
    """The server that an address names. A password goes over plain text only where `mode=insecure` says so or to this host."""
    secure = parts.scheme in ("mailtos", "smtps")
    mode = parts.options.get("mode") or ("ssl" if secure and parts.port == 465 else "starttls" if secure else "insecure")
    if mode not in PORTS:
        refuse(f'mode "{mode}" is not one of {", ".join(PORTS)}')
    if secure and mode == "insecure":
        refuse(f"{parts.scheme}:// has TLS; write mode=starttls or mode=ssl, or {parts.scheme[:-1]}://")
    if not (parts.password or "").isascii() or not (parts.user or "").isascii():
        refuse("user and password of a mail server must be plain letters (ASCII)")
    if not parts.host:
        refuse("no server is named; write mailto://user:password@host:port?to=someone@example.org")
    if parts.password and mode == "insecure" and "mode" not in parts.options and parts.host not in LOOPBACK:
        refuse(f"the password would go to {parts.host} in plain text; add mode=starttls, or mode=insecure if that is meant")
    return Server(parts.host, parts.port or PORTS[mode], mode, parts.user if parts.password else None, parts.password)


def _mailbox(text: str) -> str:
    if not _MAILBOX.fullmatch(text):
        refuse(f'"{mask(text)[:100]}" is not a mail address in plain letters; write someone@example.org')
    return text


class Mail:
    """Sends over SMTP on a thread, with one deadline for all of it."""

    def __init__(self, daemon: Daemon, threads: Executor | None = None) -> None:
        self._relay, self._sender, self._threads = daemon.smtp_url, daemon.mail_from, threads

    async def __call__(self, envelope: Envelope, channel: Channel, timeout_s: float) -> None:
        address = mail_address(channel.url.reveal())
        at, sender = address.server or self._by_relay(), address.sender or self._sender
        try:
            body = on_the_wire(letter(envelope, sender, address.to))
        except (ValueError, MessageError) as error:
            raise DeliveryError(Reason.ADDRESS, f"the mail's headers can't be written: {error}", permanent=True) from error
        try:
            await on_thread(lambda line: Post(line, at).send(parseaddr(sender)[1], address.to, body), timeout_s, self._threads)
        except TimeoutError as error:  # not even connected
            raise DeliveryError(Reason.TIMEOUT, str(error)) from error

    def _by_relay(self) -> Server:
        if self._relay is None:
            refuse("no mail server: the address names none and forewarn.yaml has no mail relay")
        return relay_of(self._relay.reveal())


class _Client(smtplib.SMTP):
    """smtplib over our line."""

    def __init__(self, line: Line, at: Server) -> None:
        self.line, self.at = line, at
        super().__init__(local_hostname=socket.gethostname() or "localhost")
        self._host = at.host  # starttls() checks the certificate against this name

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        sock = self.line.connect(host, port)
        if "." not in self.local_hostname:  # servers refuse a bare name but must take an address (RFC 5321 section 4.1.3)
            own = sock.getsockname()[0]
            self.local_hostname = f"[IPv6:{own}]" if ":" in own else f"[{own}]"
        return trusted().wrap_socket(sock, server_hostname=host) if self.at.mode == "ssl" else sock


class Post:
    """One mail handed to one server; blocks, so it runs on a thread."""

    def __init__(self, line: Line, at: Server) -> None:
        self.line, self.at = line, at
        self.in_doubt = False  # the final dot has left and nothing has come back

    def send(self, sender: str, to: tuple[str, ...], body: bytes) -> None:
        client = _Client(self.line, self.at)
        try:
            with self._classified():
                self._answer(client.connect(self.at.host, self.at.port), "the connection")
                self._secure(client)
                self._login(client)
                self._hand_in(client, sender, to, body)
            with suppress(OSError, smtplib.SMTPException):
                client.putcmd("quit")  # nothing that it answers would change anything
        finally:
            client.close()

    @contextmanager
    def _classified(self) -> Iterator[None]:
        try:
            yield
        except smtplib.SMTPResponseException as error:
            text = error.smtp_error if isinstance(error.smtp_error, bytes) else error.smtp_error.encode()
            raise self._refusal(error.smtp_code, text, "the greeting or login") from error
        except (OSError, smtplib.SMTPException) as error:
            reason, detail = self.line.why(error)
            permanent = reason is Reason.TLS and not self.in_doubt
            raise DeliveryError(reason, detail, permanent=permanent, maybe_sent=self.in_doubt) from error

    def _secure(self, client: _Client) -> None:
        client.ehlo_or_helo_if_needed()
        if self.at.mode != "starttls":
            return
        if not client.has_extn("starttls"):
            raise DeliveryError(Reason.TLS, f"{self.line.where} does not offer STARTTLS", permanent=True)
        self._answer(client.starttls(context=trusted()), "STARTTLS")
        client.ehlo_or_helo_if_needed()

    def _login(self, client: _Client) -> None:
        if self.at.user is None:
            return
        try:
            client.login(self.at.user, self.at.password or "")
        except smtplib.SMTPNotSupportedError as error:
            detail = f"{self.line.where} takes no password here; leave user and password out, or use mailtos://"
            raise DeliveryError(Reason.AUTH, detail, permanent=True) from error

    def _hand_in(self, client: _Client, sender: str, to: tuple[str, ...], body: bytes) -> None:
        self._answer(client.mail(sender), f"MAIL FROM {sender}")
        for one in to:
            self._answer(client.rcpt(one), one, mailbox=True)
        client.putcmd("data")
        self._answer(client.getreply(), "DATA", expected=3)
        client.send(body)
        self.in_doubt = True
        client.send(b".\r\n")
        self._answer(client.getreply(), "the mail")

    def _answer(self, reply: tuple[int, bytes], what: str, *, expected: int = 2, mailbox: bool = False) -> None:
        if reply[0] // 100 != expected:
            raise self._refusal(*reply, what, mailbox)

    def _refusal(self, code: int, text: bytes, what: str, mailbox: bool = False) -> DeliveryError:
        if code < 200:
            return DeliveryError(Reason.SERVER, f"{self.line.where} does not speak SMTP")
        said = mask(" ".join(text.decode("utf-8", "replace").split())[:200], self.at.password or "")
        reason, permanent = classify(code, said, mailbox)
        return DeliveryError(reason, f"{self.line.where} answered {code} to {what}: {said}", permanent=permanent)


def classify(code: int, text: str, mailbox: bool) -> tuple[Reason, bool]:
    """Reason and permanence of a refusal: 4yz will pass, 5yz will not. `mailbox`: the answer is to RCPT.

    Sources: RFC 5321 section 4.2, RFC 4954 section 6 (530, 534, 535, 538), RFC 3463 (enhanced codes; 5.1.x is the address).
    """
    if code in (530, 534, 535, 538):
        return Reason.AUTH, True
    if code // 100 != 5:
        return Reason.SERVER, False
    enhanced = _ENHANCED.match(text)
    unknown = enhanced[2] == "1" if enhanced else code in (550, 551, 553)
    return (Reason.NO_SUCH if mailbox and unknown else Reason.REFUSED), True
