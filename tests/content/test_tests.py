"""Test files of rules: what they say, what is wrong with them and where."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_obs.content.tests.documents import documents_of
from sre_obs.content.tests.load import load_suite, parse_suite, rule_of
from sre_obs.content.tests.series import MISSING
from sre_obs.content.tests.suite import Block, Case, Change, Date, DateForm, Recorded
from sre_obs.model.alert import EndReason
from sre_obs.model.errors import ContentError
from sre_obs.model.evaluation import Outcome
from tests.content.problems import lines, pointed

FILE = Path("rules/shop/oom.test.yml")
POD = """\
start: 2026-01-15T03:00:00Z
documents:
  pod:
    index: metrics-app.pod-default
    fields: {pod: web-1, limit: {cpu: 2}}
    series: {cpu: 1x9}
cases:
"""


def cases(text: str) -> list[Case]:
    """The cases of a file that has the block `pod`, which has no problem."""
    suite, problems = parse_suite(POD + dedent(text), FILE)
    assert lines(problems) == []
    assert suite is not None
    return list(suite.cases)


def block(text: str) -> Block:
    """The first block of the last case."""
    first = cases(text)[-1].documents[0]
    assert isinstance(first, Block)
    return first


def wrong(text: str) -> list[str]:
    """What is wrong with cases."""
    _, problems = parse_suite(POD + dedent(text), FILE)
    return lines(problems)


def case(documents: str, **changes: str) -> str:
    """A case on these documents."""
    more = "".join(f"    {name}: {text}\n" for name, text in changes.items())
    return f"  - name: one\n    documents: {documents}\n    expect: []\n{more}"


def test_a_case_says_what_is_expected_and_when() -> None:
    (one,) = cases(
        """\
          - name: busy
            documents: [pod]
            until: 20m
            expect:
              - entity: {pod: web-1}
                labels: {team: shop}
                fires: 5m30s
                resolves: 12m
                ended: entity gone
                starts: 30s
                value: 11.5
                severity: warning
                levels: [{at: 7m, severity: critical}]
                text: {summary: "11 of 12"}
            outcome: {at: 4m, is: insufficient}
        """
    )
    (expected,) = one.expected
    assert (one.name, one.until, one.location.line) == ("busy", 1200.0, 8)
    assert (expected.fires, expected.resolves, expected.starts) == (330.0, 720.0, 30.0)
    assert (expected.entity, expected.labels) == ({"pod": "web-1"}, {"team": "shop"})
    assert (expected.value, expected.severity) == (11.5, "warning")
    assert expected.ended is EndReason.GONE
    assert expected.levels == (Change(420.0, "critical"),)
    assert expected.text == {"summary": "11 of 12"}
    assert [(s.at, s.outcome) for s in one.stands] == [(240.0, Outcome.INSUFFICIENT)]


def test_a_test_is_about_the_rule_of_its_name(tmp_path: Path) -> None:
    assert rule_of(FILE) == Path("rules/shop/oom.yml")
    (tmp_path / "a.yaml").write_text("title: a\n")
    assert rule_of(tmp_path / "a.test.yml") == tmp_path / "a.yaml"


def test_a_block_says_when_and_how_often() -> None:
    made = block(
        case("[{index: logs-a-b, every: 20s, from: -1m, to: 30s, fields: {a.b: on, c: {d: 1}}}]")
    )
    assert (made.first, made.every, made.count) == (-60.0, 20.0, 5)
    assert made.fields == {"a.b": "on", "c.d": 1}
    assert block(case("[{index: logs-a-b}]")).count == 1
    assert block(case("[{index: logs-a-b, series: {a: 1x2, b: 1 2}}]")).count == 3
    assert block(case("[{index: logs-a-b, count: 7, series: {a: 1x2}}]")).count == 7


def test_series_and_dates_may_be_lists_and_distances() -> None:
    made = block(
        case("[{index: i-a-b, series: {a: [1, null, _, x]}, dates: {d: {at: -1h, as: seconds}}}]")
    )
    assert made.series == {"a": (1, MISSING, MISSING, "x")}
    assert made.dates == {"d": Date(-3600.0, form=DateForm.SECONDS)}


def test_a_block_of_the_file_is_taken_by_name_or_with_changes() -> None:
    (one,) = cases(case("[pod, {like: pod, count: 3, fields: {pod: web-2, cpu: 9}}]"))
    first, second = one.documents
    assert isinstance(first, Block)
    assert isinstance(second, Block)
    assert (first.count, first.fields["pod"], first.fields["limit.cpu"]) == (10, "web-1", 2)
    assert (second.count, second.fields["pod"], second.fields["limit.cpu"]) == (3, "web-2", 2)
    assert (second.fields["cpu"], second.series) == (9, {})


LIKE = case("[pod, {name: other, index: logs-a-b, fields: {level: error}}]") + (
    "  - name: two\n    like: one\n    expect: []\n"
)


@pytest.mark.parametrize(
    ("but", "fields", "series", "count"),
    [
        ("{pod: web-2}", {"pod": "web-2", "limit.cpu": 2}, {"cpu": (1,) * 10}, 10),
        ("{limit.cpu: 4}", {"pod": "web-1", "limit.cpu": 4}, {"cpu": (1,) * 10}, 10),
        ("{cpu: 1x2 5}", {"pod": "web-1", "limit.cpu": 2}, {"cpu": (1, 1, 1, 5)}, 10),
        ("{cpu: 5}", {"pod": "web-1", "limit.cpu": 2}, {"cpu": (5,)}, 10),
        ("{cpu: 5x19}", {"pod": "web-1", "limit.cpu": 2}, {"cpu": (5,) * 20}, 20),
        ("{pod: {series: a b}}", {"limit.cpu": 2}, {"cpu": (1,) * 10, "pod": ("a", "b")}, 10),
        ("{drop: pod}", {"limit.cpu": 2}, {"cpu": (1,) * 10}, 10),
        ("{drop: [pod, cpu]}", {"limit.cpu": 2}, {}, 10),
        ("{count: 4}", {"pod": "web-1", "limit.cpu": 2}, {"cpu": (1,) * 10}, 4),
        ("{count: {pod: 4}}", {"pod": "web-1", "limit.cpu": 2}, {"cpu": (1,) * 10}, 4),
        ("{without: other}", {"pod": "web-1", "limit.cpu": 2}, {"cpu": (1,) * 10}, 10),
        ("{pod: web-2, in: pod}", {"pod": "web-2", "limit.cpu": 2}, {"cpu": (1,) * 10}, 10),
        ("{pod: web-2, in: 1}", {"pod": "web-2", "limit.cpu": 2}, {"cpu": (1,) * 10}, 10),
    ],
)
def test_one_fact_changes_and_nothing_else(
    but: str, fields: dict[str, Any], series: dict[str, Any], count: int
) -> None:
    made = block(LIKE + f"    but: {but}\n")
    assert (made.fields, made.series, made.count) == (fields, series, count)


def test_the_other_blocks_stay() -> None:
    *_, two = cases(LIKE + "    but: {level: info}\n")
    assert [b.fields for b in two.documents if isinstance(b, Block)] == [
        {"pod": "web-1", "limit.cpu": 2},
        {"level": "info"},
    ]
    *_, three = cases(LIKE + "    but: {without: other}\n")
    assert len(three.documents) == 1
    assert cases(LIKE + "    but: {until: 9m}\n")[-1].until == 540.0
    assert block(LIKE + "    but: {pod: {at: -5m}}\n").dates == {"pod": Date(-300.0)}


def test_a_case_that_is_like_a_changed_one_has_its_change_too() -> None:
    made = block(
        LIKE + "    but: {pod: web-2}\n  - {name: c, like: two, but: {cpu: 3}, expect: []}\n"
    )
    assert (made.fields["pod"], made.series) == ("web-2", {"cpu": (3,)})


def test_each_set_of_parameters_is_a_case_and_an_empty_one_takes_its_key_away() -> None:
    made = cases(
        """\
          - name: limit
            each:
              - {n: 4, fires: null, ends: null}
              - {n: 5, fires: 5m, ends: null}
              - {n: 6, fires: 5m, ends: 9m}
            documents: [{like: pod, series: {cpu: "${n}x3"}, fields: {pod: "web-${n}"}}]
            expect: [{fires: "${fires}", resolves: "${ends}"}]
          - name: with ${n} in it
            each: [{n: 1}]
            documents: [{like: pod, fields: {limit.cpu: "${n}"}}]
            expect: []
        """
    )
    assert [one.name for one in made] == [
        "limit [n=4, fires=null, ends=null]",
        "limit [n=5, fires=5m, ends=null]",
        "limit [n=6, fires=5m, ends=9m]",
        "with 1 in it",
    ]
    assert [[(e.fires, e.resolves) for e in one.expected] for one in made] == [
        [],
        [(300.0, None)],
        [(300.0, 540.0)],
        [],
    ]
    blocks = [b for one in made for b in one.documents if isinstance(b, Block)]
    assert [b.fields["pod"] for b in blocks] == ["web-4", "web-5", "web-6", "web-1"]
    assert blocks[0].series == {"cpu": (4,) * 4}
    (named,) = cases(case('[{index: i-a-b, fields: {"a.${n}": 1}}]', each="[{n: b}]"))
    assert isinstance(named.documents[0], Block)
    assert named.documents[0].fields == {"a.b": 1}
    # A parameter is what it was written as: a number stays one.
    assert blocks[3].fields["limit.cpu"] == 1


@pytest.mark.parametrize(
    ("text", "problem", "characters"),
    [
        (
            case("[pod]", expct="[]"),
            '11:5+5 tests/unknown-key: no such key: "expct" | write expect',
            "expct",
        ),
        (
            case("[pods]"),
            '9:17+4 tests/unknown-block: no block of documents is called "pods" | write pod',
            "pods",
        ),
        (
            case("[{fields: {a: 1}}]"),
            '9:17+1 tests/missing-key: "index" is missing | add it',
            "{",
        ),
        (
            case("[{index: i-a-b, series: {a: 1 0x}}]"),
            "9:47+1 tests/series-syntax: no count behind x | write x and a whole number",
            "x",
        ),
        (
            case("[{index: i-a-b, fields: {a: 1, a.b: 2}}]"),
            '9:41+1 tests/wrong-value: "a" has a value, and "a.b" is below it | rename',
            "a",
        ),
        (
            case("[{index: i-a-b, fields: {a: 1}, series: {a: 2}}]"),
            '9:57+1 tests/duplicate: "a" is also in fields | remove one',
            "a",
        ),
        (
            case("[{index: i-a-b, dates: {d: {}}}]"),
            '9:43+2 tests/wrong-value: "d" needs one of at (from 0s) and ago (before the '
            "document) | write {at: -16m} or {ago: 5m}",
            "{}",
        ),
        (
            case("[{index: i-a-b, from: 5m, to: 1m}]"),
            '9:46+2 tests/wrong-value: "to" is before from | check it, from and every',
            "1m",
        ),
        (
            case("[{file: gone.ndjson}]"),
            '9:24+11 tests/no-recording: no such file: "gone.ndjson" | put it beside the test',
            "gone.ndjson",
        ),
        (
            case("[{file: ../../etc/passwd}]"),
            "9:24+16 tests/wrong-value: a recording lies beside its test or below | write its name",
            "../../etc/passwd",
        ),
        (
            LIKE + "    but: {pood: 5}\n",
            '14:11+4 tests/unknown-fact: no document of the case that it is like has "pood" | '
            "write pod",
            "pood",
        ),
        (
            LIKE + "    but: {pod: 5, cpu: 3}\n",
            "14:19+3 tests/one-fact: more than one fact differs: nobody can tell which of them "
            "counts | change one of them, and the other in a case of its own",
            "cpu",
        ),
        (
            LIKE + "    but: {without: nobody}\n",
            '14:20+6 tests/unknown-block: no block of this case is called "nobody" | give the '
            "block a name, or write its number",
            "nobody",
        ),
        (
            LIKE + "    but: 5\n",
            '14:10+1 tests/wrong-value: "but" must be the one fact that differs, such as '
            "{field: value} | write field: value",
            "5",
        ),
        (
            case("[pod]") + "  - {name: two, like: on, expect: []}\n",
            '11:23+2 tests/unknown-case: no other case is called "on" | write one',
            "on",
        ),
        (
            "  - {name: a, like: b, expect: []}\n  - {name: b, like: a, expect: []}\n",
            '8:21+1 tests/unknown-case: "b" is like itself | begin with documents',
            "b",
        ),
        (
            case("[pod]") + case("[pod]"),
            '11:11+3 tests/duplicate: "one" is the name of another case, line 8 | give it another '
            "name",
            "one",
        ),
        (
            case('[{like: pod, fields: {pod: "web-${m}"}}]', each="[{n: 1}]"),
            '9:48+4 tests/unknown-parameter: no parameter is called "m" | add each: [{m: ...}]',
            "${m}",
        ),
        (
            "  - {name: a, documents: [pod], expect: [{resolves: 1m}]}\n",
            '8:42+1 tests/missing-key: "fires" is missing | add it',
            "{",
        ),
        (
            "  - {name: a, documents: [pod], expect: [{fires: 2m, resolves: 1m}]}\n",
            '8:42+1 tests/wrong-value: "resolves" is before "fires" | times count from 0s',
            "{",
        ),
        (
            "  - {name: a, documents: [pod], expect: [{fires: 2m, ended: over}]}\n",
            '8:61+4 tests/wrong-value: "ended" can\'t be "over" | one of: under limit, entity '
            "gone, no data",
            "over",
        ),
        (
            "  - {name: a, documents: [pod]}\n",
            '8:5+1 tests/missing-key: "expect" is missing | add it',
            "{",
        ),
    ],
)
def test_what_is_wrong_is_said_where_it_is_written(
    text: str, problem: str, characters: str
) -> None:
    _, problems = parse_suite(POD + text, FILE)
    assert lines(problems)[:1] == [problem]
    assert pointed(problems[0]) == characters


def test_a_wrong_case_leaves_the_others() -> None:
    suite, problems = parse_suite(POD + case("[pod]") + "  - {name: two, expect: []}\n", FILE)
    assert suite is not None
    assert [one.name for one in suite.cases] == ["one"]
    assert len(problems) == 1


@pytest.mark.parametrize(
    ("start", "message"),
    [
        ("yesterday", '"start" is no time'),
        ("2026-01-15T03:00:00", '"start" is a time without a zone'),
        ("0001-01-01T00:00:00Z", '"start" is too far from now'),
    ],
)
def test_a_file_begins_at_a_time_with_a_zone(start: str, message: str) -> None:
    _, problems = parse_suite(f"start: {start}\ncases: [{{name: a, expect: []}}]\n", FILE)
    assert problems[0].message == message


def test_documents_are_nested_and_share_nothing_that_moves() -> None:
    made = Block(
        index="metrics-app.pod-default",
        location=cases(case("[pod]"))[0].location,
        first=-10.0,
        count=3,
        fields={"a.b.c": 1, "a.x": "y", "tags": ["p", "q"]},
        series={"a.b.d": (1, MISSING), "a.e": (7,)},
        dates={"at": Date(-60.0), "ago": Date(5.0, ago=True), "s": Date(0, form=DateForm.MILLIS)},
    )
    found = documents_of([made], 1_768_446_000.0)["metrics-app.pod-default"]
    assert found[0] == {
        "@timestamp": "2026-01-15T02:59:50.000Z",
        "data_stream": {"type": "metrics", "dataset": "app.pod", "namespace": "default"},
        "a": {"b": {"c": 1, "d": 1}, "x": "y", "e": 7},
        "tags": ["p", "q"],
        "at": "2026-01-15T02:59:00.000Z",
        "ago": "2026-01-15T02:59:45.000Z",
        "s": 1_768_446_000_000,
    }
    assert [one["a"] for one in found[1:]] == [{"b": {"c": 1}, "x": "y", "e": 7}] * 2
    assert [one["@timestamp"][17:] for one in found] == ["50.000Z", "00.000Z", "10.000Z"]


def test_blocks_of_one_index_are_merged_in_the_order_of_time() -> None:
    (one,) = cases(case("[{index: i-a-b, from: 10s}, {index: i-a-b, from: 0s}, {index: j-a-b}]"))
    found = documents_of(one.documents, 0.0)
    assert {index: [d["@timestamp"][11:19] for d in ds] for index, ds in found.items()} == {
        "i-a-b": ["00:00:00", "00:00:10"],
        "j-a-b": ["00:00:00"],
    }


def test_a_name_that_no_file_can_have_is_no_recording(tmp_path: Path) -> None:
    path = tmp_path / "oom.test.yml"
    path.write_text(POD + case(f"[{{file: {'a' * 300}}}]"))
    _, problems = load_suite(path, name="oom.test.yml", recordings=tmp_path)
    assert lines(problems) == [
        f'9:24+300 tests/no-recording: File name too long: "{"a" * 57}..." | put it beside the test'
    ]


RECORDED = """\
{"@timestamp": "2026-11-24T06:39:00Z",\
 "event": {"module": "system"}, "metricset": {"name": "load"}}
{"@timestamp": "2026-11-24T06:39:10Z",\
 "data_stream": {"type": "logs", "dataset": "x", "namespace": "y"}}
