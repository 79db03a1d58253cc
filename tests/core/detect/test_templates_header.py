"""Where the message of a line begins, in the forms that programs write."""

from __future__ import annotations

import pytest

from forewarn.core.detect.templates.header import Header, header

LINES = [
    ("Jun 14 15:16:01 combo sshd(pam_unix)[19939]: check pass; user unknown", "check pass; user unknown", None),
    ("Jul  1 09:00:55 mac-10 kernel[0]: IOSwitch<0>(0x0)::cb", "IOSwitch<0>(0x0)::cb", None),
    ("<34>Oct 11 22:14:15 host su: failed", "failed", None),
    ("2026-11-23T10:00:00.1+08:00 web1 sshd[1]: Accepted", "Accepted", None),
    ("[Sun Dec 04 04:47:44 2005] [error] mod_jk child in error", "mod_jk child in error", "error"),
    ("081109 203615 148 INFO dfs.DataNode$PacketResponder: Received 5", "Received 5", "info"),
    ("2015-10-18 18:01:47,978 INFO [main] org.apache.hadoop.MRAppMaster: Executing:", "Executing:", "info"),
    ("2015-10-18 18:01:47,978 WARN [Socket Reader #1 for port 1] org.apache.ipc.Server: slow", "slow", "warn"),
    ("2015-07-29 17:41:44,747 - INFO  [Peer[id=1]/0:0:0:Fast@774] - Notification", "Notification", "info"),
    ("17/06/09 20:10:40 INFO executor.Executor: Running task", "Running task", "info"),
    ("20171223-22:15:29:606|Step_LSC|30002312|onStand|3579", "onStand|3579", None),
    ("2016-09-28 04:30:30, Info                  CBS    Loaded Stack", "Loaded Stack", "info"),
    ("03-17 16:13:38.811  1702  2395 D WindowManager: printing", "printing", "debug"),
    ("- 1117838570 2005.06.03 R02-M1 2005-06-03-15.42.50.363779 R02-M1 RAS KERNEL INFO cache error", "cache error", "info"),
    ("- 1131566461 2005.11.09 dn228 Nov 9 12:01:01 dn228/dn228 crond(pam_unix)[2915]: closed", "closed", None),
    ("134681 node-246 unix.hw state 1077804742 1 Component State Change", "Component State Change", None),
    ("2568643 node-70 action start 1074119817 1 clusterAddMember  (command 1902)", "clusterAddMember  (command 1902)", None),
    ("Jul  1 09:00:55 mac-10 Example Word[14463]: opened", "opened", None),
    ("Jul  1 09:00:55 mac-10 com.example.launchd[1] (com.example.Mirror): Service ran", "Service ran", None),
    ("KERNDTLB 1118536327 2005.06.11 R30-M0 2005-06-11-17.32.07.581048 R30-M0 RAS KERNEL FATAL data error", "data error", "fatal"),
    ('api.log 2017-05-16 00:00:00.008 25746 INFO nova.wsgi.server [req-38 1 - - -] 10.1 "GET /"', '10.1 "GET /"', "info"),
    ("[10.30 16:49:06] chrome.exe - example.com:5070 open", "example.com:5070 open", None),
    ("2026/11/23 10:00:00 [error] 31#31: *1 connect() failed", "31#31: *1 connect() failed", "error"),
    ("I1123 10:00:00.123456    123 file.go:12] msg here", "msg here", None),
    ("2026-11-23 10:00:00.123 UTC [123] LOG:  checkpoint starting", "checkpoint starting", "log"),
    ("2026年11月23日 10:00:00 ERROR 连接失败", "连接失败", "error"),
    ("ERROR: boom", "boom", "error"),
    ('{"level":"error","msg":"x"}', '{"level":"error","msg":"x"}', "error"),
    ('time=2026-11-23T10:00:00Z level=warn msg="x y"', 'level=warn msg="x y"', "warn"),
    ("connection from 82.68.222.195 (x) at Sat Jun 18 02:08:12 2005", None, None),
    ("10.0.0.1 was seen at 12:00:01 again", None, None),
    ("plain words and no header", None, None),
    ("    at java.net.Socket.read(Socket.java:150)", None, None),
    ("", None, None),
]


@pytest.mark.parametrize(("line", "message", "level"), LINES)
def test_headers(line: str, message: str | None, level: str | None) -> None:
    found = header(line)
    assert line[found.end :] == (line if message is None else message)
    assert found.level == level


@pytest.mark.parametrize("line", [line for line, message, _ in LINES if message and line[0] not in "{E"])
def test_the_time_is_pointed_at(line: str) -> None:
    at = header(line).time
    assert at is not None
    assert any(sign.isdigit() for sign in line[at : at + 10])


@pytest.mark.parametrize("sign", ["[", " ", "1", "a.", "|", "1:", "A "])
def test_lines_of_one_sign_end(sign: str) -> None:
    assert header(sign * 5000) == Header(0, None, None), "and nothing is taken for a time or a level"
