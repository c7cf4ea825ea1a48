"""`sre-obs test`: cases through the daemon's evaluation, and what is said of them."""

from __future__ import annotations

import gc
import re
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from textwrap import dedent
from xml.etree import ElementTree

import pytest

from sre_obs.adapters.templates import BoundedRenderer
from sre_obs.app.usecases.rule_tests import files
from sre_obs.app.usecases.rule_tests import run as running
from sre_obs.app.usecases.rule_tests.files import Found, find_tests
from sre_obs.app.usecases.rule_tests.play import play
from sre_obs.app.usecases.rule_tests.report import Report
from sre_obs.app.usecases.rule_tests.run import Runner
from sre_obs.app.usecases.rule_tests.share import shared
from sre_obs.app.usecases.rule_tests.source import CaseSource, Stage
from sre_obs.app.usecases.rule_tests.types import Types
from sre_obs.app.usecases.rule_tests.watch import changes
from sre_obs.content.tests.load import load_suite
from sre_obs.evaluate.ports import Request
from sre_obs.model.errors import UsageError
from sre_obs.model.evaluation import Outcome
from tests.cli.typed import type_here

Golden = Callable[[str, str, str, str], None]

RULE = """\
title: Errors
kind: threshold
index: logs-app.log-*
query: 'level: error and not (pod: test-* or message: "known")'
from: now-5m
interval: 1m
stale_after: 15m
group_by: [pod]
threshold: {limit: 5, unit: errors}
severity: warning
owner: shop
annotations:
  summary: '{{ value }} errors in {{ entity["pod"] }}'
"""
TEST = """\
cases:
  - name: five errors fire
    documents:
      - index: logs-app.log-default
        count: 5
        fields: {level: error, pod: web-1, message: boom}
    expect:
      - entity: {pod: web-1}
        fires: 2m
        resolves: 6m
        ended: under limit
        value: 5
        text: {summary: 5 errors in web-1}
  - name: four do not
    like: five errors fire
    but: {count: 4}
    expect: []
  - name: of another level
    like: five errors fire
    but: {level: info}
    expect: []
"""
ALL_CLAUSES = """\
  - name: a test
    like: five errors fire
    but: {pod: test-1}
    expect: []
  - name: a known one
    like: five errors fire
    but: {message: known}
    expect: []
"""


class Place:
    """A folder of rules with tests, and a runner."""

    def __init__(self, folder: Path, runner: Runner) -> None:
        self.folder = folder
        self.runner = runner

    def write(self, test: str = TEST, rule: str = RULE, slug: str = "errors") -> Path:
        path = self.folder / "rules" / "app" / f"{slug}.test.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(dedent(test))
        path.with_name(f"{slug}.yml").write_text(dedent(rule))
        return path

    def run(self, *names: str, chosen: str = "") -> Report:
        paths = [self.folder / name for name in names or ("rules",)]
        found = [Found(f.path, str(f.path.relative_to(self.folder))) for f in find_tests(paths)]
        return self.runner.run(found, chosen=chosen)


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    ticks = iter(range(1_000_000))
    with closing(
        Runner(BoundedRenderer, lambda _: lambda _: {}, lambda: next(ticks) / 1000)
    ) as runner:
        yield Place(tmp_path, runner)


def told(report: Report) -> list[str]:
    """Each difference as ``case: expected | got``."""
    return [
        f"{result.name}: {one.expected} | {one.got}"
        for result in report.results
        for one in result.differences
    ]


def test_cases_pass_that_come_as_expected(place: Place) -> None:
    place.write()
    report = place.run()
    assert told(report) == []
    assert [result.name for result in report.results] == [
        "five errors fire",
        "four do not",
        "of another level",
    ]
    assert report.ok
    assert report.rules == {"app/errors"}


CASE = """\
  - name: one
    like: five errors fire
    but: {count: N}
    expect: EXPECT
"""


