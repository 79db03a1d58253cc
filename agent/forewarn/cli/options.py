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


def as_json(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--json", action="store_true", help="print the body of the API")
