"""Which routes an alert takes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_obs.model.errors import QueryError
from sre_obs.model.matcher import Matcher, MatchOp
from sre_obs.model.routing import Route
from sre_obs.query.matchers import compile_matchers
from sre_obs.route.index import MatcherIndex
from sre_obs.route.tree import Router
from tests.route.parts import alert, route, routing

TREE = route(
    "",
    route('team="db"', route('severity="critical"', id="db-critical"), id="db"),
    route('team=~"web|api"', route('severity!="info"', id="web-loud"), id="web", continues=True),
    route('team=~"we.+"', id="we"),
    route('env=""', id="no-env"),
    id="root",
)


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        ({"team": "db", "severity": "critical"}, ["db-critical"]),
        ({"team": "db", "severity": "warning"}, ["db"]),
        ({"team": "web", "severity": "info"}, ["web", "we"]),
        ({"team": "web"}, ["web-loud", "we"]),
        ({"team": "api", "env": "x"}, ["web-loud"]),
        ({"team": "webs"}, ["we"]),
        ({"team": "other"}, ["no-env"]),
        ({"team": "other", "env": "x"}, ["root"]),
        ({}, ["no-env"]),
    ],
)
def test_depth_first_the_first_match_wins_unless_it_continues(
    labels: Mapping[str, str], expected: list[str]
) -> None:
    assert [r.id for r in Router(routing(TREE)).match(labels)] == expected


def test_with_its_fingerprint_an_alert_is_looked_up_once() -> None:
    router = Router(routing(TREE))
    found = router.match({"team": "db"}, "f1")
    assert router.match({}, "f1") is found
    assert router.match({"team": "db"}, "f2") is found, "alerts of one way share its tuple"


def test_each_tried_route_says_whether_it_matched_and_which_matcher_said_no() -> None:
    steps = Router(routing(TREE)).explain({"team": "web", "severity": "info"})
    assert [(s.depth, s.route.id, s.matched, s.taken) for s in steps] == [
        (0, "root", True, False),
        (1, "db", False, False),
        (1, "web", True, True),
        (2, "web-loud", False, False),
        (1, "we", True, True),
    ]
    assert steps[1].refused == Matcher("team", MatchOp.EQUAL, "db")
    assert steps[3].refused == Matcher("severity", MatchOp.NOT_EQUAL, "info")


def test_two_routes_of_one_id_are_refused() -> None:
    with pytest.raises(ValueError, match="two routes have the id"):
        Router(routing(route("", route('a="1"', id="x"), route('b="1"', id="x"))))


def test_a_former_receiver_is_a_target_as_long_as_it_was_told() -> None:
    router = Router(routing(TREE))
    now, *rest = router.targets(TREE, {"chat/slack[0]": None, "gone/slack[0]": None})
    assert (now.receiver, now.former) == ("hook", False)
    assert [(t.receiver, t.former) for t in rest] == [("chat", True)]
    assert router.targets(None, {"hook/webhook[0]": None})[0].former


# The index finds what trying each list finds, however the lists are filed.

values = st.sampled_from(["", "a", "b", "ab", "abc", "a\nb", "x|y", "\udcff"])
patterns = st.sampled_from(["a", "a|b", "a.*", ".*", ".+", "a.+", "", "|b", "(a|b)+c?", "[ab]*"])
names = st.sampled_from(["n", "m", "é"])
matchers = st.one_of(
    st.builds(Matcher, names, st.sampled_from([MatchOp.EQUAL, MatchOp.NOT_EQUAL]), values),
    st.builds(Matcher, names, st.sampled_from([MatchOp.REGEX, MatchOp.NOT_REGEX]), patterns),
)
lists = st.lists(st.lists(matchers, max_size=3), max_size=30)
label_sets = st.dictionaries(names, values)


@given(lists, st.lists(label_sets, min_size=1, max_size=5))
def test_the_index_finds_in_order_what_trying_each_finds(
    each: list[list[Matcher]], asked: list[dict[str, str]]
) -> None:
    index = MatcherIndex(each)
    for labels in asked:
        expected = [n for n, one in enumerate(each) if compile_matchers(one)(labels)]
        assert list(index.matching(labels)) == expected


def test_a_pattern_that_one_automaton_has_no_room_for_is_still_tried() -> None:
    heavy = [[Matcher("n", MatchOp.REGEX, f"(x{{1,90}}y{{1,90}}){{1,9}}{n}")] for n in range(60)]
    light = [Matcher("n", MatchOp.REGEX, "lig.t")]
    index = MatcherIndex([*heavy, light])
    assert list(index.matching({"n": "light"})) == [60]
    assert list(index.matching({"n": "xy7"})) == [7]


def test_a_wrong_pattern_is_named() -> None:
    with pytest.raises(QueryError, match="not a regular expression"):
        MatcherIndex([[Matcher("n", MatchOp.REGEX, "(")]])


@given(st.recursive(st.just([]), lambda s: st.lists(s, max_size=4), max_leaves=12), st.data())
def test_what_is_explained_is_what_is_matched(shape: list[Any], data: st.DataObject) -> None:
    def grow(below: list[Any], path: str) -> Route:
        children = [grow(child, f"{path}/{n}") for n, child in enumerate(below)]
        return replace(
            route("", *children, id=path, continues=data.draw(st.booleans())),
            matchers=tuple(data.draw(st.lists(matchers, max_size=2))) if path else (),
        )

    router = Router(routing(grow(shape, "")))
    labels = data.draw(label_sets)
    taken = [step.route.id for step in router.explain(labels) if step.taken]
    assert [r.id for r in router.match(labels)] == taken
    assert taken


def test_an_alert_with_a_lone_surrogate_is_routed() -> None:
    children = [route(f'team=~"t{n}[ab]"', id=f"t{n}") for n in range(20)]
    router = Router(routing(route("", *children, id="root")))
    odd = alert({"team": "t1\udcff"})
    assert [r.id for r in router.match(odd.labels, odd.fingerprint)] == ["root"]