@pytest.mark.parametrize(
    ("count", "expect", "difference"),
    [
        (
            "5",
            "[]",
            "nothing | warning web-1 at 03:02:00 (2m), until 03:06:00 (6m), value 5",
        ),
        (
            "4",
            "[{fires: 2m, resolves: 6m}]",
            "warning at 03:02:00 (2m), until 03:06:00 (6m) | nothing; nearest value 4, limit 5",
        ),
        (
            "5",
            "[{fires: 3m, resolves: 6m}]",
            "warning at 03:03:00 (3m), until 03:06:00 (6m) | "
            "warning at 03:02:00 (2m), until 03:06:00 (6m)",
        ),
        (
            "5",
            "[{fires: 2m}]",
            "warning at 03:02:00 (2m), not resolved | "
            "warning at 03:02:00 (2m), until 03:06:00 (6m)",
        ),
        (
            "5",
            "[{fires: 2m, resolves: 6m, value: 6}]",
            "warning at 03:02:00 (2m), until 03:06:00 (6m), value 6 | "
            "warning at 03:02:00 (2m), until 03:06:00 (6m), value 5",
        ),
        (
            "5",
            "[{fires: 2m, resolves: 6m, severity: critical, starts: 1m}]",
            "critical at 03:02:00 (2m), until 03:06:00 (6m), since 03:01:00 (1m) | "
            "warning at 03:02:00 (2m), until 03:06:00 (6m), since 03:02:00 (2m)",
        ),
        (
            "5",
            "[{fires: 2m, resolves: 6m, ended: entity gone}]",
            "warning at 03:02:00 (2m), until 03:06:00 (6m), ended: entity gone | "
            "warning at 03:02:00 (2m), until 03:06:00 (6m), ended: under limit",
        ),
        (
            "5",
            "[{fires: 2m, resolves: 6m, levels: [{at: 4m, severity: critical}]}]",
            "warning at 03:02:00 (2m), until 03:06:00 (6m), then critical at 03:04:00 (4m) | "
            "warning at 03:02:00 (2m), until 03:06:00 (6m), no other level",
        ),
        (
            "5",
            "[{fires: 2m, resolves: 6m, text: {summary: six}}]",
            "warning at 03:02:00 (2m), until 03:06:00 (6m), summary 'six' | "
            "warning at 03:02:00 (2m), until 03:06:00 (6m), summary '5 errors in web-1'",
        ),
        (
            "5",
            "[{entity: {pod: web-2}, fires: 2m, resolves: 6m}]",
            "warning web-2 at 03:02:00 (2m), until 03:06:00 (6m) | "
            "warning web-1 at 03:02:00 (2m), until 03:06:00 (6m), value 5",
        ),
        (
            "5",
            "[{labels: {owner: nobody}, fires: 2m, resolves: 6m}]",
            "warning nobody at 03:02:00 (2m), until 03:06:00 (6m) | "
            "warning web-1 at 03:02:00 (2m), until 03:06:00 (6m), value 5",
        ),
        (
            "5",
            "[{entity: {podd: web-1}, fires: 2m, resolves: 6m}]",
            "warning web-1 at 03:02:00 (2m), until 03:06:00 (6m) | "
            "warning web-1 at 03:02:00 (2m), until 03:06:00 (6m), value 5; "
            '"podd" is not in the rule\'s group_by, write pod',
        ),
        (
            "5",
            "[{labels: {ownr: shop, region: eu}, fires: 2m, resolves: 6m}]",
            "warning shop/eu at 03:02:00 (2m), until 03:06:00 (6m) | "
            "warning web-1 at 03:02:00 (2m), until 03:06:00 (6m), value 5; "
            '"ownr" is not among the alert\'s labels, write owner; '
            '"region" is not among the alert\'s labels',
        ),
        (
            "5",
            '[{labels: {nope: ""}, fires: 2m, resolves: 6m}]',
            "warning at 03:02:00 (2m), until 03:06:00 (6m) | "
            "warning web-1 at 03:02:00 (2m), until 03:06:00 (6m), value 5; "
            '"nope" is not among the alert\'s labels',
        ),
        (
            "5",
            '[{text: {sumary: ""}, fires: 2m, resolves: 6m}]',
            "warning at 03:02:00 (2m), until 03:06:00 (6m), sumary '' | "
            "warning at 03:02:00 (2m), until 03:06:00 (6m), sumary ''; "
            '"sumary" is not among the alert\'s texts, write summary',
        ),
    ],
)
def test_what_differs_is_said_in_two_lines(
    place: Place, count: str, expect: str, difference: str
) -> None:
    place.write(TEST + CASE.replace("N", count).replace("EXPECT", expect))
    report = place.run()
    assert told(report) == [f"one: {difference}"]
    assert report.failed == 1
    assert not report.ok


