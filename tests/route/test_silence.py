"""Silences: which are in force, what makes one wrong, what becomes of one."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_obs.model.matcher import Matcher, MatchOp
from sre_obs.model.silence import Silence, SilenceState
from sre_obs.query.matchers import compile_matchers, parse_matchers
from sre_obs.route.silence import SilenceIndex, expire, updated, validate

NOW = 1000.0


def silence(text: str = 'team="db"', id_: str = "s1", **fields: Any) -> Silence:
    """Ana's, in force from 900 to 2000."""
    defaults: dict[str, Any] = {
        "matchers": parse_matchers(text),
        "starts_at": 900.0,
        "ends_at": 2000.0,
        "created_by": "ana",
        "comment": "deploy",
        "updated_at": 900.0,
    }
    return Silence(id_, **(defaults | fields))


def test_a_silence_is_in_force_from_its_start_until_just_before_its_end() -> None:
    index = SilenceIndex([silence()])
    labels = {"team": "db"}
    in_force = {at: bool(index.silenced_by(labels, at, "f1")) for at in (899, 900, 1999, 2000)}
    assert in_force == {899: False, 900: True, 1999: True, 2000: False}
    assert index.silenced_by({"team": "web"}, NOW, "f2") == ()


def test_all_silences_that_match_are_named() -> None:
    silences = [silence(f'team=~"d{n}?b"', f"s{n}") for n in range(10)]
    found = SilenceIndex(silences).silenced_by({"team": "d7b"}, NOW)
    assert [s.id for s in found] == ["s7"]
    assert len(SilenceIndex(silences).silenced_by({"team": "db"}, NOW)) == 10


teams = st.sampled_from(["db", "web", ""])


@given(st.lists(st.tuples(teams, teams, st.booleans()), max_size=15), teams, teams)
def test_the_index_names_what_trying_each_names(
    each: list[tuple[str, str, bool]], team: str, env: str
) -> None:
    silences = [
        silence(f'team="{t}", env{"=" if equal else "!="}"{e}"', f"s{n}")
        for n, (t, e, equal) in enumerate(each)
    ]
    labels = {"team": team, "env": env}
    expected = [s.id for s in silences if compile_matchers(s.matchers)(labels)]
    index = SilenceIndex(silences)
    for _ in range(2):
        assert [s.id for s in index.silenced_by(labels, NOW, "f")] == expected


@pytest.mark.parametrize(
    ("wrong", "problem"),
    [
        ({"matchers": ()}, "it has no matchers: it would silence everything"),
        (
            {"matchers": parse_matchers('team=~".*"')},
            'each of its matchers holds for a label that is not there (team=~".*"): '
            'at least one must not, such as name="value" or name=~".+"',
        ),
        (
            {"matchers": (Matcher("team", MatchOp.REGEX, "("),)},
            "'(' is not a regular expression: missing ): (",
        ),
        ({"matchers": (Matcher("", MatchOp.EQUAL, "x"),)}, "a matcher has no label name"),
        ({"ends_at": 900.0}, "it ends before it starts"),
        ({"ends_at": NOW}, "it has ended already"),
        ({"created_by": " "}, "it does not say who made it (createdBy)"),
        ({"comment": ""}, "it does not say why (comment)"),
    ],
)
def test_a_wrong_silence_is_refused_in_words(wrong: dict[str, Any], problem: str) -> None:
    assert validate(silence(**wrong), NOW) == [problem]


def test_a_right_silence_has_no_problems() -> None:
    assert validate(silence('team="db", env!="prod"'), NOW) == []


def test_everything_that_is_wrong_is_said() -> None:
    assert len(validate(silence("", comment="", created_by="", ends_at=0.0), NOW)) == 4


def test_a_changed_end_is_the_same_silence_and_its_start_stays() -> None:
    (same,) = updated(silence(), silence(id_="", ends_at=3000.0, starts_at=NOW), NOW, "new")
    assert (same.id, same.starts_at, same.ends_at, same.updated_at) == ("s1", 900.0, 3000.0, NOW)


def test_changed_matchers_end_the_old_silence_and_start_another() -> None:
    old, new = updated(silence(), silence('team="web"'), NOW, "new")
    assert (old.id, old.state(NOW)) == ("s1", SilenceState.EXPIRED)
    assert (new.id, new.starts_at, new.state(NOW)) == ("new", NOW, SilenceState.ACTIVE)


def test_the_order_of_matchers_does_not_make_another_silence() -> None:
    one, other = silence('a="1", b="2"'), silence('b="2", a="1"')
    assert [s.id for s in updated(one, other, NOW, "new")] == ["s1"]


def test_a_silence_that_is_over_is_not_revived_but_followed_by_another() -> None:
    (new,) = updated(silence(ends_at=950.0), silence(), NOW, "new")
    assert (new.id, new.starts_at) == ("new", NOW)


def test_a_silence_to_come_can_be_moved_but_not_into_the_past() -> None:
    waiting = silence(starts_at=1500.0)
    assert [s.starts_at for s in updated(waiting, silence(starts_at=1200.0), NOW, "new")] == [1200]
    assert [s.starts_at for s in updated(waiting, silence(starts_at=10.0), NOW, "new")] == [NOW]


def test_an_expired_silence_ended_now_one_to_come_never_was_one_that_is_over_stays() -> None:
    assert expire(silence(), NOW).ends_at == NOW
    never = expire(silence(starts_at=1500.0), NOW)
    assert never.state(NOW) is SilenceState.EXPIRED
    assert never.starts_at <= never.ends_at
    over = silence(ends_at=950.0)
    assert expire(over, NOW) is over
