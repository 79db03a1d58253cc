"""What varies by its looks, word by word and line by line."""

from __future__ import annotations

import pytest

from forewarn.core.detect.templates.mask import SHOWN, alike, mask_line, mask_word, shown


def masked(line: str) -> str:
    return shown(mask_line(" ".join(mask_word(word) for word in alike(line).split())))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("Invalid user bob from 10.0.0.1", "Invalid user bob from <*>"),
        ("blk_-6952295868487656571 terminating", "<*> terminating"),
        ("session 0x14f05578bd80001 closed", "session <*> closed"),
        ("deadbeef is hex, feedback is a word", "<*> is hex, feedback is a word"),
        ("took 35 ms", "took <*>"),
        ("took 35ms", "took <*>"),
        ("lifetime <1 sec", "lifetime <*>"),
        ("lifetime 00:03", "lifetime <*>"),
        ("18846 bytes (18.4 KB) received", "<*> bytes (<*>) received"),
        ("uid=0 euid=12", "uid=<*> euid=<*>"),
        ("state:5, next:7.", "state:<*>, next:<*>."),
        ("opened /var/log/syslog", "opened <*>"),
        ("start com.example.app/.ui.Main now", "start <*> now"),
        ("read and/or write", "read and/or write"),
        ("opened C:\\Windows\\x.dll", "opened <*>"),
        ("to hdfs://10.0.0.1:9000/a/b", "to <*>"),
        ("from www.example.com:443 and mail.example.org", "from <*> and <*>"),
        ("org.apache.hadoop.Server started", "org.apache.hadoop.Server started"),
        ("AirPort_Brcm43xx::syncState: on", "AirPort_Brcm<*>xx::syncState: on"),
        ("jk2_init() found", "jk<*>_init() found"),
        ("machine check enable..............0", "machine check enable..............<*>"),
        ("list 1, 2, 3 done", "list <*> done"),
        ("list 1 done", "list <*> done"),
        ("at Sat Jun 18 02:08:12 2005", "at <*>"),
        ("(host) and () and []", "(host) and (<*>) and [<*>]"),
        ("Fan speeds ( 3552 **** 3515 )", "Fan speeds ( <*> )"),
        ("用户admin2登录失败，耗时35毫秒", "用户<*>登录失败，耗时<*>"),
        ("instance b9000564-fe1a-409b-b8cc-1e88b294cd1d up", "instance <*> up"),
        ("ping fe80::1ff:fe23:4567:890a", "ping <*>"),
        ("mail to anna.b@shop.example now", "mail to <*> now"),
        ("GET /a/b?x=y&z=q done", "GET <*> done"),
        ("open /etc, then / failed", "open <*>, then <*> failed"),
        ("drawn= false, next: null, is true", "drawn= <*>, next: <*>, is true"),
        ("names ['a', \"b\"] in", "names [<*>] in"),
        ("no digits at all.", "no digits at all."),
        ("", ""),
    ],
)
def test_masks(line: str, expected: str) -> None:
    assert masked(line) == expected


def test_lines_that_differ_in_digits_only_are_alike() -> None:
    assert alike("port 22 of 10.0.0.1") == alike("port 99 of 31.7.5.2") != alike("port 220 of 10.0.0.1")


def test_a_line_cannot_hold_the_sign_for_what_varies() -> None:
    assert "\0" not in alike("a\0b")
    assert SHOWN not in masked("a\0b")


@pytest.mark.parametrize("word", ["a" * 5000, "a." * 2000, "/" * 3000, "a_" * 2000 + "!", "::" * 1000 + "a", "\\" * 2000])
def test_long_words_end(word: str) -> None:
    """The patterns are linear in what they read; a word that is longer than a miner reads still ends here."""
    assert mask_word(word[:256])