def test_documents_that_the_rule_does_not_read_are_named_where_an_alert_is_missing(
    place: Place,
) -> None:
    place.write(TEST.replace("index: logs-app.log-default", "index: logs-ap.log-default"))
    assert told(place.run()) == [
        "five errors fire: warning web-1 at 03:02:00 (2m), until 03:06:00 (6m), ended: under "
        "limit, value 5, summary '5 errors in web-1' | nothing; no value at all, limit 5; "
        "the rule reads logs-app.log-* and not logs-ap.log-default"
    ]


def test_each_alert_of_a_case_is_expected_or_a_difference(place: Place) -> None:
    place.write(
        TEST
        + """\
  - name: two pods
    documents:
      - {index: logs-app.log-default, count: 5, fields: {level: error, pod: web-1}}
      - {index: logs-app.log-default, count: 6, fields: {level: error, pod: web-2}}
    expect:
      - {entity: {pod: web-2}, fires: 2m, resolves: 6m, value: 6}
"""
    )
    assert told(place.run()) == [
        "two pods: nothing | warning web-1 at 03:02:00 (2m), until 03:06:00 (6m), value 5"
    ]


def test_a_second_episode_is_another_alert(place: Place) -> None:
    place.write(
        TEST
        + """\
  - name: twice
    documents:
      - {index: logs-app.log-default, count: 5, fields: {level: error, pod: web-1}}
      - {index: logs-app.log-default, from: 20m, count: 5, fields: {level: error, pod: web-1}}
    expect:
      - {fires: 2m, resolves: 6m}
      - {fires: 22m, resolves: 26m}
"""
    )
    assert told(place.run()) == []


def test_a_case_of_too_many_runs_is_refused_and_not_cut_off(place: Place) -> None:
    many = "    until: 10d\n    documents:\n"
    place.write(TEST.replace("    documents:\n", many, 1), RULE.replace("1m", "15s", 1))
    report = place.run()
    problem = report.problems[0]
    assert f"{problem.slug}: {problem.message}: {problem.remedy}" == (
        'tests/too-many: "five errors fire" needs 57,601 runs, at most 50,000: '
        "set until, or a longer interval in overrides"
    )
    assert str(problem.location) == "rules/app/errors.test.yml:2:5"
    assert "five errors fire" not in {result.name for result in report.results}
    assert not report.ok


def test_how_the_rule_stands_at_a_time_is_compared(place: Place) -> None:
    place.write(
        TEST
        + """\
  - name: stands
    like: five errors fire
    but: {count: 5}
    outcome: [{at: 1m, is: ok}, {at: 2m30s, is: firing}, {at: 3m, is: stale}]
    expect: [{fires: 2m, resolves: 6m}]
"""
    )
    assert told(place.run()) == [
        "stands: stale at 03:03:00 (3m) | firing at 03:03:00 (3m)",
    ]


def test_how_the_rule_stands_after_the_end_of_a_case_is_not_known(place: Place) -> None:
    more = """\
  - name: stands
    like: five errors fire
    but: {count: 5}
    outcome: [{at: 29d, is: ok}]
    expect: [{fires: 2m, resolves: 6m}]
"""
    place.write(TEST + more)
    report = place.run()
    assert told(report) == [
        "stands: ok at 03:00:00 (29d) | no run: the case ends at 03:07:10 (7m10s)"
    ]
    assert report.results[-1].differences[0].place.line == 25


def test_a_label_that_is_empty_on_this_alert_can_be_expected(place: Place) -> None:
    rule = RULE.replace("owner: shop\n", "labels: {team: ''}\n")
    labels = "      - entity: {pod: web-1}\n        labels: {team: '', owner: ''}\n"
    place.write(TEST.replace("      - entity: {pod: web-1}\n", labels), rule)
    report = place.run()
    assert told(report) == []
    assert report.results


