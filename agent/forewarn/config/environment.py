"""What files take from outside: `${NAME}` from the environment, and secrets from files of their own.

`url_file: NAME` stands for `url:` with the content of NAME, which lies in $CREDENTIALS_DIRECTORY (systemd credentials)
or else in the folder config/. A value that is missing is an error, never an empty text.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from forewarn.config.files import Document
from forewarn.config.files import Path as Keys
from forewarn.config.problems import Problems, Wrong
from forewarn.model.map import Secret

_NAME = re.compile(r"\$(\$?)\{([A-Z_][A-Z0-9_]*)\}")  # lower-case words belong to playbook steps
LONGEST = 64 * 1024  # bytes of a secret's file


def expanded(doc: Document, environ: Mapping[str, str], problems: Problems) -> Document:
    """The document with each `${NAME}` replaced; `$${NAME}` stays `${NAME}`. Keys are left as they are."""
    masks: dict[str, str] = {}

    def put(text: str, at: Keys) -> str:
        def one(found: re.Match[str]) -> str:
            name = found[2]
            if found[1]:
                return f"${{{name}}}"
            if name not in environ:
                problems.missing(
                    doc, at, f"${{{name}}} is not set", f"set {name} in the environment, or write $${{{name}}} for the text itself"
                )
                return found[0]
            masks[environ[name]] = found[0]
            return environ[name]

        return _NAME.sub(one, text)

    value = _walk(doc.value, (), put)
    shown = tuple((text, name) for text, name in sorted(masks.items(), key=lambda item: -len(item[0])) if len(text) > 3)
    return replace(doc, value=value, masks=shown)


def _walk(value: Any, at: Keys, put: Any) -> Any:
    if isinstance(value, str):
        return put(value, at) if "${" in value else value
    if isinstance(value, dict):
        return {key: _walk(item, (*at, key), put) for key, item in value.items()}
    if isinstance(value, list):
        return [_walk(item, (*at, index), put) for index, item in enumerate(value)]
    return value


class SecretFiles:
    """Reads secrets by name."""

    def __init__(self, folder: Path, environ: Mapping[str, str]) -> None:
        given = environ.get("CREDENTIALS_DIRECTORY")
        self._folders = (Path(given), folder) if given else (folder,)

    def path(self, name: str) -> Path:
        """Where the file lies; raises Wrong."""
        for folder in self._folders:
            if (folder / name).is_file():
                return folder / name
        where = " or ".join(map(str, self._folders))
        raise Wrong(f'there is no file "{name}"', f"put it into {where}, readable by Forewarn alone")

    def read(self, name: str) -> Secret:
        """The file's text without the line end; raises Wrong without showing what is in it."""
        return Secret(self._text(self.path(name), name))

    def _text(self, path: Path, name: str) -> str:
        try:
            if path.stat().st_size > LONGEST:
                raise Wrong(f'"{name}" is larger than {LONGEST // 1024} KiB', "name the file that holds the secret alone")
            text = path.read_text("utf-8").rstrip("\r\n")
        except OSError as error:
            raise Wrong(f'"{name}" can\'t be read: {error.strerror}', "let the user that Forewarn runs as read it") from error
        except UnicodeDecodeError:
            raise Wrong(f'"{name}" is not UTF-8 text', "save it as UTF-8") from None
        if not text.strip():
            raise Wrong(f'"{name}" is empty', "write the secret into it")
        return text
