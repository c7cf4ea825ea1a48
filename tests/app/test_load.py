"""Loading what the files say: what is left out, and what is said of the rest."""

from __future__ import annotations

from pathlib import Path

from sre_obs.app.settings import Settings
from sre_obs.app.usecases.load import load_content
from sre_obs.model.problem import Severity

RULE = """\
title: Errors
kind: query
index: logs-*
query: 'log.level: error'
severity: warning
annotations:
  summary: "{{ valu }} errors"
  description: "{{ value }} of {{ entity.service }}, limit {{ limit }}"
"""


def test_a_template_that_names_what_is_not_there_is_said_when_it_is_loaded(tmp_path: Path) -> None:
    folder = tmp_path / "rules" / "app"
    folder.mkdir(parents=True)
    (folder / "errors.yml").write_text(RULE)
    content = load_content(Settings.model_validate({"rules": tmp_path / "rules"}))
    (problem,) = content.problems
    assert problem.severity is Severity.WARNING
    assert "annotation summary" in problem.message
    assert "valu" in problem.message
    assert [rule.id for rule in content.rules] == ["app/errors"]  # it is told all the same
