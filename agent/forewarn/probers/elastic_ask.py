"""Asks one cluster. The only user of the elasticsearch client; imported when a probe of that kind first runs.

A point in time is opened for each run, read page by page with search_after, and closed. Whatever fails says why, by a reason
of the closed list, and is never *down*: that Elasticsearch can't be asked says nothing about what its documents tell.
"""

from __future__ import annotations

import logging
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from typing import Any

from aiohttp import ServerFingerprintMismatch
from elastic_transport import TlsError
from elasticsearch import (
    ApiError,
    AsyncElasticsearch,
    ConnectionError,
    ConnectionTimeout,
    SerializationError,
    TransportError,
    UnsupportedProductError,
)

from forewarn.probers.elastic import ElasticOptions, addresses
from forewarn.probers.elastic_kql import Dsl
from forewarn.probers.reasons import Failure, Reason, unknown
from forewarn.reach.mask import mask

logging.getLogger("elastic_transport").setLevel(logging.CRITICAL)  # each failure is a run with its reason already

KEEP_ALIVE = "1m"
DETAIL = 200
STATUS: Mapping[int, Reason] = {
    400: Reason.CONFIG,
    401: Reason.PERMISSION,
    403: Reason.PERMISSION,
    404: Reason.MISSING,
    408: Reason.TIMEOUT,
    413: Reason.TOO_BIG,
    429: Reason.BUSY,
    502: Reason.BUSY,
    503: Reason.BUSY,
    504: Reason.TIMEOUT,
}


class CannotAsk(Exception):
    """Elasticsearch gave no usable answer; `failure` says why."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.detail)
        self.failure = failure


@dataclass(frozen=True, slots=True)
class Secrets:
    """What the secret files hold now: they may change while the daemon runs."""

    api_key: str | None = None
    basic: tuple[str, str] | None = None

    @staticmethod
    def of(options: ElasticOptions) -> Secrets:
        """Reads the files; raises CannotAsk."""
        file = options.api_key_file or (options.basic.password_file if options.basic else None)
        if file is None:
            return Secrets()
        try:
            text = (file.read_text("utf-8").splitlines() or [""])[0].strip()
        except FileNotFoundError:
            raise CannotAsk(unknown(Reason.MISSING, f"there is no file {file}")) from None
        except (OSError, UnicodeDecodeError) as error:
            raise CannotAsk(unknown(Reason.PERMISSION, f"{file} can't be read: {type(error).__name__}")) from None
        if not text:
            raise CannotAsk(unknown(Reason.CONFIG, f"{file} is empty"))
        return Secrets(basic=(options.basic.user, text)) if options.basic else Secrets(api_key=text)


class Cluster:
    """A client for one target of a probe."""

    def __init__(self, options: ElasticOptions, target: str, timeout_s: float) -> None:
        nodes = addresses(target)
        if nodes is None:
            raise CannotAsk(unknown(Reason.CONFIG, f"{mask(target)} is not an address; write https://es-1.example:9200"))
        self.secrets = Secrets.of(options)
        try:
            self._client = AsyncElasticsearch(
                [_with_port(node) for node in nodes],
                api_key=self.secrets.api_key,
                basic_auth=self.secrets.basic,
                request_timeout=timeout_s,
                max_retries=len(nodes) - 1,
                retry_on_timeout=False,
                retry_on_status=(),
                **_trust(options, any(node.startswith("https:") for node in nodes)),
            )
        except (OSError, ValueError) as error:
            raise CannotAsk(unknown(Reason.CONFIG, _shown(error))) from None

    async def close(self) -> None:
        """Let go of the connections."""
        await self._client.close()

    @asynccontextmanager
    async def moment(self, index: str) -> AsyncIterator[dict[str, str]]:
        """A point in time over an index pattern; raises CannotAsk. It holds the newest id, which answers may change."""
        opened = await self._asked(self._client.open_point_in_time(index=index, keep_alive=KEEP_ALIVE, ignore_unavailable=False))
        pit = {"id": _text(opened, "id")}
        try:
            yield pit
        finally:
            with suppress(ApiError, TransportError):
                await self._client.close_point_in_time(id=pit["id"])

    async def search(self, pit: dict[str, str], body: Mapping[str, Any], index: str) -> Mapping[str, Any]:
        """One search inside a point in time; raises CannotAsk, also when a part of the indices did not answer."""
        answer = await self._asked(self._client.search(pit={"id": pit["id"], "keep_alive": KEEP_ALIVE}, **body))
        pit["id"] = answer.get("pit_id") or pit["id"]
        shards = answer.get("_shards")
        if not isinstance(shards, dict) or not isinstance(answer.get("hits"), dict):
            raise CannotAsk(unknown(Reason.PROTOCOL, "the answer is not one of Elasticsearch's"))
        if answer.get("timed_out"):
            raise CannotAsk(unknown(Reason.TIMEOUT, "Elasticsearch gave up the search after its own time limit"))
        if shards.get("failed"):
            raise CannotAsk(
                unknown(Reason.BUSY, f"{shards['failed']} of {shards.get('total')} shards failed: {_of_shards(shards)}")
            )
        if shards.get("total") == 0:
            raise CannotAsk(unknown(Reason.MISSING, f"no index is called {index}"))
        return answer

    async def _asked(self, call: Any) -> Dsl:
        try:
            body = (await call).body
        except UnsupportedProductError:
            raise CannotAsk(unknown(Reason.PROTOCOL, "what answers is not Elasticsearch")) from None
        except ApiError as error:
            raise CannotAsk(_of_status(error, self.secrets)) from None
        except TransportError as error:
            raise CannotAsk(_of_line(error)) from None
        if not isinstance(body, dict):
            raise CannotAsk(unknown(Reason.PROTOCOL, "the answer is not JSON"))
        return body


def _trust(options: ElasticOptions, tls: bool) -> dict[str, Any]:
    if not tls:
        return {}
    if options.fingerprint:
        return {"ssl_assert_fingerprint": options.fingerprint, "verify_certs": False, "ssl_show_warn": False}
    if not options.verify:
        return {"verify_certs": False, "ssl_show_warn": False}
    return {"ca_certs": str(options.ca_file)} if options.ca_file else {}


def _with_port(node: str) -> str:
    """The client wants a port."""
    scheme, _, rest = node.partition("://")
    host, slash, path = rest.partition("/")
    port = host.rpartition("]")[2].partition(":")[2]
    return node if port else f"{scheme}://{host}:{'443' if scheme == 'https' else '80'}{slash}{path}"


def _of_status(error: ApiError, secrets: Secrets) -> Failure:
    """What a refusal means, in the first line of Elasticsearch's own words."""
    status = error.meta.status
    said = (_said(error.body) or error.message).partition("\n")[0]
    hidden = mask(f"{status}: {said}", secrets.api_key or "", secrets.basic[1] if secrets.basic else "")
    return unknown(STATUS.get(status, Reason.STATUS), hidden[:DETAIL])


