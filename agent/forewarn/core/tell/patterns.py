"""The patterns of lint.py, English and Chinese side by side. ASCII word ends, so that a Chinese word beside a name doesn't hide it."""

from __future__ import annotations

import re


def _any(*parts: str) -> re.Pattern[str]:
    return re.compile("|".join(parts), re.ASCII | re.IGNORECASE)


SENTENCE_ENDS = re.compile(r"(?<=[.!?])\s+|[。！？\n]")
HAN = re.compile(r"[\u3400-\u9fff]")
CLOCK = re.compile(r"\d{1,2}:\d{2}")
ANY_TIME = re.compile(r"\d{1,2}:\d{2}|\d+ ?(?:月|日|号)|\d{1,2} [A-Z][a-z]+")
OFFSET = re.compile(r"\b(?:UTC|GMT)\b")

ADDRESS = _any(
    r"(?<![\d.])\d{1,3}(?:\.\d{1,3}){3}(?!\.?\d)",  # IPv4
    r"(?<![\w:])(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{1,4}(?![\w:])",  # IPv6
    r"(?<![\w:])(?:[0-9a-f]{1,4}:){0,6}[0-9a-f]{0,4}::(?:[0-9a-f]{1,4}:?){0,7}",
    r"\b[a-z][a-z0-9+.-]*://[^\s，。）]+",
    r"\b[\w.+-]+@[\w-]+(?:\.[\w-]+)+",
)
# A domain name, or a lower-case name with a number as machines have: db-1, pay-eu-02.
HOST = re.compile(
    r"(?<![\w@.-])(?:[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?\.)+(?:[a-z]{2,})(?![\w-])|(?<![\w.-])[a-z][a-z0-9]*(?:-[a-z0-9]+)*-\d+(?![\w-])",
    re.ASCII,
)
PATH = _any(r"(?<![\w/:.])/(?:[\w.-]+/)*[\w.-]+", r"(?<!\w)[a-z]:\\\S+")
PERCENT = re.compile(r"\d+(?:\.\d+)? ?(?:%|％|percent)|百分之[\d一二三四五六七八九十]+", re.IGNORECASE)
DISK = _any(r"\b(?:disks?|storage|volumes?|file ?systems?|partitions?|full|used)\b", "磁盘|硬盘|存储|空间|分区|使用率|占用")
INSIDES = _any(
    r"\btraceback\b",
    r"\b\w*exception\b",
    r"\bat [\w.$]+\([\w.:]*\)",
    r"\b(?:oom|out of memory|segfault|segmentation fault|core dump|stack ?trace|null ?pointer|errno)\b",
    r"\bpanic:",
    r"\bhttp \d{3}\b|\b(?:error|status) [45]\d\d\b",
    r"\b(?:timeouts?|timed out)\b",
    r"\b(?:cpu|ram|raid|sql|kernel|inodes?|daemon)\b",
    r"\b(?:inc|f|m|r|d|h)-\d+\b",
    r"\bP[0-4]\b",
    "堆栈|内存溢出|内存泄漏|超时|宕机|报错|空指针",
)
BLAME = _any(
    r"\byour (?:own )?(?:fault|mistake)\b",
    r"\b(?:fault|mistake) of\b",
    r"\b(?:our|the|a) (?:supplier|vendor|provider|contractor|hoster)(?:'s)?\b",
    r"\bbecause of (?:you|your)\b|\bcaused by (?:you|your)\b",
    r"\bto blame\b",
    "供应商|服务商|运营商|您的(?:错误|失误|原因|责任)|由于您|因您|归咎|责任在",
)
EMPTY_PHRASES = _any(r"\bsuccessfully\b", r"\bplease be advised\b", r"\ban error (?:has )?occurred\b", "发生错误|敬请知悉|特此通知")
APOLOGY = _any(r"\bsorry\b|\bapolog|\binconvenience\b|\bpatience\b", "抱歉|致歉|歉意|谅解|不便|打扰")
PROMISE = _any(
    r"\b(?:we|you)(?:'ll| will| shall)\b.*\b(?:write|tell|inform|update|notify|report|hear|get back|let you know|keep you)\b",
    "(?:会|将).*(?:告知|通知|通报|联系您|反馈|更新)",
)
CONDITION = _any(r"\bonly if\b", "^如")
FINE = _any(
    r"\bnothing is wrong\b",
    r"\beverything (?:of it )?(?:works|is working|is) (?:again|normal|normally|fine|well|as usual)\b",
    r"\bworks normally\b",
    r"\ball is well\b|\ball systems (?:are )?(?:normal|operational)\b",
    r"(?<=\n)· works again|^· works again",
    "一切正常|均正常|运行正常|恢复正常",
)
_VERBS = "add|replac|repair|restart|mov|extend|fix|restor|clean|roll"
ACTION = _any(
    rf"\b(?:is|are|was|were|been|being) (?:being |now being )?(?:{_VERBS})\w*ed\b",
    rf"\bwe(?:'re| are|'ve| have|'ll| will)? (?:now |already |just )?(?:{_VERBS})\w*\b",
    r"\brepair has been\b",
    r"\bcause was removed\b",
    "(?:正在|已经?|开始|着手)(?:开始|完成)?(?:扩容|修复|更换|重启|迁移|清理|回滚|切换)",
    "(?:扩容|修复|更换|重启|迁移|清理|回滚|切换)(?:工作)?(?:已|正在|中)",
    "隐患已",
)
LOOKING = _any(r"\b(?:looking for the cause|investigating|examining|diagnosing)\b", "正在(?:排查|调查|诊断|定位)")
ENGINEER = _any(r"\bengineers?\b", "工程师|值班人员")
