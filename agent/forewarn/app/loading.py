"""The files are read by a process of their own, which hands over what came of them and ends.

Reading needs a YAML parser, a checked model for every file, and room for all of it at once; running needs none of that. In
the daemon's own process it would stay there for good, and a reload of thousands of targets would compete with the loop for
the interpreter. Here the daemon takes over finished settings, a probe at a time.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import IO, Any

import structlog

from forewarn.model.errors import ConfigError
from forewarn.model.settings import Settings

log = structlog.get_logger("forewarn.loading")


def load_apart(folder: Path, now: datetime, environ: Mapping[str, str]) -> Settings:
    """What `config.load.load` answers for our kinds of probes; blocks. Raises ConfigError with every problem.

    Where no other process can be had, or what it read can't be handed over (options of another package's kind that can't be
    pickled), the files are read here.
    """
    try:
        return _taken(folder, now, environ)
    except (OSError, EOFError, pickle.PickleError, AttributeError, ImportError, TypeError) as error:
        log.warning("files_read_here", why=f"{type(error).__name__}: {error}")
    from forewarn.config.load import load
    from forewarn.probers import PROBERS

    return load(folder, PROBERS, now, environ)


def _taken(folder: Path, now: datetime, environ: Mapping[str, str]) -> Settings:
    argv = (sys.executable, "-m", "forewarn.app.loading", str(folder), now.isoformat())
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, env=dict(environ)) as process:
        assert process.stdout is not None
        try:
            return _read(process.stdout)
        finally:
            process.kill()  # it has said all, or is of no use any more


def _read(pipe: IO[bytes]) -> Settings:
    """The other end of `_write`. Each `load` keeps the interpreter for as long as one probe takes."""
    source = pickle.Unpickler(pipe)  # noqa: S301 - from the process that we started, through its own pipe
    head: Any = source.load()
    if not isinstance(head, Settings):
        raise ConfigError(*head)
    probes = [source.load() for _ in range(source.load())]
    return replace(head, probes={probe.name: probe for probe in probes})


# --- the process of its own ------------------------------------------------------------------------------------------


def _write(found: Settings | ConfigError, pipe: IO[bytes]) -> None:
    """One pickle for each probe, with a common memory: a text that many of them share is handed over once."""
    sink = pickle.Pickler(pipe, protocol=5)
    if isinstance(found, ConfigError):
        sink.dump((found.problems, found.files))
        return
    sink.dump(replace(found, probes={}))
    sink.dump(len(found.probes))
    for probe in found.probes.values():
        sink.dump(probe)


def main() -> None:
    """The folder and the moment come as arguments, and the environment is the one to fill in; the settings leave pickled."""
    from forewarn.config.load import load
    from forewarn.probers import PROBERS

    found: Settings | ConfigError
    try:
        found = load(Path(sys.argv[1]), PROBERS, datetime.fromisoformat(sys.argv[2]), os.environ)
    except ConfigError as error:
        found = error
    _write(found, sys.stdout.buffer)
    sys.stdout.buffer.flush()
    os._exit(0)  # taking all of it apart again would take a tenth of the time


if __name__ == "__main__":
    main()
