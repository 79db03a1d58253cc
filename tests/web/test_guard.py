"""Who may come in: Host, Origin, token, cookie, one-time link, form token."""

from __future__ import annotations

import socket
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from web_stage import TOKEN, FixedClock, Stage

from forewarn.web.links import Links

BEARER = {"Authorization": f"Bearer {TOKEN}"}


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "LOCALHOST", "[::1]"])
def test_loopback_names_are_answered(bare: Stage, name: str) -> None:
    assert bare.ask("/healthz", Host=f"{name}:{bare.port}").status == 200


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:{port}", "127.0.0.1", "127.0.0.1:1", "localhost.evil.example:{port}", "[::1", ""]
)
def test_any_other_host_is_misdirected(bare: Stage, host: str) -> None:
    answer = bare.ask("/", Host=host.format(port=bare.port))
    assert answer.status == 421
    assert f"127.0.0.1:{bare.port}" in answer.body


def test_a_request_without_host_is_refused(bare: Stage) -> None:
    with socket.create_connection(("127.0.0.1", bare.port), timeout=5) as raw:
        raw.sendall(b"GET / HTTP/1.0\r\n\r\n")
        assert b" 421 " in raw.recv(100)


@pytest.mark.parametrize("path", ["/", "/healthz", "/api/v1/status"])
@pytest.mark.parametrize(
    "origin", ["http://evil.example", "https://127.0.0.1:{port}", "http://127.0.0.1:1", "http://localhost:{port}", "null"]
)
def test_a_foreign_origin_is_refused_and_named(bare: Stage, path: str, origin: str) -> None:
    foreign = origin.format(port=bare.port)
    answer = bare.ask(path, Origin=foreign, **BEARER)
    assert answer.status == 403
    assert foreign in answer.body


def test_the_own_origin_passes(bare: Stage) -> None:
    assert bare.ask("/api/v1/status", Origin=bare.origin, **BEARER).status == 200


