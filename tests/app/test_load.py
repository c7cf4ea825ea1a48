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


def test_the_environment_s_overrides_are_on_top_of_the_others(tmp_path: Path) -> None:
    folder = tmp_path / "rules" / "app"
    folder.mkdir(parents=True)
    (folder / "errors.yml").write_text(RULE.replace("valu }}", "value }}"))
    (tmp_path / "overrides.yml").write_text(
        "rules: {app/*: {severity: info}}\n"
        "environments: {live: {rules: {app/errors: {severity: critical}}}}\n"
    )
    settings = {"rules": tmp_path / "rules", "overrides": tmp_path / "overrides.yml"}
    severities = {
        environment: load_content(
            Settings.model_validate({**settings, "environment": environment})
        ).rules[0].severity
        for environment in ("", "live")
    }  # fmt: skip
    assert severities == {"": "info", "live": "critical"}
