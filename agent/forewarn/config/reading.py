"""What every reader of a file needs beside the document: where problems go, defaults, and secrets; and a file that stands alone."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo
from pathlib import Path as File

from forewarn.config.environment import SecretFiles
from forewarn.config.files import Document, Path, read
from forewarn.config.problems import Problems
from forewarn.model.errors import ForewarnError, Problem
from forewarn.model.map import Secret


@dataclass(frozen=True, slots=True)
class Reading:
    """`zone` and `language` are those of the daemon: the defaults of everybody."""

    problems: Problems
    secrets: SecretFiles
    zone: tzinfo
    language: str = "en"

    def secret(self, doc: Document, path: Path, name: str) -> Secret | None:
        return self.problems.reading(doc, path, self.secrets.read, name)


def documents_of(file: File, problems: Problems) -> list[Document]:
    """Those of a file outside the configuration; what is wrong in it goes to `problems`. Raises ForewarnError if it can't be read."""
    broken = list[Problem]()
    try:
        docs = read(file.read_bytes(), str(file), broken)
    except OSError as error:
        raise ForewarnError(f"{file} can't be read: {error.strerror}") from error
    for one in broken:
        problems.put(one)
    return docs


Read = Callable[[Document, Reading], object]
