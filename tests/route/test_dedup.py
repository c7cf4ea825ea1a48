"""What is news to an integration, and why it is told or not."""

from __future__ import annotations

import pytest

from sre_obs.model.notification import Told
from sre_obs.model.outcome import MessageRef
from sre_obs.route.dedup import Reason, Standing, Terms, dedup

NOW = 10_000.0
HOUR = 3600.0
MESSAGE = MessageRef("C1", "1")


def prints(text: str) -> frozenset[str]:
    return frozenset(text)


def told(firing: str, resolved: str = "", owed: str = "", *, ago: float = 60.0) -> Told:
    return Told(NOW - ago, prints(firing), prints(resolved), 3, MESSAGE, prints(owed))


def standing(firing: str, ended: str = "", silenced: str = "") -> Standing:
    return Standing(prints(firing + ended + silenced), prints(firing), prints(ended))


HEARS_ALL = Terms(send_resolved=True, repeat=HOUR)
NO_ENDS = Terms(send_resolved=False, repeat=HOUR)
FORMER = Terms(send_resolved=True, repeat=HOUR, former=True)
NEVER_TWICE = Terms(send_resolved=True, repeat=None)

# What it was told, how the group stands, its terms: why it is told (or why not), and what
# it will have been told: firing, resolved, generation.
TABLE = {
    "nothing was told and something fires": (
        None, standing("ab"), HEARS_ALL, Reason.FIRST, "ab", "", 1,
    ),
    "it resolved before it was told": (
        None, standing("", "a"), HEARS_ALL, "resolved before it was told", None, None, None,
    ),
    "all is silenced": (
        None, standing("", silenced="a"), HEARS_ALL, "nothing to tell", None, None, None,
    ),
    "all that was told resolved, and something fires": (
        told("", "a"), standing("b", "a"), HEARS_ALL, Reason.FIRST, "b", "a", 4,
    ),
    "all that was told resolved, and it fires again": (
        told("", "a"), standing("a"), HEARS_ALL, Reason.FIRST, "a", "", 4,
    ),
    "a new member": (
        told("a"), standing("ab"), HEARS_ALL, Reason.NEW, "ab", "", 3,
    ),
    "a new member, and another resolved": (
        told("a"), standing("b", "a"), HEARS_ALL, Reason.NEW, "b", "a", 3,
    ),
    "a member that resolved fires again": (
        told("a", "b"), standing("ab"), HEARS_ALL, Reason.NEW, "ab", "", 3,
    ),
    "one of two resolved": (
        told("ab"), standing("a", "b"), HEARS_ALL, Reason.RESOLVED, "a", "b", 3,
    ),
    "the rest resolved": (
        told("a", "b"), standing("", "ab"), HEARS_ALL, Reason.ALL_RESOLVED, "", "ab", 3,
    ),
    "one of two resolved, which it does not want to hear": (
        told("ab"), standing("a", "b"), NO_ENDS, "resolved, which it is not told of", "a", "b", 3,
    ),
    "all resolved, which it does not want to hear": (
        told("a"), standing("", "a"), NO_ENDS, "resolved, which it is not told of", "", "a", 3,
    ),
    "one that was never told resolved": (
        told("a"), standing("a", "b"), HEARS_ALL, "nothing new", "a", "", 3,
    ),
    "all as it was told": (
        told("a"), standing("a"), HEARS_ALL, "nothing new", "a", "", 3,
    ),
    "all as it was told, an hour ago": (
        told("a", ago=HOUR), standing("a"), HEARS_ALL, Reason.REPEAT, "a", "", 3,
    ),
    "a drill, an hour ago": (
        told("a", ago=HOUR), standing("a"), NEVER_TWICE, "nothing new", "a", "", 3,
    ),
    "all is silenced now": (
        told("a", ago=HOUR), standing("", silenced="a"), HEARS_ALL, "nothing to tell", "a", "", 3,
    ),
    "a new member while another is silenced: that one is left out": (
        told("a"), standing("b", silenced="a"), HEARS_ALL, Reason.NEW, "b", "", 3,
    ),
    "all that may be told of resolved": (
        told("ab"), standing("", "b", silenced="a"), HEARS_ALL, Reason.ALL_RESOLVED, "", "b", 3,
    ),
    "the end of one that was left out": (
        told("b", owed="a"), standing("b", "a"), HEARS_ALL, Reason.RESOLVED, "b", "a", 3,
    ),
    "the end of one that was left out, after all was said to be resolved": (
        told("", "b", "a"), standing("", "ab"), HEARS_ALL, Reason.RESOLVED, "", "ab", 3,
    ),
    "the same, for who does not want to hear of ends": (
        told("", "b", "a"), standing("", "ab"), NO_ENDS, "resolved, which it is not told of",
        "", "ab", 3,
    ),
    "one that was left out fires and may be told of again": (
        told("b", owed="a"), standing("ab"), HEARS_ALL, Reason.NEW, "ab", "", 3,
    ),
    "one that was left out fires again, after all was said to be resolved": (
        told("", "b", "a"), standing("a", "b"), HEARS_ALL, Reason.FIRST, "a", "b", 4,
    ),
    "what was told left the group": (
        told("a"), standing("b"), HEARS_ALL, Reason.FIRST, "b", "", 4,
    ),
    "what was told left the group, and nothing fires": (
        told("a"), standing(""), HEARS_ALL, "nothing to tell", "", "", 3,
    ),
    "a former receiver hears nothing new": (
        told("a", ago=HOUR), standing("ab"), FORMER, "nothing new", "a", "", 3,
    ),
    "a former receiver hears the end": (
        told("a"), standing("b", "a"), FORMER, Reason.ALL_RESOLVED, "", "a", 3,
    ),
    "a former receiver hears no first": (
        None, standing("a"), FORMER, "nothing to tell", None, None, None,
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TABLE)
def test_each_case_has_its_reason(case: str) -> None:
    before, stands, terms, why, firing, resolved, generation = TABLE[case]
    verdict = dedup(before, stands, terms, NOW)
    assert (verdict.reason or verdict.why_not) == why
    assert (verdict.reason is None) == (not isinstance(why, Reason))
    after = verdict.told
    assert (after and "".join(sorted(after.firing))) == firing
    assert (after and "".join(sorted(after.resolved))) == resolved
    assert (after and after.generation) == generation


def test_only_what_is_told_starts_the_repeat_interval_anew() -> None:
    before = told("ab", ago=HOUR - 1)
    silent = dedup(before, standing("a", "b"), NO_ENDS, NOW)
    assert silent.told is not None
    assert silent.told.at == before.at
    assert dedup(silent.told, standing("a"), NO_ENDS, NOW + 1).reason is Reason.REPEAT
    spoken = dedup(before, standing("a", "b"), HEARS_ALL, NOW)
    assert spoken.told is not None
    assert spoken.told.at == NOW


def test_a_message_is_known_through_its_generation_and_not_beyond() -> None:
    same = dedup(told("a"), standing("ab"), HEARS_ALL, NOW).told
    new = dedup(told("", "a"), standing("a"), HEARS_ALL, NOW).told
    assert same is not None
    assert same.message == MESSAGE
    assert new is not None
    assert new.message is None


def test_what_is_left_out_is_owed_until_its_end_is_told_or_it_is_listed_again() -> None:
    def owed(before: Told, stands: Standing) -> str:
        after = dedup(before, stands, HEARS_ALL, NOW).told
        assert after is not None
        return "".join(sorted(after.owed))

    assert owed(told("a"), standing("b", silenced="a")) == "a"
    assert owed(told("ab"), standing("", "b", silenced="a")) == "a"
    assert owed(told("", "b", "a"), standing("c", "b", silenced="a")) == "a"
    assert owed(told("b", owed="a"), standing("bc", silenced="a")) == "a"
    assert owed(told("b", owed="a"), standing("b", "a")) == ""
    assert owed(told("", "b", "a"), standing("c", "a")) == ""
    assert owed(told("b", owed="a"), standing("ab")) == ""


def test_the_ends_that_are_news_are_named() -> None:
    verdict = dedup(told("ab", "c"), standing("a", "bcd"), HEARS_ALL, NOW)
    assert verdict.news == {"b"}
