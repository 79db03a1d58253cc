"""Each file of bad/ is a configuration with everything that must be said about it.

`# file: PATH` begins a file over the good one of config_folder.BASE; after `# expect` stand all problems, in order;
FOLDER is the configuration's folder.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from config_folder import files_of, problems_of

BAD = sorted((Path(__file__).parent / "bad").glob("*.yaml"))


@pytest.mark.parametrize("case", BAD, ids=lambda path: path.stem)
def test_says_all_of_it(case: Path, tmp_path: Path) -> None:
    files, environ, expected = files_of(case.read_text("utf-8"))
    assert expected
    assert [one.replace(str(tmp_path), "FOLDER") for one in problems_of(tmp_path, files, environ)] == expected


def test_the_good_one_has_no_problems(tmp_path: Path) -> None:
    assert problems_of(tmp_path, {}) == []


def test_there_are_many() -> None:
    assert len(BAD) > 30
