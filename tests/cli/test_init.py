"""`sre-obs init`: a repository of rules that is green from its first minute."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

from sre_obs.app.init import FILES, TEMPLATE
from sre_obs.app.usecases.init import begin
from sre_obs.content.overrides import apply_overrides, load_overrides
from sre_obs.content.routes.load import load_routes
from sre_obs.content.rules.load import load_rules
from sre_obs.model.errors import UsageError
from tests.cli.typed import type_here

Golden = Callable[[str, str, str, str], None]


@pytest.fixture
def begun(tmp_path: Path) -> Path:
    folder = tmp_path / "my-rules"
    assert begin(folder).written == tuple(FILES.values())
    return folder


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("new", "sre-obs init my-rules"),
        ("again", "sre-obs init half"),
        ("json", "sre-obs init half -o json"),
        ("in-the-way", "sre-obs init file"),
        ("help", "sre-obs init --help"),
    ],
)
def test_the_command_prints_what_it_wrote(
    name: str, line: str, tmp_path: Path, golden: Golden
) -> None:
    (tmp_path / "half" / "hosts").mkdir(parents=True)
    (tmp_path / "half" / "routes.yml").write_text("mine")
    (tmp_path / "file").write_text("a file")
    golden("cli", "init", f"{name}.txt", type_here(line, tmp_path).transcript())


def test_nothing_is_overwritten_and_no_link_is_followed(tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "routes.yml").write_text("mine")
    (folder / "overrides.yml").symlink_to(elsewhere)
    told = begin(folder)
    assert told.kept == ("routes.yml", "overrides.yml")
    assert (folder / "routes.yml").read_text() == "mine"
    assert not elsewhere.exists()
    assert begin(folder).written == ()


def test_where_nothing_can_be_written_it_says_so(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("a file")
    with pytest.raises(UsageError, match="a file is in the way of a folder"):
        begin(tmp_path)


def test_every_file_of_the_template_has_its_place(begun: Path) -> None:
    there = {str(p.relative_to(TEMPLATE)) for p in TEMPLATE.rglob("*") if p.is_file()}
    assert there == set(FILES)
    assert {str(p.relative_to(begun)) for p in begun.rglob("*") if p.is_file()} == set(
        FILES.values()
    )


def test_its_files_load_without_a_problem(begun: Path) -> None:
    rules = load_rules(begun)
    assert rules.problems == ()
    assert [rule.id for rule in rules.rules] == [
        "hosts/disk-nearly-full",
        "hosts/host-silent",
        "services/requests-fail",
    ]
    routing, problems = load_routes(begun / "routes.yml")
    assert problems == []
    assert routing is not None
    overrides, problems = load_overrides(begun / "overrides.yml")
    assert problems == []
    _, problems = apply_overrides(rules.rules, overrides)
    assert problems == []


def test_its_own_tests_are_green_and_see_every_clause(begun: Path) -> None:
    typed = type_here("sre-obs test . --coverage-required", begun)
    assert (typed.code, typed.err) == (0, "")


def test_its_own_check_is_green(begun: Path) -> None:
    typed = type_here("sre-obs check .", begun)
    assert (typed.code, typed.err) == (0, "")


@pytest.mark.parametrize("path", [".github/workflows/rules.yml", ".gitlab-ci.yml"])
def test_its_workflows_run_both_on_every_change(begun: Path, path: str) -> None:
    text = (begun / path).read_text()
    assert isinstance(yaml.safe_load(text), dict)
    assert "sre-obs check ." in text
    assert "sre-obs test . --coverage-required" in text


def test_the_readme_names_each_rule(begun: Path) -> None:
    text = (begun / "README.md").read_text()
    for rule in load_rules(begun).rules:
        assert f"[{rule.id}]({rule.id}.yml)" in text
