"""Many lists of matchers at once: the same answer as one by one, and no pattern too dear."""

from __future__ import annotations

import pytest

from sre_obs.model.errors import QueryError
from sre_obs.model.matcher import Matcher, MatchOp
from sre_obs.query.matchers import compile_matchers, parse_matchers
from sre_obs.route.index import MatcherIndex


def test_patterns_with_repetitions_are_found_like_all_others() -> None:
    lists = [(Matcher("a", MatchOp.REGEX, p),) for p in ["x{2,3}", "x+", "y.*", "(x|y){1,9}"] * 5]
    index = MatcherIndex(lists)
    for value in ("", "x", "xx", "xxxx", "yes", "xyxy"):
        alone = [n for n, each in enumerate(lists) if compile_matchers(each)({"a": value})]
        assert list(index.matching({"a": value})) == alone


def test_a_pattern_that_is_huge_once_written_out_is_refused() -> None:
    with pytest.raises(QueryError, match="too large"):
        compile_matchers(parse_matchers(f'a=~"{"(a|b){1,500}" * 100}"'))


def test_an_index_of_many_large_patterns_answers_as_each_alone() -> None:
    """Those that the automaton has no room for are tried by themselves."""
    lists = [
        *((Matcher("a", MatchOp.REGEX, f"{n}(a|b){{1,900}}"),) for n in range(100)),
        *((Matcher("a", MatchOp.REGEX, f"{n}" + "x.y" * 1_000),) for n in range(200)),
    ]
    index = MatcherIndex(lists)
    for value in ("7ab", "7" + "xzy" * 1_000, "150" + "xzy" * 1_000):
        alone = [n for n, each in enumerate(lists) if compile_matchers(each)({"a": value})]
        assert list(index.matching({"a": value})) == alone
        assert len(alone) == 1
