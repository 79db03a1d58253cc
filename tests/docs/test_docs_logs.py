"""Every example of docs/logs.md counts the lines that stand under it as it says there, from a real file."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from forewarn.model.series import metric_text
from forewarn.probers.log import LogOptions
from forewarn.probers.log_files import Files
from forewarn.probers.log_lines import compiled, match_block

PAGE = (Path(__file__).parents[2] / "docs" / "logs.md").read_text("utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```\n+```\n(.*?)```", PAGE, re.DOTALL)


@pytest.mark.parametrize(("written", "story"), EXAMPLES)
def test_an_example_counts_what_it_says(tmp_path: Path, written: str, story: str) -> None:
    given = yaml.safe_load(written)
    options = LogOptions.model_validate({name: given[name] for name in given if name not in ("probe", "kind", "rules")})
    lines = [line.partition(" -> ") for line in story.splitlines()]
    file = tmp_path / "log"
    file.write_text("".join(f"{line.rstrip()}\n" for line, _, _ in lines), options.encoding)
    files = Files(options.model_copy(update={"files": (str(file),)}), "beginning")
    blocks = [*files.step(0.0).blocks, *files.step(5.0).blocks]
    files.close()
    found: dict[str, int] = {}
    for block in blocks:
        counts = match_block(compiled(options), block.text, block.starts).counts
        found |= {metric_text(*column): count for column, count in counts.items()}
    assert found == {said.strip(): 1 for _, arrow, said in lines if arrow and said.strip() != "nothing"} and found


def test_all_examples_have_lines() -> None:
    assert len(EXAMPLES) == PAGE.count("```yaml") == 4