def test_documents_of_later_are_not_there_yet() -> None:
    documents = {"i-a-b": [{"@timestamp": "2026-01-15T03:00:00Z"}] * 2}
    source = Stage(documents, {"i-a-b": {"@timestamp": "date"}}).source("default")
    request = Request(("i-*",), {"size": 0, "track_total_hits": True, "query": {"match_all": {}}})
    counts = []
    for source.now in (1_768_446_000.0 - 0.001, 1_768_446_000.0):
        (answer,) = source.search([request])
        assert isinstance(answer, dict)
        counts.append(answer["hits"]["total"]["value"])
    assert counts == [0, 2]


def test_a_template_that_does_not_render_fails_the_case(place: Place) -> None:
    place.write(rule=RULE.replace("{{ value }}", "{{ value / nothing }}"))
    (first, *_) = told(place.run())
    assert re.fullmatch(r"five errors fire: .*summary '\(annotation summary: .*nothing.*\)'", first)


def test_a_rule_that_cannot_be_searched_fails_the_case_in_words(place: Place) -> None:
    place.write(rule=RULE.replace("group_by: [pod]", "group_by: [message.text]"))
    report = place.run()
    assert not report.ok


def test_overrides_of_the_file_tune_the_rule(place: Place) -> None:
    place.write("overrides: {threshold: {limit: 6}}\n" + TEST)
    assert told(place.run())[0].endswith("| nothing; nearest value 5, limit 6")
    place.write("overrides: {threshold: {limt: 6}}\n" + TEST)
    report = place.run()
    assert [p.slug for p in report.problems] == ["overrides/unknown-key"]
    assert {p.location.file for p in report.problems} == {"rules/app/errors.test.yml"}


def test_clauses_that_no_case_saw_both_ways_are_named_at_their_place(place: Place) -> None:
    place.write()
    report = place.run()
    assert report.clauses == 4
    assert [f"{one.location}: never {one.never}: {one.text}" for one in report.unseen] == [
        "rules/app/errors.yml:4:31: never true: pod: test-*",
        'rules/app/errors.yml:4:46: never true: message: "known"',
    ]
    place.write(TEST + ALL_CLAUSES)
    report = place.run()
    assert (report.clauses, report.unseen) == (4, [])


def test_no_more_than_two_cases_lie_in_memory_at_a_time(place: Place, tmp_path: Path) -> None:
    place.write()
    lie: list[int] = []

    def types_of(_: Path) -> Types:
        lie.append(sum(isinstance(one, CaseSource) for one in gc.get_objects()))
        return lambda _: {}

    with closing(Runner(BoundedRenderer, types_of, lambda: 0.0)) as runner:
        report = Place(tmp_path, runner).run()
    assert report.unseen  # so each case is looked at twice
    assert len(lie) == 2 * len(report.results) == 6
    assert max(lie) <= 1


def test_a_limit_that_no_entity_is_under_is_named_too(place: Place) -> None:
    only_many = TEST.replace("count: 5", "count: 5\n        every: 1ms").replace(
        "fires: 2m", "fires: 1m"
    )
    place.write(only_many[: only_many.index("  - name: four")])
    unseen = [f"{one.location}: {one.never} {one.text}" for one in place.run().unseen]
    assert "rules/app/errors.yml:9:20: false >= 5" in unseen


def test_a_clause_on_now_is_seen_at_each_run(place: Place) -> None:
    rule = RULE.replace("level: error and", 'at > "now-2m" and')
    test = TEST.replace("level: error", "at: 2026-01-15T03:00:30Z").replace(
        "level: info", 'at: "2026-01-15T01:00:00Z"'
    )
    place.write(test, rule)
    unseen = [one.text for one in place.run().unseen]
    assert 'at > "now-2m"' not in unseen


def test_some_cases_alone_say_nothing_of_clauses(place: Place) -> None:
    place.write()
    place.write(slug="other")
    report = place.run(chosen="four")
    assert [(r.rule, r.name) for r in report.results] == [
        ("app/errors", "four do not"),
        ("app/other", "four do not"),
    ]
    assert report.clauses == 0
    assert {r.rule for r in place.run(chosen="app/oth*").results} == {"app/other"}
    assert place.run(chosen="nothing like it").results == []


