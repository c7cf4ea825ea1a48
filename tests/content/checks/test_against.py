"""A test held against its rule: tests/unknown-entity and tests/unread-index."""

from __future__ import annotations

from pathlib import Path

import pytest

from sre_obs.app.usecases.check.run import Report
from sre_obs.content.rules.load import parse_rule
from sre_obs.content.tests.against import UNKNOWN_ENTITY, UNREAD_INDEX, against
from sre_obs.content.tests.load import parse_suite
from sre_obs.model.problem import Problem
from tests.app.check.folder import look, slugs, told, write
from tests.conftest import Golden
from tests.content.checks.looking import rule
from tests.content.problems import lines

FILE = Path("rules/shop/example.test.yml")
RULE = rule(
    "group_by: [service.address, postgresql.database.name]",
    index="metrics-postgresql.database-*",
)
ROWS = "group_by: [host.name]", "measures:", "  a: {function: count}"
JOINED = rule(
    *(*ROWS, "  b: {function: count, index: metrics-b.*}", "value: a / b"), index="metrics-a.*"
)


def found(text: str, *cases: str) -> list[Problem]:
    """What a test of these cases has against a rule."""
    rule, problems = parse_rule(text, Path("rules/shop/example.yml"))
    assert rule is not None, lines(problems)
    suite, problems = parse_suite("cases:\n" + "".join(cases), FILE)
    assert suite is not None, lines(problems)
    assert problems == []
    return against(suite, rule)


def case(name: str, *indices: str, expect: str = "") -> str:
    """A case with a document of each of some indices."""
    blocks = ", ".join(f"{{index: {index}}}" for index in indices)
    return f"  - name: {name}\n    documents: [{blocks}]\n    expect: [{expect}]\n"


FIRES = "{fires: 1m}"
READ, OTHER = "metrics-postgresql.database-x", "metrics-postgres.database-x"


@pytest.mark.parametrize(
    ("entity", "problem"),
    [
        (
            "postgresql.database.nam: shop",
            '4:24+23 tests/unknown-entity: "postgresql.database.nam" is not in the rule\'s '
            "group_by | write postgresql.database.name",
        ),
        (
            "colour: red",
            '4:24+6 tests/unknown-entity: "colour" is not in the rule\'s group_by '
            "| of: service.address, postgresql.database.name",
        ),
    ],
)
def test_an_entity_by_a_field_outside_group_by_is_told_once(entity: str, problem: str) -> None:
    each = "    each: [{n: 1}, {n: 2}]\n"
    expect = f"{{entity: {{{entity}}}, fires: 1m}}"
    assert lines(found(RULE, case("a ${n}", READ, expect=expect) + each)) == [problem]


def test_a_rule_without_group_by_has_no_entities() -> None:
    (problem,) = found(
        rule(), case("a", "metrics-kubernetes.state_pod-x", expect="{entity: {a: b}, fires: 1m}")
    )
    assert (problem.slug, problem.remedy) == (UNKNOWN_ENTITY, "remove it, the rule has no group_by")


def test_documents_that_the_rule_never_sees_are_told_at_their_index() -> None:
    problem = (
        f'3:25+27 tests/unread-index (warning): the rule does not read "{OTHER}": it sees no '
        "such document | it reads metrics-postgresql.database-*"
    )
    assert lines(found(RULE, case("a", OTHER, expect=FIRES), case("b", READ))) == [problem]
    assert lines(found(RULE, case("a", OTHER))) == [problem]


def test_a_case_that_shows_that_another_stream_does_not_count_is_right() -> None:
    assert found(RULE, case("a", READ, expect=FIRES), case("b", OTHER)) == []
    assert found(RULE, case("a", READ, OTHER, expect=FIRES)) == []


def test_each_stream_of_a_rule_that_joins_two_needs_its_documents() -> None:
    assert found(JOINED, case("a", "metrics-a.x", "metrics-b.x", expect=FIRES)) == []
    (problem,) = found(JOINED, case("a", "metrics-a.x", "metrics-bb.x", expect=FIRES))
    assert problem.slug == UNREAD_INDEX
    assert problem.remedy == "it reads metrics-a.*, metrics-b.*"


def test_check_holds_a_test_against_the_rule_beside_it(tmp_path: Path, golden: Golden) -> None:
    test = case(
        "one database", OTHER, expect="{entity: {postgresql.database.nam: shop}, fires: 1m}"
    )
    write(tmp_path, {"shop/example.yml": RULE, "shop/example.test.yml": "cases:\n" + test})
    report = look(tmp_path)
    assert slugs(report) == [
        "example.test.yml:3 tests/unread-index",
        "example.test.yml:4 tests/unknown-entity",
    ]
    for problem, slug in zip(report.findings, (UNREAD_INDEX, UNKNOWN_ENTITY), strict=True):
        one = Report(2, 1, (problem,))
        golden("checks", slug, "report.txt", told(one, tmp_path))


def test_documents_of_another_index_can_be_meant(tmp_path: Path) -> None:
    rows = case("a", OTHER).replace(
        "    documents", "    # sre-obs: ignore tests/unread-index: as the old name\n    documents"
    )
    write(tmp_path, {"shop/example.yml": RULE, "shop/example.test.yml": "cases:\n" + rows})
    assert slugs(look(tmp_path)) == []
