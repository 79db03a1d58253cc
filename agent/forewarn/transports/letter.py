"""An envelope as an e-mail: plain text, UTF-8, recognisable when it comes twice."""

from __future__ import annotations

import hashlib
import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formatdate, parseaddr

from forewarn.model.message import Envelope

POLICY = SMTP.clone(cte_type="7bit")  # old relays still break eight-bit lines
_DOTS = re.compile(rb"^\.", re.MULTILINE)


def letter(envelope: Envelope, sender: str, to: tuple[str, ...]) -> EmailMessage:
    """The whole mail. Its Message-ID follows from the key: a repeat of the same message is the same mail to readers.

    All mails of an incident refer to one id that none of them has, so mail programs show them as one conversation.
    `Auto-Submitted` (RFC 3834) keeps holiday answers away.
    """
    mail = EmailMessage(policy=POLICY)
    name, address = parseaddr(sender)
    mail["From"] = Address(display_name=name, addr_spec=address)
    mail["To"] = ", ".join(to)
    mail["Subject"] = " ".join(envelope.subject.split())
    mail["Date"] = formatdate(usegmt=True)
    mail["Message-ID"] = _id(envelope.key, address)
    mail["Auto-Submitted"] = "auto-generated"
    if envelope.incident:
        mail["References"] = _id(f"incident {envelope.incident} {envelope.to}", address)
    for header, value in envelope.headers.items():
        mail[header] = value
    mail.set_content(envelope.text, subtype="plain", charset="utf-8")
    mail["Content-Language"] = envelope.language
    return mail


def on_the_wire(mail: EmailMessage) -> bytes:
    """The mail as SMTP's DATA wants it: CRLF, leading dots doubled (RFC 5321 section 4.5.2), without the final dot."""
    body = _DOTS.sub(b"..", mail.as_bytes(policy=POLICY))
    return body if body.endswith(b"\r\n") else body + b"\r\n"


def _id(text: str, sender: str) -> str:
    return f"<{hashlib.sha256(text.encode()).hexdigest()[:32]}@{sender.rpartition('@')[2] or 'localhost'}>"
