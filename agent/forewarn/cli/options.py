"""What several commands declare alike."""

from __future__ import annotations

import argparse


def command(
    subparsers: argparse._SubParsersAction[argparse.ArgumentParser], name: str, help: str, examples: str
) -> argparse.ArgumentParser:
    """A command, or one below a command, with its examples."""
    return subparsers.add_parser(
        name,
        help=help,
        description=f"{help[0].upper()}{help[1:]}.",
        epilog=f"examples:\n{examples}" if examples else None,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )


def by(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--by", metavar="WHO", help="who does this (else $FOREWARN_WHO, else your login name)")


def version(parser: argparse.ArgumentParser) -> None:
    """Guards against deciding on something that is not as it was when looked at."""
    parser.add_argument(
        "--version", metavar="N", type=int, dest="seen", help="refuse if it has changed since version N, which `show` prints"
    )


def as_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the body of the API")
