"""`sre-obs check` as people and programs read it: tests/golden/cli/check*."""

from __future__ import annotations

import json
import re
from pathlib import Path
from xml.etree import ElementTree as Xml

import pytest

from sre_obs.app.cli.errors import problem_lines
from sre_obs.content import yaml
from tests.app.check.folder import GOOD, well, write
from tests.cli.typed import type_here
from tests.conftest import Golden
from tests.content.checks.looking import rule

BAD = rule(
    "query: 'kubernetes.pod.status.phse: failed' # \u65e5\u672c\x09\u202e",
    "group_by: [kubernetes.pod.uid]",
    "for: 20s",
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    well(tmp_path, "rules/shop/well")
    well(tmp_path, "rules/shop/bad", BAD)
    write(tmp_path, {"rules/shop/broken.yml": "title: a: b\n", "good/shop/x.txt": "x"})
    well(tmp_path, "good/shop/well")
    return tmp_path


CASES = {
    "check": "sre-obs check rules",
    "check-well": "sre-obs check good",
    "check-file": "sre-obs check rules/shop/bad.yml --no-cache",
    "check-json": "sre-obs check rules --output json",
    "check-junit": "sre-obs check rules --output junit",
    "check-sarif": "sre-obs check rules -o sarif",
    "check-github": "sre-obs check rules -ogithub",
    "check-explain": "sre-obs check --explain rules/unknown-field",
    "check-explain-unknown": "sre-obs check --explain rules/unknwon-field",
    "check-nothing": "sre-obs check",
    "check-missing": "sre-obs check nowhere",
    "check-missing-json": "sre-obs check nowhere --output json",
    "check-wrong-output": "sre-obs check rules --output yaml",
    "check-unknown-source": "sre-obs check rules --source prod",
    "help-check": "sre-obs check --help",
}


@pytest.mark.parametrize("case", CASES)
def test_the_command_prints_what_it_printed(folder: Path, case: str, golden: Golden) -> None:
    done = type_here(CASES[case], folder)
    text = re.sub(r"\(\d+\.\d s\)", "(0.1 s)", done.transcript(FOLDER=str(folder)))
    text = re.sub(r'time="[\d.]+"', 'time="0.1"', text)
    golden("cli", case, "transcript.txt", text)


def test_several_reports_come_of_one_run(folder: Path) -> None:
    line = "sre-obs check rules --output text --output junit:r.xml --output sarif:r.json"
    done = type_here(line, folder)
    assert done.code == 2
    assert "[rules/unknown-field]" in done.out
    suite = Xml.parse(folder / "r.xml").getroot()[0]
    assert (suite.get("tests"), suite.get("failures")) == ("6", "3")
    sarif = json.loads((folder / "r.json").read_text())
    assert len(sarif["runs"][0]["results"]) == 3


def test_json_is_one_object_of_three_keys_in_english(folder: Path) -> None:
    value = json.loads(type_here("sre-obs check rules --output json", folder).out)
    assert list(value) == ["files", "rules", "findings"]
    assert (value["files"], value["rules"]) == (5, 2)
    for finding in value["findings"]:
        assert list(finding) == [
            *("slug", "severity", "file", "line", "column", "message", "remedy")
        ]


def test_results_go_to_stdout_and_nothing_to_stderr(folder: Path) -> None:
    done = type_here("sre-obs check rules", folder)
    assert (done.code, done.err) == (2, "")


def test_an_information_alone_is_a_finding_too(folder: Path) -> None:
    text = GOOD.replace("owner:", "# sre-obs: ignore rules/missing-owner: x\nowner:")
    well(folder, "other/shop/info", text)
    assert type_here("sre-obs check other", folder).code == 2


def test_a_second_run_answers_the_same(folder: Path) -> None:
    first = type_here("sre-obs check rules --output json", folder)
    assert list((folder / "cache" / "sre-obs").iterdir())
    assert type_here("sre-obs check rules --output json", folder) == first


def test_settings_say_which_indices_rules_may_read(folder: Path) -> None:
    write(folder, {"s.yml": "sources: {default: {allow: [logs-*]}}\n"})
    done = type_here("sre-obs check good --config s.yml", folder)
    assert "[rules/index-not-allowed]" in done.out


def test_a_long_line_is_cut_round_its_caret() -> None:
    text = f"title: {'x' * 300}\nquery: '{'a: 1 and ' * 50}b: ( '\n"
    document, _ = yaml.parse(text, "rule.yml")
    place = document.location(text.index("b: ("), text.index("b: (") + 4)
    problem = document.problem("rules/query-syntax", place, "wrong")
    lines = problem_lines(problem, 72)
    assert [len(line) <= 72 for line in lines] == [True] * len(lines)
    source, carets = lines[1], lines[2]
    at = carets.index("^^^^")
    assert source[at : at + 4] == "b: ("
