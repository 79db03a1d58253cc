"""How a command reaches the daemon: over HTTP on loopback, with the token; reads fall back to the files it left."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode
from zoneinfo import ZoneInfo

from forewarn.cli.screen import Screen, clean
from forewarn.model.errors import ConfigError, ForewarnError, NotFound, StoreError
from forewarn.runtime.state_folder import StateFolder

READ_S = 30.0


class Stop(Exception):
    """The command can't go on: what to say on stderr, and the exit code."""

    def __init__(self, text: str, code: int = 1, key: str | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.code = code
        self.key = key  # of the catalogue, where the daemon said why


class Client:
    """Reads and commands of one invocation. Raises Stop."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.screen = Screen(args.lang)
        self._config: str | None = args.config
        self._state = StateFolder(Path(args.state)) if args.state else StateFolder.named(os.environ)
        self._address = self._state.address()
        self._offline: Any = None

    def get(self, path: str, **query: str | int | None) -> Any:
        """The body of GET /api/v1/PATH, from the daemon or, without one, from its files."""
        wanted = {name: str(value) for name, value in query.items() if value is not None}
        if self._address:
            answer = self._ask("GET", f"/api/v1/{quote(path)}?{urlencode({**wanted, 'lang': self.screen.language})}")
            if answer is not None:
                return answer
            self._address = None
        return self._stored(path, wanted)

    def all(self, path: str, **query: str | int | None) -> list[dict[str, Any]]:
        """Every item of a list, page after page."""
        items: list[dict[str, Any]] = []
        after: str | None = None
        while True:
            body = self.get(path, after=after, limit=1000, **query)
            items += body["items"]
            after = body["next"]
            if after is None:
                return items

    def post(
        self, path: str, body: Mapping[str, object], fine: tuple[int, ...] = (), wait_s: float = READ_S, late: str = "cli.no_answer"
    ) -> Any:
        """The answer of POST /api/v1/PATH; only a running daemon can give it. `fine`: statuses that are answers too. `late` is
        the phrase for no answer within `wait_s`."""
        where = f"/api/v1/{path}?lang={self.screen.language}"
        answer = self._ask("POST", where, body, fine, wait_s, late) if self._address else None
        if answer is None:
            raise Stop(self.screen.t("cli.needs_daemon", state=self._state.shown))
        return answer

    def command(self, verb: str, id: str | None, by: str, *words: str, text: str | None = None, version: int | None = None) -> str:
        """Carry out a wish; answers the id that was made or changed. `version`: that of the thing the person saw."""
        given = {"verb": verb, "id": id, "by": by, "words": list(words), "text": text, "version": version}
        answer = self.post("commands", given)
        return str(answer["id"])

    def use_zone(self) -> dict[str, Any]:
        """Show times as the daemon does; answers the status, which knows its zone."""
        status: dict[str, Any] = self.get("status")
        if status.get("zone"):
            self.screen.zone = ZoneInfo(status["zone"])
        return status

    # --- over HTTP ---

    def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, object] | None = None,
        fine: tuple[int, ...] = (),
        wait_s: float = READ_S,
        late: str = "cli.no_answer",
    ) -> Any:
        """The decoded answer; None when nobody listens."""
        if self._address is None:
            return None
        host, port = self._address
        connection = HTTPConnection(host, port, timeout=wait_s)
        headers = {"Authorization": f"Bearer {self._token()}", "Host": f"{host}:{port}"}
        try:
            connection.request(method, path, None if body is None else json.dumps(body).encode(), headers)
            response = connection.getresponse()
            raw, kind = response.read(), response.headers.get_content_type()
        except (ConnectionRefusedError, ConnectionResetError):
            return None
        except (OSError, HTTPException) as error:
            key = late if isinstance(error, TimeoutError) else "cli.no_answer"
            raise Stop(self.screen.t(key, address=f"{host}:{port}", detail=str(error) or type(error).__name__)) from error
        finally:
            connection.close()
        decoded = json.loads(raw) if kind == "application/json" else raw.decode("utf-8", "replace")
        if response.status >= 400 and response.status not in fine:
            told = decoded if isinstance(decoded, dict) and "error" in decoded else {"error": str(decoded).strip()}
            raise Stop(told["error"], 2 if response.status in (400, 404) else 1, told.get("key"))
        return decoded

    def _token(self) -> str:
        try:
            return self._state.token().reveal()
        except ForewarnError as error:
            raise Stop(str(error)) from error

    # --- from the files ---

    def _stored(self, path: str, query: Mapping[str, str]) -> Any:
        if self._offline is None:
            self._offline = self._open_offline()
        try:
            return self._offline.get(path, query, self.screen.language)
        except NotFound as error:
            raise Stop(str(error), 2, "web.not_found") from error
        except ForewarnError as error:
            raise Stop(str(error)) from error

    def _open_offline(self) -> Any:
        from datetime import UTC, datetime

        from forewarn.app.offline_reads import Offline

        try:
            offline = Offline(self._state.path, self._config, os.environ, datetime.now(UTC))
        except NotFound as error:
            raise Stop(self.screen.t("cli.nothing_there", state=self._state.shown)) from error
        except ConfigError as error:
            raise Stop(self.screen.t("cli.bad_config", problems=len(error.problems), first=str(error.problems[0]))) from error
        except (ForewarnError, StoreError) as error:
            raise Stop(str(error)) from error
        print(self.screen.t("cli.offline", state=self._state.shown), file=sys.stderr)
        return offline


def answered(what: Any, args: argparse.Namespace) -> int:
    """Run `what(client)`; a Stop becomes its words on stderr and its exit code."""
    try:
        return int(what(Client(args)))
    except Stop as stop:
        print(clean(stop.text), file=sys.stderr)
        return stop.code


def print_json(body: object) -> int:
    print(json.dumps(body, ensure_ascii=False, indent=2))
    return 0


def whoami(args: argparse.Namespace) -> str:
    """Who acts: --by, else $FOREWARN_WHO, else the login name."""
    if args.by or os.environ.get("FOREWARN_WHO"):
        return str(args.by or os.environ["FOREWARN_WHO"])
    from getpass import getuser

    return getuser()
