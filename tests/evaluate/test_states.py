"""One entity from judgement to judgement, whatever their order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_obs.adapters.store.codec import dump_entity, load_entity
from sre_obs.evaluate.history import flapping
from sre_obs.evaluate.levels import bounds, fits
from sre_obs.evaluate.states import ALERTING, BEGUN, Truth, Verdict, step
from sre_obs.model.evaluation import EntityState, Phase
from sre_obs.model.rule import Comparison, Flapping, Level, Rule, RuleKind, Runs, Threshold, Tuned
from tests.evaluate.world import T0, rule

TRUTHS = st.lists(st.sampled_from(list(Truth)), max_size=40)
SECONDS = st.sampled_from([0.0, 60.0, 150.0, 300.0])
MINUTE = 60.0


def walk(truths: list[Truth], for_: float, keep: float) -> list[EntityState | None]:
    one = rule(for_=for_, keep_firing_for=keep)
    states: list[EntityState | None] = [None]
    for number, truth in enumerate(truths):
        verdict = Verdict('["a"]', truth, {"pod": "a"}, value=float(number))
        states.append(step(one, states[-1], verdict, T0 + 60 * number))
    return states


@given(TRUTHS, SECONDS, SECONDS)
def test_nothing_begins_or_ends_because_nothing_was_seen(
    truths: list[Truth], for_: float, keep: float
) -> None:
    states = walk(truths, for_, keep)
    for before, after, truth in zip(states, states[1:], truths, strict=False):
        if truth in (Truth.STALE, Truth.INSUFFICIENT):
            assert (before is None) == (after is None)
            if before is not None and after is not None:
                assert (before.phase, before.since) == (after.phase, after.since)
                assert before.fired_at == after.fired_at


@given(TRUTHS, SECONDS, SECONDS)
def test_an_alert_starts_when_it_was_first_true_and_fires_when_for_is_over(
    truths: list[Truth], for_: float, keep: float
) -> None:
    for number, state in enumerate(walk(truths, for_, keep)):
        if state is None:
            continue
        assert state.phase in BEGUN
        assert truths[round(state.since - T0) // 60] is Truth.TRUE
        alerting = state.phase in ALERTING
        assert (state.fired_at is not None) == alerting
        if state.fired_at is not None:
            assert state.fired_at - state.since >= for_
            assert state.fired_at <= T0 + 60 * (number - 1)


@given(TRUTHS, SECONDS)
def test_keeping_lasts_no_longer_than_it_was_told(truths: list[Truth], keep: float) -> None:
    states = walk(truths, 0.0, keep)
    for number, (state, truth) in enumerate(zip(states[1:], truths, strict=True)):
        if state is not None and state.phase is Phase.KEEPING and truth is Truth.FALSE:
            assert 0 < T0 + 60 * number - state.last_true_at < keep


@pytest.mark.parametrize("unknown", [Truth.STALE, Truth.INSUFFICIENT])
def test_what_could_not_be_told_uses_up_no_time_of_keeping(unknown: Truth) -> None:
    states = walk([Truth.TRUE, *[unknown] * 9, Truth.FALSE, Truth.FALSE, Truth.FALSE], 0.0, 150.0)
    phases = [state.phase if state is not None else None for state in states]
    kept = [Phase.KEEPING, Phase.KEEPING, None]
    assert phases == [None, *[Phase.FIRING] * 10, *kept]


# Sequences, a letter a run: "-" false, "a" the base level holds, "b" the first further one
# too, "c" the second; "s" stale, "i" insufficient.

LEVELS = ("warning", "critical", "fatal")


def levels(*fors: float, **changes: object) -> Rule:
    """A rule with as many levels, each of them with its `for` in minutes."""
    further = tuple(
        Level(severity, limit=90.0 + number, for_=60 * minutes)
        for number, (severity, minutes) in enumerate(zip(LEVELS[1:], fors[1:], strict=False))
    )
    return rule(
        threshold=Threshold(comparison=Comparison.GTE, limit=80.0),
        for_=60 * fors[0],
        levels=further,
        **changes,
    )


def verdict(letter: str, count: int) -> Verdict:
    told = {"-": Truth.FALSE, "s": Truth.STALE, "i": Truth.INSUFFICIENT}
    if letter in told:
        return Verdict('["a"]', told[letter])
    worst = ord(letter) - ord("a")
    holding = tuple(n <= worst for n in range(count)) if count > 1 else ()
    return Verdict('["a"]', Truth.TRUE, {"pod": "a"}, value=90.0 + worst, levels=holding)


def played(one: Rule, text: str, *, restarting: bool = False) -> list[EntityState | None]:
    """The states after each run; `restarting`: through the disk between any two."""
    states: list[EntityState | None] = []
    state: EntityState | None = None
    for number, letter in enumerate(text):
        if restarting and state is not None:
            state = load_entity(dump_entity(state))
        state = step(one, state, verdict(letter, 1 + len(one.levels)), T0 + MINUTE * number)
        states.append(state)
    return states


def seen(one: Rule, text: str) -> str:
    """What people see after each run: "." nothing, "p" pending, else the level's number;
    with a "~" behind it while it flaps."""
    return "".join(_seen(one, state) for state in played(one, text))


def _seen(one: Rule, state: EntityState | None) -> str:
    if state is None or state.phase is Phase.OK:
        return "."
    if state.phase is Phase.PENDING:
        return "p"
    return str(state.level) + ("~" if flapping(one, state.history) else "")


@pytest.mark.parametrize(
    ("fors", "text", "wanted"),
    [
        ((0, 0), "aabba-", "00110."),
        ((0, 2), "abbbba-", "000110."),
        ((3, 1), "abbb", "pp11"),
        ((3, 1), "bbbba-", "p1110."),
        ((3, 0), "ab-ab-", "p1.p1."),
        ((2, 2), "bbb", "pp1"),
        ((0, 2), "babb", "0000"),
        ((0, 2), "babbb", "00001"),
        ((0, 1, 2), "cccca-", "01220."),
        ((9, 9, 0), "cba-", "210."),
        ((2, 2), "bssiib", "ppppp1"),
        ((0, 0), "bsib", "1111"),
        ((0, 0), "asib", "0001"),
        ((0, 0), "-b-", ".1."),
    ],
)
def test_an_alert_fires_at_the_worst_level_that_held_for_its_for_and_falls_at_once(
    fors: tuple[float, ...], text: str, wanted: str
) -> None:
    assert seen(levels(*fors), text) == wanted


def test_it_is_one_episode_however_it_rises_and_falls() -> None:
    states = played(levels(1, 0), "aabbabs")
    assert {(state.since, state.fired_at) for state in states[1:] if state} == {(T0, T0 + MINUTE)}


def test_an_alert_that_is_kept_firing_keeps_its_level_and_comes_back_at_what_holds() -> None:
    one = levels(0, 2, keep_firing_for=180.0)
    assert seen(one, "bbb--ab") == "0011100"
    assert seen(one, "bbb--bb-") == "00111111"
    assert seen(one, "bbb---bb") == "00111.00"


def test_levels_that_differ_by_time_alone_hold_for_kinds_that_know_none() -> None:
    one = rule(kind=RuleKind.ABSENCE, levels=(Level("critical", for_=120.0), Level("x", limit=3.0)))
    state = None
    for number in range(3):
        state = step(one, state, Verdict('["a"]', Truth.TRUE, {"pod": "a"}), T0 + 60 * number)
    assert state is not None
    assert state.level == 1


def test_a_rule_that_gets_or_loses_levels_keeps_its_alerts() -> None:
    plain, worse = levels(0), levels(0, 1)
    state = step(plain, None, verdict("a", 1), T0)
    for at, one, wanted in ((60, worse, 0), (120, worse, 1), (180, plain, 0)):
        state = step(one, state, verdict("b", 1 + len(one.levels)), T0 + at)
        assert state is not None
        assert (state.level, state.fired_at) == (wanted, T0)
    assert state is not None
    assert state.since_levels == ()


@pytest.mark.parametrize(
    ("runs", "for_", "text", "wanted"),
    [
        (Runs(3, 5), 0, "a-a-a", "....0"),
        (Runs(3, 5), 0, "aa--a-", "....0."),
        (Runs(3, 5), 0, "aa---a", "......"),
        (Runs(2, 3), 0, "aa-a-a--", ".000.0.."),
        (Runs(2, 2), 2, "aaaa", ".pp0"),
        (Runs(2, 3), 2, "aa-aa", ".pp00"),
        (Runs(2, 3), 0, "aisa", "...0"),
        (Runs(2, 3), 0, "aass-i", ".00000"),
    ],
)
def test_a_rule_with_runs_is_true_while_n_of_the_last_m_runs_were(
    runs: Runs, for_: float, text: str, wanted: str
) -> None:
    assert seen(levels(for_, runs=runs), text) == wanted


def test_a_level_of_a_rule_with_runs_holds_while_n_of_the_last_m_runs_reached_it() -> None:
    assert seen(levels(0, 0, runs=Runs(2, 3)), "abababaa") == ".0010100"


def test_what_is_on_its_way_to_n_of_m_is_remembered_until_it_can_not_count() -> None:
    states = played(levels(0, runs=Runs(2, 3)), "a---")
    assert [state is None for state in states] == [False, False, False, True]


DAMPED = {"flapping": Flapping(changes=4, runs=10, calm=3)}


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        # The fourth change is an end: it is held, until it was false three times.
        ("a-a---", "0.00~0~."),
        ("a-a-a---", "0.00~0~0~0~."),
        # Long calm: its changes are forgotten, and it ends at once.
        ("a-a-aaaaaaaaaaaaa-", "0.0" + "0~" * 8 + "0" * 6 + "."),
        # It goes on flapping as long as it would have fired and ended.
        ("a-" * 8, "0.0" + "0~" * 13),
        # Runs that can't tell are no calm.
        ("a-a-sisisi--", "0.0" + "0~" * 8 + "."),
        ("a-a-sisisi-", "0.0" + "0~" * 8),
    ],
)
def test_an_alert_that_flaps_is_kept_until_it_is_calm(text: str, wanted: str) -> None:
    assert seen(levels(0, **DAMPED), text) == wanted


def test_what_is_kept_for_its_history_is_forgotten_with_its_last_change() -> None:
    states = played(levels(0, **DAMPED), "-a" + "-" * 12)
    assert [state is not None for state in states] == [False, *[True] * 11, False, False]
    assert states[5] is not None
    assert states[5].phase is Phase.OK


def test_an_entity_that_never_fired_keeps_no_history() -> None:
    one = levels(5, **DAMPED)
    states = played(one, "aa-")
    assert [state.history for state in states if state] == ["", ""]
    assert states[-1] is None
    assert all(state is None for state in played(one, "----"))


@dataclass(frozen=True)
class Case:
    """A rule and what came, a letter a run."""

    rule: Rule
    text: str


MINUTES = st.sampled_from([0, 1, 3])


@st.composite
def cases(draw: st.DrawFn) -> Case:
    fors = draw(st.lists(MINUTES, min_size=1, max_size=3))
    one = levels(
        *fors,
        keep_firing_for=60.0 * draw(MINUTES),
        runs=draw(st.sampled_from([None, Runs(1, 1), Runs(2, 3), Runs(3, 5)])),
        flapping=draw(st.sampled_from([None, Flapping(), Flapping(3, 8, 2), Flapping(2, 4, 6)])),
    )
    letters = "-si" + "abc"[: len(fors)]
    return Case(one, draw(st.text(letters, max_size=40)))


@given(cases())
def test_a_restart_between_any_two_runs_changes_nothing(case: Case) -> None:
    assert played(case.rule, case.text, restarting=True) == played(case.rule, case.text)


@given(cases())
def test_an_alert_ends_in_a_run_that_was_false_and_in_no_other(case: Case) -> None:
    before: EntityState | None = None
    for letter, after in zip(case.text, played(case.rule, case.text), strict=True):
        alerting = after is not None and after.phase in ALERTING
        if before is not None and before.phase in ALERTING and not alerting:
            assert letter == "-"
        if before is not None and after is not None and letter in "si":
            assert replace(after, stale_since=before.stale_since) == before
        before = after


@given(cases())
def test_the_severity_is_never_above_what_held_for_its_for_in_this_episode(case: Case) -> None:
    held: list[float | None] = [None] * len(bounds(case.rule, {}))
    highest = -1
    states = played(case.rule, case.text)
    for number, (letter, state) in enumerate(zip(case.text, states, strict=True)):
        if state is None or state.phase not in BEGUN:
            held, highest = [None] * len(held), -1
            continue
        at = T0 + MINUTE * number
        if letter not in "si":
            holding = _holding(case, number)
            held = [
                (at if since is None else since) if holds else None
                for since, holds in zip(held, holding, strict=True)
            ]
            for level, (since, bound) in enumerate(zip(held, bounds(case.rule, {}), strict=True)):
                if since is not None and at - since >= bound.for_:
                    highest = max(highest, level)
        if state.phase is Phase.PENDING:
            assert highest == -1
            assert state.fired_at is None
        else:
            assert state.level <= highest
            assert state.fired_at is not None


def _holding(case: Case, number: int) -> Sequence[bool]:
    """Which levels hold at that run, n of m counted by hand."""
    ran = [letter for letter in case.text[: number + 1] if letter not in "si"]
    runs = case.rule.runs or Runs(1, 1)
    return [
        sum(letter != "-" and letter >= wanted for letter in ran[-runs.of :]) >= runs.hits
        for wanted in "abc"[: 1 + len(case.rule.levels)]
    ]


@given(cases())
def test_nothing_is_kept_of_what_was_fine_for_long(case: Case) -> None:
    calm = "-" * 30
    assert played(case.rule, case.text + calm)[-1] is None


# Entities with numbers of their own


def test_an_entity_that_is_tuned_has_its_own_limit_for_and_severity_and_no_levels() -> None:
    one = replace(
        levels(5, 1),
        threshold=Threshold(limit=80.0, clear=75.0),
        tuned=(
            Tuned({"pod": "batch-*"}, limit=95.0, severity="info"),
            Tuned({"pod": "*"}, for_=0.0),
        ),
    )
    (batch,) = bounds(one, {"pod": "batch-7"})
    assert (batch.severity, batch.limit, batch.clear, batch.for_) == ("info", 95.0, 90.0, 300.0)
    (other,) = bounds(one, {"pod": "shop"})
    assert (other.severity, other.limit, other.for_) == ("warning", 80.0, 0.0)
    assert [bound.severity for bound in bounds(replace(one, tuned=()), {})] == [
        "warning",
        "critical",
    ]
    state = step(one, None, verdict("b", 2), T0)
    assert state is not None
    assert (state.phase, state.level, state.since_levels) == (Phase.FIRING, 0, ())


def test_a_level_is_cleared_where_it_says_or_where_it_is_entered() -> None:
    one = rule(
        threshold=Threshold(limit=80.0, clear=75.0),
        levels=(
            Level("critical", for_=60.0),
            Level("fatal", limit=90.0),
            Level("x", 95.0, clear=1),
        ),
    )
    found = [(bound.limit, bound.clear) for bound in bounds(one, {})]
    assert found == [(80.0, 75.0), (80.0, 75.0), (90.0, None), (95.0, 1)]


@pytest.mark.parametrize(
    ("pattern", "text", "wanted"),
    [
        ("batch-*", "batch-1", True),
        ("batch-*", "batch", False),
        ("*", "", True),
        ("a*a", "a", False),
        ("a*b*c", "a-b-b-c", True),
        ("a*b*c", "a-c-b", False),
        ("*a*a*", "-a-", False),
        ("a.c", "abc", False),
        ("", "", True),
        ("", "a", False),
        ("*" * 200 + "b", "a" * 5_000, False),
    ],
)
def test_a_star_is_any_text_and_nothing_else_is(pattern: str, text: str, wanted: bool) -> None:
    assert fits(pattern, text) is wanted
