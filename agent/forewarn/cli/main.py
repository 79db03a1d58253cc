"""The command `forewarn`. Only the module of the command that was asked for is imported, and none for `--version`."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

COMMANDS = (
    "run",
    "init",
    "check",
    "try_",
    "status",
    "why",
    "incident",
    "notice",
    "playbook",
    "report",
    "scorecard",
    "lab",
    "change",
    "reload",
    "hosts",
    "backup",
    "doctor",
    "demo",
)
"""Modules of this package, in the order in which help lists them. Each has `add(subparsers)` and `run(args) -> int`."""

LANGUAGES = ("en", "zh")
GLOBAL = {
    "--config": ("FOLDER", "the folder that holds config/, probes/ and playbooks/ (else $FOREWARN_CONFIG)"),
    "--state": ("FOLDER", "the folder with the daemon's state (else $FOREWARN_STATE, else ./var)"),
    "--lang": ("LANG", "en or zh (else LANG of the environment)"),
}
EPILOG = """\
examples:
  forewarn run                       watch this machine; the console is on http://127.0.0.1:8420/
  forewarn status                    what is ahead, what is wrong now, what can't be seen
  forewarn check                     everything that is wrong with the files, without touching the daemon
  forewarn try probes/mine.yaml      run one probe now and see what each rule says
  forewarn notice approve M-7        let a drafted notice go to its customer
  forewarn doctor                    what is wrong around Forewarn, each with the command that mends it
  forewarn why M-7                   the chain from a message back to the samples

exit: 0 fine, 1 problems, 2 wrong use"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; answers its exit code."""
    given = list(sys.argv[1:] if argv is None else argv)
    if given[:1] in (["--version"], ["-V"]):
        from forewarn import __version__

        print(f"forewarn {__version__}")
        return 0
    parser = _parser(given)
    args = parser.parse_args(given)
    if args.lang and not _language(args.lang):
        parser.error(f'argument --lang: there is no "{args.lang}"; there are {" and ".join(LANGUAGES)}')
    _complete(args)
    try:
        code: int = args.run(args)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # the reader, such as `head`, has had enough
        import os

        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser(given: Sequence[str]) -> argparse.ArgumentParser:
    """The parser with the one command that was asked for, or with all of them for help and mistakes."""
    import argparse
    from importlib import import_module

    parser = argparse.ArgumentParser(
        prog="forewarn",
        description="Warns what will break, which customers will feel it, and until when it can still be prevented.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", "-V", action="store_true", help="print the version")
    _add_global(parser, default=None)
    subparsers = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    asked = _asked(given)
    for name in [name for name in COMMANDS if name.rstrip("_") == asked] or COMMANDS:
        import_module(f"forewarn.cli.{name}").add(subparsers)
    for each in dict.fromkeys(_leaves(parser)):
        _add_global(each, default=argparse.SUPPRESS)
    return parser


def _asked(given: Sequence[str]) -> str | None:
    """The command: the first word that is neither an option nor the value of one."""
    words = iter(given)
    for word in words:
        if word in GLOBAL:
            next(words, None)
        elif not word.startswith("-"):
            return word
    return None


def _add_global(parser: argparse.ArgumentParser, default: str | None) -> None:
    """Options that stand before or after the command alike."""
    from argparse import ArgumentError

    for option, (metavar, text) in GLOBAL.items():
        try:
            parser.add_argument(option, metavar=metavar, default=default, help=text)
        except ArgumentError:
            continue  # the command has its own words for it


def _leaves(parser: argparse.ArgumentParser) -> list[argparse.ArgumentParser]:
    from argparse import _SubParsersAction

    below = [sub for action in parser._actions if isinstance(action, _SubParsersAction) for sub in action.choices.values()]
    return [leaf for sub in below for leaf in (_leaves(sub) or [sub])]


def _complete(args: argparse.Namespace) -> None:
    """The language that the environment asks for, unless one was given."""
    import os

    wanted = args.lang or next((value for name in ("LC_ALL", "LC_MESSAGES", "LANG") if (value := os.environ.get(name))), "")
    args.lang = _language(wanted) or LANGUAGES[0]


def _language(wanted: str) -> str | None:
    """The language of `zh`, `zh-CN` or `zh_CN.UTF-8`, if it is one of ours."""
    first = wanted.lower().replace("-", "_").replace(".", "_").partition("_")[0]
    return first if first in LANGUAGES else None


if __name__ == "__main__":
    sys.exit(main())