def test_a_rule_a_test_or_a_folder_may_be_named(place: Place) -> None:
    test = place.write()
    place.write(slug="other")
    (place.folder / "rules" / ".hidden").mkdir()
    (place.folder / "rules" / ".hidden" / "x.test.yml").write_text("nothing")
    assert len(find_tests([place.folder])) == 2
    assert len(find_tests([test, test.with_name("errors.yml"), test.parent])) == 2
    with pytest.raises(UsageError, match="no such file or folder"):
        find_tests([place.folder / "nowhere"])
    (test.parent / "lone.yml").write_text(RULE)
    with pytest.raises(UsageError, match="has no test"):
        find_tests([test.parent / "lone.yml"])


def test_a_test_without_its_rule_and_a_wrong_rule_are_problems(place: Place) -> None:
    test = place.write()
    place.write(slug="wrong", rule=RULE.replace("kind: threshold", "kind: thresold"))
    test.with_name("errors.yml").unlink()
    report = place.run()
    assert [(p.slug, str(p.location)) for p in report.problems] == [
        ("tests/no-rule", "rules/app/errors.test.yml:1:1"),
        ("rules/wrong-value", "rules/app/wrong.yml:2:7"),
    ]
    assert not report.ok
    assert report.failed == 0


def test_many_cases_are_spread_over_processes_and_come_back_in_order(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "MANY", 2)
    monkeypatch.setattr(running, "processors", lambda: 3)
    place.write(TEST + ALL_CLAUSES.replace("test-1", "web-9"))
    place.write(slug="other")
    report = place.run()
    assert [r.name for r in report.results] == [
        "five errors fire",
        "four do not",
        "of another level",
        "a test",
        "a known one",
        "five errors fire",
        "four do not",
        "of another level",
    ]
    assert [d.partition(":")[0] for d in told(report)] == ["a test"]
    # Seen in different processes, counted together.
    assert [f"{one.location.file}: {one.text}" for one in report.unseen] == [
        "rules/app/errors.yml: pod: test-*",
        "rules/app/other.yml: pod: test-*",
        'rules/app/other.yml: message: "known"',
    ]


def test_work_that_a_process_cannot_do_is_done_here() -> None:
    def work(part: int) -> int:
        import os

        if part and os.getpid() != parent:
            raise ValueError
        return part * 10

    import os

    parent = os.getpid()
    assert shared(work, 3) == [0, 10, 20]


def test_what_changes_is_named_each_time_it_does(tmp_path: Path) -> None:
    one, two = tmp_path / "one", tmp_path / "two"
    one.write_text("1")
    two.write_text("2")

    def look() -> Sequence[tuple[str, Sequence[Path]]]:
        return [(path.name, (path,)) for path in (one, two) if path.exists()]

    steps: Iterator[Callable[[], object]] = iter(
        [
            lambda: None,
            lambda: one.write_text("11"),
            lambda: two.unlink(),
            lambda: two.write_text("22"),
        ]
    )
    found = changes(look, pause=lambda: (next(steps)(), None)[1])
    assert [next(found), next(found)] == [["one"], ["two"]]


@pytest.fixture
def folder(place: Place) -> Path:
    """Rules of which one passes and one does not."""
    place.write(TEST + ALL_CLAUSES)
    place.write(TEST.replace("fires: 2m", "fires: 3m"), slug="late")
    (place.folder / "empty").mkdir()
    (place.folder / "broken").mkdir()
    (place.folder / "broken" / "errors.yml").write_text(RULE)
    (place.folder / "broken" / "errors.test.yml").write_text(
        TEST + CASE.replace("five errors fire", "fiv errors fire").replace("N", "5")
        + "  - {name: two, documents: [helthy], expect: []}\n"
        + "  - {name: three, like: two, expect: []}\n"
    )  # fmt: skip
    return place.folder


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("text", "sre-obs test rules"),
        ("json", "sre-obs test rules -o json"),
        ("junit", "sre-obs test rules/app/late.yml --output junit"),
        ("passed", "sre-obs test rules/app/errors.test.yml --coverage-required"),
        ("coverage", "sre-obs test rules/app/late.test.yml --filter level --coverage-required"),
        ("nowhere", "sre-obs test nowhere"),
        ("no-case", "sre-obs test rules --filter nothing"),
        ("no-test", "sre-obs test empty -o json"),
        ("left-out", "sre-obs test broken"),
        ("format", "sre-obs test rules -o xml"),
        ("two", "sre-obs test rules -o json -o junit"),
        ("no-server", "sre-obs test rules --against elasticsearch"),
        ("help", "sre-obs test --help"),
    ],
)
def test_the_command_prints_it(name: str, line: str, folder: Path, golden: Golden) -> None:
    typed = type_here(line, folder)
    text = re.sub(r'"seconds": [\d.]+', '"seconds": N', typed.transcript())
    text = re.sub(r'time="[\d.]+"', 'time="N"', re.sub(r"\(\d+\.\d s\)", "(N s)", text))
    golden("cli", "test", f"{name}.txt", text)