"""


def test_recorded_documents_are_moved_and_go_to_their_own_streams(tmp_path: Path) -> None:
    (tmp_path / "some.ndjson").write_text(RECORDED)
    file = tmp_path / "a.test.yml"
    file.write_text("cases:\n" + case("[{file: some.ndjson, shift: {first: 1m}}]"))
    suite, problems = load_suite(file)
    assert problems == []
    assert suite is not None
    found = documents_of(suite.cases[0].documents, suite.start)
    assert {index: [d["@timestamp"] for d in ds] for index, ds in found.items()} == {
        "metrics-system.load-default": ["2026-01-15T03:01:00.000Z"],
        "logs-x-y": ["2026-01-15T03:01:10.000Z"],
    }


def test_a_recording_may_lie_in_the_folder_of_its_service(tmp_path: Path) -> None:
    (tmp_path / "recorded" / "system").mkdir(parents=True)
    (tmp_path / "recorded" / "system" / "some.ndjson").write_text(RECORDED)
    (tmp_path / "system").mkdir()
    file = tmp_path / "system" / "a.test.yml"
    file.write_text("cases:\n" + case("[{file: some.ndjson, index: i-a-b}]"))
    suite, problems = load_suite(file, recordings=tmp_path / "recorded")
    assert problems == []
    assert suite is not None
    assert isinstance(suite.cases[0].documents[0], Recorded)
    found = documents_of(suite.cases[0].documents, suite.start)
    assert [d["@timestamp"] for d in found["i-a-b"]] == [
        "2026-11-24T06:39:00Z",
        "2026-11-24T06:39:10Z",
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "no documents in it"),
        ("{}\n", "line 1 is no document with an @timestamp"),
        ('\n["x"]\n', "line 2 is no document with an @timestamp"),
        ("[" * 100_000, "line 1 is no document with an @timestamp"),
        ('{"@timestamp": "2026-01-01"}\n', "line 1 names no data stream: add index"),
    ],
)
def test_a_recording_that_is_none_is_a_problem_of_the_test(
    tmp_path: Path, text: str, why: str
) -> None:
    (tmp_path / "x.ndjson").write_text(text)
    file = tmp_path / "a.test.yml"
    file.write_text("cases:\n" + case("[{file: x.ndjson}]"))
    suite, _ = load_suite(file)
    assert suite is not None
    with pytest.raises(ContentError) as caught:
        documents_of(suite.cases[0].documents, suite.start)
    assert caught.value.problems[0].message == f"can't read x.ndjson: {why}"


PIECES = st.sampled_from(
    ["like", "but", "each", "documents", "fields", "series", "cases", "name", "expect", "${n}",
     "pod", "one", "1x3", "{a: 1}", "[pod]", "5m", "count", "in", "drop", "null", ": ", "\n  - ",
     "\n    ", "[", "]", "{", "}", "\"", ", "]
)  # fmt: skip


@given(st.lists(PIECES, max_size=40).map("".join))
def test_no_text_of_cases_ends_it(text: str) -> None:
    parse_suite(POD + "  - name: one\n    documents: [pod]\n    expect: []\n  - " + text, FILE)