def _said(body: object) -> str:
    """The innermost cause of Elasticsearch's own error."""
    if not isinstance(body, dict) or not isinstance(error := body.get("error"), dict):
        return ""
    shards = error.get("failed_shards")
    inner = shards[0].get("reason") if isinstance(shards, list) and shards and isinstance(shards[0], dict) else None
    cause: object = inner or error
    for _ in range(5):
        deeper = cause.get("caused_by") if isinstance(cause, dict) else None
        if not isinstance(deeper, dict):
            break
        cause = deeper
    return str(cause.get("reason") or cause.get("type") or "") if isinstance(cause, dict) else ""


def _of_shards(shards: Mapping[str, Any]) -> str:
    failures = shards.get("failures")
    first = failures[0] if isinstance(failures, list) and failures else {}
    reason = first.get("reason") if isinstance(first, dict) else None
    return mask(str(reason.get("reason") if isinstance(reason, dict) else "no reason given"))[:DETAIL]


def _of_line(error: TransportError) -> Failure:
    """What a failure of the connection means."""
    text = _shown(error)
    if isinstance(error, ConnectionTimeout):
        return unknown(Reason.TIMEOUT, "no answer in time")
    if any(isinstance(one, ServerFingerprintMismatch) for one in _causes(error)):
        return unknown(Reason.TLS, "the certificate has another fingerprint")
    if isinstance(error, TlsError) or any(isinstance(one, ssl.SSLError) for one in _causes(error)):
        return unknown(Reason.TLS, text)
    if isinstance(error, SerializationError):
        return unknown(Reason.PROTOCOL, "the answer is not JSON, or was cut off")
    if isinstance(error, ConnectionError):
        low = text.lower()
        for words, reason in (
            (("refused", "connect call failed"), Reason.REFUSED),
            (("name or service", "nodename", "name resolution", "getaddrinfo", "domain name"), Reason.RESOLVE),
            (("payload", "incomplete"), Reason.PROTOCOL),
            (("reset", "disconnected", "closed"), Reason.RESET),
            (("unreachable", "no route"), Reason.UNREACHABLE),
        ):
            if any(word in low for word in words):
                return unknown(reason, text)
    return unknown(Reason.PROTOCOL, text)


def _causes(error: BaseException) -> list[BaseException]:
    found: list[BaseException] = []
    todo: list[BaseException | None] = [error, *getattr(error, "errors", ())]
    while todo and len(found) < 20:
        one = todo.pop()
        if one is not None and one not in found:
            found.append(one)
            todo += [one.__cause__, one.__context__]
    return found


def _shown(error: BaseException) -> str:
    text = str(getattr(error, "message", "") or error) or type(error).__name__
    return mask(text)[:DETAIL]


def _text(answer: Mapping[str, Any], key: str) -> str:
    value = answer.get(key)
    if not isinstance(value, str):
        raise CannotAsk(unknown(Reason.PROTOCOL, "the answer is not one of Elasticsearch's"))
    return value