def test_a_clause_that_is_left_open_fails_where_that_is_asked(folder: Path) -> None:
    (folder / "rules" / "app" / "errors.test.yml").write_text(TEST)
    line = "sre-obs test rules/app/errors.yml"
    assert type_here(line, folder).code == 0
    assert type_here(f"{line} --coverage-required", folder).code == 1


def test_reports_go_to_files_beside_the_text(folder: Path) -> None:
    typed = type_here("sre-obs test rules -o junit:r.xml -o json:r.json", folder)
    assert typed.out.startswith("FAIL ")
    root = ElementTree.fromstring((folder / "r.xml").read_text())
    assert (root.attrib["tests"], root.attrib["failures"]) == ("8", "1")
    assert '"cases": 8' in (folder / "r.json").read_text()
    typed = type_here("sre-obs test rules -o junit:no/r.xml", folder)
    assert (typed.code, typed.err.splitlines()[0]) == (
        1,
        "error: no/r.xml: can't write the report: No such file or directory",
    )


EXAMPLE = re.compile(r"^```yaml\n(cases:\n.*?)^```", re.MULTILINE | re.DOTALL)


def test_the_example_of_the_guide_passes(place: Place) -> None:
    rules = Path(__file__).parents[2] / "rules"
    (example,) = EXAMPLE.findall((rules / "TESTING.md").read_text())
    rule = (rules / "postgresql" / "pg-deadlocks.yml").read_text()
    place.write(example, rule)
    assert told(place.run()) == []


def test_a_real_server_comes_to_the_same_and_is_left_clean(
    folder: Path, elasticsearch_url: str, es_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "new_prefix", lambda: f"{es_prefix}-")
    typed = type_here(
        f"sre-obs test rules --against elasticsearch --url {elasticsearch_url}", folder
    )
    assert typed.err == ""
    assert re.search(r"^2 rules, 8 cases: 8 agree", typed.out, re.MULTILINE)
    with urllib.request.urlopen(f"{elasticsearch_url}/_cat/indices/{es_prefix}*") as answer:
        assert answer.read() == b""


STOPS = """\
title: Busy
kind: threshold
index: metrics-app.pod-*
from: now-30m
interval: 1m
group_by: [pod]
threshold: {function: avg, field: cpu, limit: 0.9}
severity: warning
"""
STOPPED = """\
cases:
  - name: a stream that stops
    documents:
      - {index: metrics-app.pod-default, series: {cpu: 0.95x240}, fields: {pod: web-1}}
    expect: [{fires: 0s}]
  - name: one that was never busy
    like: a stream that stops
    but: {cpu: 0.5x240}
    expect: []
"""


def test_a_case_ends_when_nothing_more_can_come_of_it(place: Place) -> None:
    path = place.write(STOPPED, STOPS)
    suite, _ = load_suite(path)
    assert suite is not None
    rule, _ = files.tested_rule(suite, str(path))
    assert rule is not None
    with closing(BoundedRenderer()) as renderer:
        for case in suite.cases:
            source = Stage.of(rule, case, lambda _: {}, suite.start).source("default")
            short, whole = (
                play(rule, case, source, renderer, start=suite.start, timer=lambda: 0.0, whole=w)
                for w in (False, True)
            )
            assert len(short.times) < len(whole.times) - 20
            assert short.stands[-1][1] == whole.stands[-1][1] == Outcome.STALE
            assert [(e.fires, e.resolves) for e in short.episodes] == [
                (e.fires, e.resolves) for e in whole.episodes
            ]
