"""What the README shows is true: its rule passes its check and its test."""

from __future__ import annotations

import re
from pathlib import Path

from tests.cli.typed import type_there

README = Path(__file__).parents[2] / "README.md"


def test_the_rule_of_the_readme_passes_its_check_and_its_test(tmp_path: Path) -> None:
    text = README.read_text(encoding="utf-8")
    blocks = re.findall(r"```yaml\n(.*?)```", text, re.DOTALL)
    (rule,) = (block for block in blocks if block.startswith("title: "))
    (test,) = (block for block in blocks if block.startswith("cases:"))
    folder = tmp_path / "rules" / "postgresql"
    folder.mkdir(parents=True)
    (folder / "idle.yml").write_text(rule)
    (folder / "idle.test.yml").write_text(test)
    checked = type_there("sre-obs check rules", tmp_path)
    assert checked.code == 0, checked.out
    tested = type_there("sre-obs test rules", tmp_path)
    assert tested.code == 0, tested.out
    assert "1 rule, 2 cases: 2 passed" in tested.out + tested.err
