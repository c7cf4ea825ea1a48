"""What becomes of a delivery: nothing is lost, nothing is repeated without a reason."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_obs.model.notification import Delivery, DeliveryKind, DeliveryState, Told
from sre_obs.model.outcome import Answer, Failure, MessageRef, Verdict
from sre_obs.notify import retry
from sre_obs.notify.ports import Found
from tests.model.nouns import make_delivery, make_group

NOW = 1_000.0
HERE = MessageRef("C1", "999.000100")


def tried(attempts: int = 1, kind: DeliveryKind = DeliveryKind.POST, **fields: object) -> Delivery:
    """A delivery under way for the so-manieth time, since one second ago."""
    before = make_delivery(kind=kind, **fields)
    for _ in range(attempts):
        before = retry.claim(before, NOW - 1)
    return before


def after(
    verdict: Verdict, delivery: Delivery | None = None, jitter: float = 0.5, **answer: object
) -> Delivery:
    given_answer = Answer(verdict, **answer)  # type: ignore[arg-type]
    return retry.settle(delivery or tried(), given_answer, NOW, jitter)


def test_a_claim_counts_the_try_before_it_is_made() -> None:
    claimed = retry.claim(make_delivery(), NOW)
    assert (claimed.state, claimed.attempts) == (DeliveryState.SENDING, 1)
    assert claimed.started_at == NOW


def test_what_was_delivered_is_sent_and_knows_where() -> None:
    sent = after(Verdict.DELIVERED, message=HERE)
    assert sent.state is DeliveryState.SENT
    assert sent.message == HERE
    assert (sent.failure, sent.finished_at) == (Failure.NONE, NOW)


@pytest.mark.parametrize("seconds", [0.0, 1.0, 30.0, 600.0])
@pytest.mark.parametrize("attempts", [1, 9])
@pytest.mark.parametrize("jitter", [0.0, 0.999])
def test_a_429_is_followed_within_half_a_second_of_retry_after(
    seconds: float, attempts: int, jitter: float
) -> None:
    waiting = after(Verdict.RETRY, tried(attempts), jitter, retry_after=seconds)
    assert waiting.state is DeliveryState.READY
    assert seconds <= waiting.due_at - NOW <= seconds + 0.5


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(1, 1), (2, 2), (3, 4), (6, 32), (7, 60), (50, 60), (5_000, 60)]
)
def test_the_wait_doubles_up_to_a_minute(attempts: int, seconds: float) -> None:
    assert after(Verdict.RETRY, tried(attempts), 0.0).due_at == NOW + seconds
    assert after(Verdict.RETRY, tried(attempts), 0.999).due_at <= NOW + min(seconds * 1.25, 60)


def test_a_lost_answer_is_asked_for_soon() -> None:
    lost = after(Verdict.AMBIGUOUS, failure=Failure.TIMEOUT, detail="no answer in time")
    assert lost.state is DeliveryState.AMBIGUOUS
    assert NOW < lost.due_at <= NOW + 5
    assert (lost.failure, lost.detail) == (Failure.TIMEOUT, "no answer in time")


def test_an_edit_whose_answer_was_lost_is_just_repeated() -> None:
    lost = after(Verdict.AMBIGUOUS, tried(kind=DeliveryKind.UPDATE))
    assert lost.state is DeliveryState.READY
    assert not lost.may_repeat


def test_refused_content_is_sent_plain_at_once_and_given_up_after_that() -> None:
    plain = after(Verdict.CONTENT)
    assert (plain.state, plain.plain, plain.due_at) == (DeliveryState.READY, True, NOW)
    assert after(Verdict.CONTENT, replace(tried(2), plain=True)).state is DeliveryState.DEAD


@pytest.mark.parametrize("attempts", [1, 2, 5, 1_000])
def test_what_a_setting_refuses_is_kept_and_tried_rarely(attempts: int) -> None:
    kept = after(
        Verdict.REFUSED,
        tried(attempts),
        failure=Failure.CLIENT,
        detail="not_in_channel",
        remedy="/invite @sre-obs there",
    )
    assert kept.state is DeliveryState.READY
    assert 30 <= kept.due_at - NOW <= 300
    assert kept.detail == "not_in_channel; do: /invite @sre-obs there"


@pytest.mark.parametrize("kind", [DeliveryKind.UPDATE, DeliveryKind.REPLY])
def test_without_its_message_an_edit_or_a_reply_becomes_a_post(kind: DeliveryKind) -> None:
    anew = after(Verdict.MISSING, tried(kind=kind, message=HERE))
    assert (anew.kind, anew.state, anew.due_at) == (DeliveryKind.POST, DeliveryState.READY, NOW)
    assert anew.message is None


def test_a_post_that_lacks_a_message_is_kept_like_any_refusal() -> None:
    kept = after(Verdict.MISSING)
    assert (kept.kind, kept.state) == (DeliveryKind.POST, DeliveryState.READY)
    assert kept.due_at >= NOW + 30


@given(
    st.sampled_from(Verdict),
    st.sampled_from(DeliveryKind),
    st.booleans(),
    st.integers(1, 100),
    st.one_of(st.none(), st.floats(0, 3_600)),
    st.floats(0, 1, exclude_max=True),
)
def test_nothing_is_given_up_but_plain_content(
    verdict: Verdict,
    kind: DeliveryKind,
    plain: bool,
    attempts: int,
    retry_after: float | None,
    jitter: float,
) -> None:
    delivery = tried(attempts, kind, plain=plain)
    settled = after(verdict, delivery, jitter, retry_after=retry_after)
    assert settled.state is not DeliveryState.SENDING
    if settled.state is DeliveryState.DEAD:
        assert (verdict, plain) == (Verdict.CONTENT, True)
    if not settled.state.final:
        assert NOW <= settled.due_at <= NOW + 3_601
    if verdict in (Verdict.RETRY, Verdict.AMBIGUOUS, Verdict.REFUSED):
        assert settled.due_at > NOW


def test_after_a_crash_a_try_under_way_is_asked_for() -> None:
    found = retry.recover(tried(), NOW)
    assert found.state is DeliveryState.AMBIGUOUS
    assert NOW <= found.due_at <= NOW + retry.SETTLING


def test_after_a_crash_an_edit_under_way_is_repeated() -> None:
    assert retry.recover(tried(kind=DeliveryKind.UPDATE), NOW).state is DeliveryState.READY


def test_a_clock_that_stepped_back_does_not_hold_a_recovered_delivery() -> None:
    future = replace(tried(), started_at=NOW + 86_400)
    assert retry.recover(future, NOW).due_at <= NOW + retry.SETTLING


@pytest.mark.parametrize("state", [DeliveryState.READY, DeliveryState.AMBIGUOUS])
def test_a_crash_changes_nothing_that_was_not_under_way(state: DeliveryState) -> None:
    delivery = make_delivery(state=state)
    assert retry.recover(delivery, NOW) is delivery


LOST = after(Verdict.AMBIGUOUS, failure=Failure.TIMEOUT, detail="no answer in time")


def test_what_is_found_is_sent() -> None:
    sent = retry.reconciled(LOST, Found.at(HERE), NOW)
    assert (sent.state, sent.message) == (DeliveryState.SENT, HERE)
    assert (sent.failure, sent.detail) == (Failure.NONE, "")


def test_what_is_not_found_is_sent_again_without_a_doubt() -> None:
    again = retry.reconciled(LOST, Found.not_found(), NOW)
    assert (again.state, again.due_at) == (DeliveryState.READY, NOW)
    assert not again.may_repeat


def test_what_cannot_be_asked_is_sent_again_and_says_so() -> None:
    again = retry.reconciled(LOST, Found.cant_ask("missing_scope"), NOW)
    assert (again.state, again.due_at, again.may_repeat) == (DeliveryState.READY, NOW, True)
    assert again.detail == "can't ask: missing_scope"


def test_a_receiver_that_cannot_be_read_now_is_asked_later_and_more_and_more_rarely() -> None:
    waits = []
    now = NOW
    asked = LOST
    for _ in range(8):
        asked = retry.reconciled(asked, Found.later("HTTP 503"), now)
        assert asked.state is DeliveryState.AMBIGUOUS
        waits.append(asked.due_at - now)
        now = asked.due_at
    assert waits == sorted(waits)
    assert waits[0] >= 1
    assert waits[-1] == retry.ASK_MOST
    assert retry.reconciled(LOST, Found.later("429", 7.0), NOW).due_at == NOW + 7


def test_the_group_learns_where_its_message_is() -> None:
    told = Told(at=NOW, firing=frozenset(("a1",)), resolved=frozenset())
    group = make_group(told={"team/slack[0]": told})
    sent = after(Verdict.DELIVERED, message=HERE)
    assert retry.settled_group(group, sent).told["team/slack[0]"].message == HERE
    # Another generation's message is not this one's.
    later = make_group(told={"team/slack[0]": replace(told, generation=2)})
    assert retry.settled_group(later, sent) is later
    # A reply is not the group's message.
    reply = replace(sent, kind=DeliveryKind.REPLY)
    assert retry.settled_group(group, reply) is group
