"""How a libcurl handle is set to a kind of request: method, trust, authentication, and what is never left to chance."""

from __future__ import annotations

import pycurl

from forewarn import __version__
from forewarn.probers.bundle import bundle
from forewarn.probers.curl import Exchange
from forewarn.probers.http import HttpOptions
from forewarn.probers.reasons import Failure, Reason, unknown

HTTPAUTH_BEARER = 1 << 6  # CURLAUTH_BEARER, which pycurl does not name


class Unusable(Exception):
    """A job that can't be begun; carries why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.detail)
        self.failure = failure


def configure(exchange: Exchange, options: HttpOptions, secret: str | None) -> None:
    """Set a handle for requests of this kind; nothing of an earlier one stays."""
    handle = exchange.handle
    handle.reset()
    settings: dict[int, object] = {
        pycurl.NOSIGNAL: 1,
        pycurl.FRESH_CONNECT: 1,
        pycurl.FORBID_REUSE: 1,
        pycurl.SSL_SESSIONID_CACHE: 0,
        pycurl.DNS_CACHE_TIMEOUT: 0,  # the name is looked up each time: that is a phase too
        pycurl.PROXY: options.proxy or "",  # else the target itself is looked at, whatever the environment says
        pycurl.PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
        pycurl.REDIR_PROTOCOLS: pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS,
        pycurl.HTTP_VERSION: pycurl.CURL_HTTP_VERSION_2TLS if options.http2 else pycurl.CURL_HTTP_VERSION_1_1,
        pycurl.USERAGENT: f"forewarn/{__version__}",
        pycurl.WRITEFUNCTION: exchange.write,
        pycurl.FOLLOWLOCATION: int(options.redirects > 0),
        pycurl.MAXREDIRS: options.redirects,
        pycurl.SSL_VERIFYPEER: int(options.verify),
        pycurl.SSL_VERIFYHOST: 2 if options.verify else 0,
    }
    settings |= _method(options) | _trust(options) | _authentication(options, secret)
    if options.compressed:
        settings[pycurl.ACCEPT_ENCODING] = "gzip, deflate"  # what is unpacked counts for max_body
    if options.ip:
        settings[pycurl.IPRESOLVE] = pycurl.IPRESOLVE_V4 if options.ip == 4 else pycurl.IPRESOLVE_V6
    if options.expect.headers:
        settings[pycurl.HEADERFUNCTION] = exchange.write_head
    headers = [f"{name}: {value}" if value else f"{name};" for name, value in options.headers.items()]
    settings[pycurl.HTTPHEADER] = ["Expect:", *(header.encode() for header in headers)]
    for option, value in settings.items():
        handle.setopt(option, value)


def _method(options: HttpOptions) -> dict[int, object]:
    body = options.body.encode() if options.body is not None else None
    match options.method:
        case "GET" if body is None:
            return {pycurl.HTTPGET: 1}
        case "HEAD":
            return {pycurl.NOBODY: 1}
        case "POST":
            return {pycurl.POST: 1, pycurl.POSTFIELDS: body or b""}
        case other:
            sent: dict[int, object] = {} if body is None else {pycurl.POSTFIELDS: body}
            return {**sent, pycurl.CUSTOMREQUEST: other}


def _trust(options: HttpOptions) -> dict[int, object]:
    """Whom we trust, and how we show who we are."""
    given: dict[int, object] = {}
    if options.cert_file:
        given |= {pycurl.SSLCERT: str(options.cert_file), pycurl.SSLKEY: str(options.key_file or options.cert_file)}
    trusted = bundle(options.ca_file) if options.verify else None
    return {**given, pycurl.CAINFO: trusted} if trusted else given


def _authentication(options: HttpOptions, secret: str | None) -> dict[int, object]:
    """Given to libcurl as such and not as a header, so that a redirect to another host doesn't carry it there."""
    if options.basic:
        return {pycurl.HTTPAUTH: pycurl.HTTPAUTH_BASIC, pycurl.USERNAME: options.basic.user, pycurl.PASSWORD: secret or ""}
    if options.bearer_file:
        return {pycurl.HTTPAUTH: HTTPAUTH_BEARER, pycurl.XOAUTH2_BEARER: secret or ""}
    return {}


def secret_of(options: HttpOptions) -> str | None:
    """First line of the secret's file, read at each run: secrets change while the daemon runs."""
    file = options.secret_file
    if not file:
        return None
    try:
        with file.open(encoding="utf-8") as text:
            return text.readline(4096).strip()
    except PermissionError:
        raise Unusable(unknown(Reason.PERMISSION, f"{file} can't be read: permission denied")) from None
    except (OSError, UnicodeError) as error:
        raise Unusable(unknown(Reason.MISSING, f"{file} can't be read: {getattr(error, 'strerror', None) or error}")) from None