@pytest.mark.parametrize("path", ["/api/v1/status", "/api/v1/incidents", "/api/v1/why/INC-3", "/api/v1/events", "/metrics"])
@pytest.mark.parametrize("given", ["", "Bearer", "Bearer wrong", f"Basic {TOKEN}", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}"])
def test_the_api_needs_the_token(told: Stage, path: str, given: str) -> None:
    answer = told.ask(path, Authorization=given)
    assert answer.status == 401
    assert answer.headers["www-authenticate"] == "Bearer"
    assert answer.json()["key"] == "web.token"
    assert TOKEN not in answer.body


def test_health_is_open_and_metrics_need_a_key(bare: Stage) -> None:
    assert bare.ask("/healthz").body == "ok\n"
    assert bare.ask("/readyz").body == "ok\n"
    assert bare.ask("/metrics", **BEARER).body == "forewarn_up 1\n"


def test_ready_says_no_when_the_store_is_closed(bare: Stage) -> None:
    bare.ledger.close()
    assert bare.ask("/readyz").status == 503
    assert bare.ask("/healthz").status == 200
    answer = bare.ask("/api/v1/status", **BEARER)
    assert (answer.status, answer.json()["key"]) == (503, "web.store")


def test_pages_are_readable_without_customers_and_locked_with_them(told: Stage) -> None:
    for path in ("/", "/i/INC-3", "/p/host", "/messages"):
        assert told.ask(path).status == 200


def test_with_customers_every_page_needs_the_cookie(locked: Stage) -> None:
    cookie = locked.enter()
    for path in ("/", "/i/INC-3", "/p/host", "/messages"):
        answer = locked.ask(path)
        assert answer.status == 401
        assert "forewarn status --link" in answer.body
        assert "Orders DB" not in answer.body
        assert locked.ask(path, Cookie=cookie).status == 200


def test_a_link_opens_once(locked: Stage) -> None:
    code = locked.links.make()
    first, second = locked.ask(f"/link/{code}"), locked.ask(f"/link/{code}")
    assert (first.status, second.status) == (200, 403)
    cookie = next(value for value in first.cookies if value.startswith(f"forewarn_{locked.port}="))
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert not second.cookies


def test_a_link_is_over_after_ten_minutes(locked: Stage) -> None:
    code = locked.links.make()
    locked.clock.moment += timedelta(minutes=10)
    assert locked.ask(f"/link/{code}").status == 403


def test_the_command_line_makes_links_with_the_token(locked: Stage) -> None:
    assert locked.ask("/api/v1/links", "POST", "{}").status == 401
    url = locked.ask("/api/v1/links", "POST", "{}", **BEARER).json()["url"]
    assert url.startswith(f"{locked.origin}/link/")
    assert locked.ask(url.removeprefix(locked.origin)).status == 200


def test_a_session_survives_a_restart_and_ends_with_its_time_or_token() -> None:
    clock = FixedClock()
    cookie = Links(TOKEN, clock).session()
    after_restart = Links(TOKEN, clock)
    assert after_restart.is_session(cookie)
    assert not Links("another-token-of-the-tests", clock).is_session(cookie)
    assert not after_restart.is_session(cookie[:-1])
    assert not after_restart.is_session(cookie.replace(".", "0.", 1))
    assert not after_restart.is_session("")
    clock.moment += timedelta(days=7)
    assert not after_restart.is_session(cookie)


def test_a_short_token_is_refused() -> None:
    with pytest.raises(ValueError, match="5 characters"):
        Links("short", FixedClock())


def form(stage: Stage, cookie: str, **changed: str) -> str:
    fields = {
        "token": stage.links.form_token(cookie.partition("=")[2]),
        "id": "INC-3",
        "verb": "acknowledge",
        "by": "on-call-1",
        "version": "1",
        "back": "/i/INC-3",
    }
    return urlencode({**fields, **changed})


def press(stage: Stage, cookie: str | None, body: str, origin: str | None = None):  # type: ignore[no-untyped-def]
    return stage.ask("/do", "POST", body, Cookie=cookie, Origin=origin, Content_Type="application/x-www-form-urlencoded")


def test_a_button_acts_with_cookie_and_form_token(locked: Stage) -> None:
    cookie = locked.enter()
    answer = press(locked, cookie, form(locked, cookie, text=" clearing\r\ndumps "), locked.origin)
    assert (answer.status, answer.headers["location"]) == (303, "/i/INC-3")
    assert locked.wishes.given == [("acknowledge", "INC-3", "on-call-1", (), "clearing\ndumps", 1)]


def test_buttons_need_the_cookie_even_without_customers(told: Stage) -> None:
    cookie = told.enter()
    assert press(told, None, form(told, cookie)).status == 401
    assert press(told, cookie, form(told, cookie, token="")).status == 403
    other = told.enter()
    assert press(told, cookie, form(told, other)).status == 403
    assert press(told, cookie, form(told, cookie), "http://evil.example").status == 403
    assert told.wishes.given == []


@pytest.mark.parametrize(("field", "value"), [("verb", "declare"), ("verb", ""), ("by", "somebody")])
def test_a_form_can_only_say_what_the_page_offers(told: Stage, field: str, value: str) -> None:
    cookie = told.enter()
    assert press(told, cookie, form(told, cookie, **{field: value})).status == 400
    assert told.wishes.given == []


@pytest.mark.parametrize(
    "back", ["https://evil.example/", "//evil.example", "/\\evil.example", "/i/INC-3\r\nX: y", "/api/v1/status"]
)
def test_a_button_goes_back_to_our_own_pages_only(told: Stage, back: str) -> None:
    cookie = told.enter()
    assert press(told, cookie, form(told, cookie, back=back)).headers["location"] == "/"


def test_the_cookie_alone_reads_the_api_but_writes_only_with_our_origin(told: Stage) -> None:
    cookie = told.enter()
    assert told.ask("/api/v1/status", Cookie=cookie).status == 200
    wish = '{"verb": "resolve", "id": "INC-3"}'
    assert told.ask("/api/v1/commands", "POST", wish, Cookie=cookie).json()["key"] == "web.no_origin"
    assert told.ask("/api/v1/commands", "POST", wish, Cookie=cookie, Origin=told.origin).status == 200
    assert len(told.wishes.given) == 1


def test_a_cookie_of_another_port_is_nothing(locked: Stage) -> None:
    value = locked.enter().partition("=")[2]
    assert locked.ask("/", Cookie=f"forewarn_1={value}").status == 401


@pytest.mark.parametrize("path", ["/", "/i/INC-3", "/static/console.css", "/api/v1/status", "/nope"])
def test_every_answer_carries_the_headers(told: Stage, path: str) -> None:
    headers = told.ask(path, **BEARER).headers
    csp = headers["content-security-policy"]
    assert "default-src 'none'" in csp
    assert "frame-ancestors 'none'" in csp
    assert "unsafe" not in csp
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert "access-control-allow-origin" not in headers
    assert headers["cache-control"] == ("max-age=3600" if path.startswith("/static") else "no-store")


def test_static_files_stay_in_their_folder(bare: Stage) -> None:
    assert bare.ask("/static/console.css").status == 200
    for path in ("/static/../app.py", "/static/%2e%2e/app.py", "/static//etc/passwd", "/static/..%2fapp.py"):
        assert bare.ask(path).status == 404
