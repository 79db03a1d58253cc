"""What every reader of a file needs beside the document: where problems go, defaults, and secrets."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import tzinfo

from forewarn.config.environment import SecretFiles
from forewarn.config.files import Document, Path
from forewarn.config.problems import Problems
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


Read = Callable[[Document, Reading], object]
