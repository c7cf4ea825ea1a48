"""Receivers are written to no faster than they take it."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

from sre_obs.model.notification import Delivery, DeliveryKind
from sre_obs.model.outcome import Failure
from sre_obs.model.routing import Integration, WebhookIntegration
from sre_obs.model.secret import Secret
from sre_obs.notify import pace
from sre_obs.notify.pace import Pace
from tests.model.nouns import make_delivery
from tests.notify.notices import SLACK

START = 1_795_576_572.25


def row(number: int, kind: DeliveryKind = DeliveryKind.POST) -> Delivery:
    return make_delivery(number, group=f"g{number}", integration=SLACK.id, kind=kind)


def run(
    keeper: Pace, deliveries: list[Delivery], integration: Integration = SLACK
) -> list[tuple[float, str]]:
    """When each goes out if all are due at the start: as the daemon does it."""
    due = [(START, d) for d in deliveries]
    gone: list[tuple[float, str]] = []
    asked = 0
    while due:
        due.sort(key=lambda item: (item[0], item[1].number))
        now, delivery = due.pop(0)
        asked += 1
        free = keeper.next_free(integration, delivery, now)
        if free > now:
            due.append((free, delivery))
        else:
            keeper.took(integration, delivery, now)
            gone.append((now - START, delivery.id))
    assert asked < 5 * len(deliveries) + 10
    return gone


def test_a_channel_takes_a_short_burst_then_one_post_a_second() -> None:
    times = [at for at, _ in run(Pace(), [row(n) for n in range(10)])]
    assert times[:4] == [0, 0, 0, 0]
    assert all(0.99 < b - a < 1.01 for a, b in pairwise(times[3:]))


def test_who_waits_goes_in_turn() -> None:
    gone = run(Pace(), [row(n) for n in range(20)])
    assert [id_ for _, id_ in gone] == [f"d{n}" for n in range(20)]


def test_replies_share_the_channel_with_posts() -> None:
    mixed = [row(n, DeliveryKind.REPLY if n % 2 else DeliveryKind.POST) for n in range(6)]
    assert run(Pace(), mixed)[-1][0] > 1.9


def test_two_receivers_of_one_channel_share_its_pace() -> None:
    keeper, other = Pace(), replace(SLACK, id="platform/slack[0]")
    for n in range(4):
        keeper.took(SLACK, row(n), START)
    assert keeper.next_free(other, row(9), START) > START
    elsewhere = replace(SLACK, channel="#other")
    assert keeper.next_free(elsewhere, row(9), START) == START


def test_edits_keep_to_fifty_a_minute_in_a_workspace() -> None:
    edits = [row(n, DeliveryKind.UPDATE) for n in range(100)]
    times = [at for at, _ in run(Pace(), edits)]
    for start in range(100 - 61):
        within = [at for at in times if times[start] <= at < times[start] + 60]
        assert len(within) <= 50 + pace.EDIT_BURST


def test_one_message_is_edited_every_two_seconds_at_most() -> None:
    keeper, edit = Pace(), row(1, DeliveryKind.UPDATE)
    keeper.took(SLACK, edit, START)
    assert keeper.next_free(SLACK, edit, START + 0.5) == START + 2
    assert keeper.next_free(SLACK, row(2, DeliveryKind.UPDATE), START + 0.5) == START + 0.5


def test_retry_after_closes_the_channel_for_every_receiver_and_nothing_else() -> None:
    keeper, other = Pace(), replace(SLACK, id="platform/slack[0]")
    keeper.took(SLACK, row(1), START)
    keeper.close(SLACK, row(1), START + 7)
    assert keeper.next_free(other, row(2), START) >= START + 7
    assert keeper.closed_until(other, row(2)) == START + 7
    assert keeper.next_free(SLACK, row(1), START + 7) == START + 7
    assert keeper.next_free(SLACK, row(3, DeliveryKind.UPDATE), START) == START
    assert keeper.next_free(replace(SLACK, channel="#b"), row(4), START) == START


def test_who_was_told_when_to_come_back_is_not_held_by_a_queue() -> None:
    keeper = Pace()
    for n in range(4):
        keeper.took(SLACK, row(n), START)
    for n in range(10, 30):
        keeper.next_free(SLACK, row(n), START)
    limited = replace(row(3), failure=Failure.RATE_LIMITED)
    keeper.close(SLACK, limited, START + 1)
    assert keeper.next_free(SLACK, limited, START + 0.5) == START + 1
    assert keeper.next_free(SLACK, limited, START + 1.2) == START + 1.2


def test_a_shorter_retry_after_does_not_open_what_a_longer_one_closed() -> None:
    keeper = Pace()
    keeper.close(SLACK, row(1), START + 30)
    keeper.close(SLACK, row(2), START + 1)
    assert keeper.closed_until(SLACK, row(1)) == START + 30


def test_a_webhook_has_no_pace_but_can_be_closed() -> None:
    keeper = Pace()
    hook = WebhookIntegration("team/webhook[0]", Secret("http://127.0.0.1/"))
    assert run(keeper, [row(n) for n in range(50)], hook)[-1][0] == 0
    keeper.close(hook, row(1), START + 3)
    assert keeper.next_free(hook, row(1), START) == START + 3


def test_a_clock_that_steps_back_holds_nothing() -> None:
    keeper, edit, before = Pace(), row(1, DeliveryKind.UPDATE), START - 7_200
    for n in range(4):
        keeper.took(SLACK, row(n), START)
    keeper.took(SLACK, edit, START)
    assert keeper.next_free(SLACK, edit, before) == before
    keeper.close(replace(SLACK, channel="#b"), row(1), START)
    assert keeper.next_free(replace(SLACK, channel="#b"), row(1), before) == before
    free = keeper.next_free(SLACK, row(9), before)
    assert free <= before + 2
    assert keeper.next_free(SLACK, row(9), free) == free


def test_a_thousand_that_wait_do_not_come_back_all_at_once() -> None:
    keeper = Pace()
    for n in range(4):
        keeper.took(SLACK, row(n), START)
    times = [keeper.next_free(SLACK, row(n), START) for n in range(1_000)]
    assert len(set(times[:30])) == 30
    assert max(times) <= START + 32
