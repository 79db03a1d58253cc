from __future__ import annotations

import time

import pytest

from forewarn.reach.mask import is_secret_name, mask


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("GET https://user:pa55@host/x", "GET https://***@host/x"),
        ("jsons://token@host", "jsons://***@host"),
        ("password=hunter2 next", "password=*** next"),
        ("DB_PASSWORD: hunter2, host: db", "DB_PASSWORD: ***, host: db"),
        ('{"api_key": "abc def", "n": 1}', '{"api_key": ***, "n": 1}'),
        ("?access_key=abc&page=2", "?access_key=***&page=2"),
        ("Authorization: Bearer abcdefghij.klm", "Authorization: Bearer ***"),
        ("sent Basic dXNlcjpwYXNz to x", "sent Basic *** to x"),
        ("got eyJhbGciOiJIUzI1.eyJzdWIiOiIxMjM0.abc-def here", "got *** here"),
        ("-----BEGIN EC PRIVATE KEY-----\nMHc\nAB\n-----END EC PRIVATE KEY-----\nafter", "private key ***\nafter"),
        ("-----BEGIN PRIVATE KEY-----\ncut off", "private key ***"),
        ("用户 token=密钥abc,完成", "用户 token=***,完成"),
        ("5 tokens left, the password was wrong", "5 tokens left, the password was wrong"),
        ("https://host/path@2x.png and ops@customer.example", "https://host/path@2x.png and ops@customer.example"),
        ("basic auth is off", "basic auth is off"),
    ],
)
def test_what_is_taken_out(text, shown):
    assert mask(text) == shown


def test_known_secrets_go_wherever_they_stand():
    assert mask("xabcabcdx", "abc", "abcd", "") == "x******x"


@pytest.mark.parametrize(
    "name", ["password", "SMTP_PASSWORD", "X-Api-Key", "apikey", "refresh_token", "Authorization", "Set-Cookie"]
)
def test_names_of_secrets(name):
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["pass_rate", "key", "keys", "subject", "probe"])
def test_names_of_nothing_secret(name):
    assert not is_secret_name(name)


@pytest.mark.parametrize(
    "text",
    [
        "a" * 200_000,
        "://" * 60_000,
        "token " * 30_000,
        "password" * 20_000,
        '"' * 200_000,
        "-----BEGIN PRIVATE KEY-----" * 7_000,
        "eyJaaaaaaaaa." * 15_000,
        "bearer " * 28_000,
        "token=" * 30_000,
        "token='" * 28_000,
    ],
)
def test_hostile_text_takes_linear_time(text):
    began = time.perf_counter()
    mask(text)
    assert time.perf_counter() - began < 10.0
