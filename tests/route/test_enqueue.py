"""What is told, as rows: new ones, and what becomes of those that wait."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sre_obs.model.notification import Delivery, DeliveryKind, DeliveryState, Told
from sre_obs.model.outcome import MessageRef
from sre_obs.model.routing import Integration
from sre_obs.route.dedup import Reason
from sre_obs.route.enqueue import Telling, enqueue
from sre_obs.route.tree import Target
from tests.route.parts import CHAT, HOOK

NOW = 1000.0
READY, SENDING, AMBIGUOUS = DeliveryState.READY, DeliveryState.SENDING, DeliveryState.AMBIGUOUS
POSTED = MessageRef("C1", "1")


def telling(
    integration: Integration,
    reason: Reason,
    firing: str = "",
    resolved: str = "",
    *,
    news: str | None = None,
    generation: int = 1,
    message: MessageRef | None = POSTED,
    relisted: bool = True,
) -> Telling:
    receiver = integration.id.split("/")[0]
    return Telling(
        group="g",
        target=Target(receiver, integration),
        reason=reason,
        told=Told(NOW, frozenset(firing), frozenset(resolved), generation, message),
        firing=tuple(firing),
        news=tuple(resolved if news is None else news),
        resolved=tuple(resolved),
        relisted=relisted,
        drill=False,
        now=NOW,
    )


def row(number: int, kind: str, firing: str = "", resolved: str = "", **fields: Any) -> Delivery:
    defaults: dict[str, Any] = {
        "id": f"d{number}",
        "group": "g",
        "receiver": "r",
        "integration": "i",
        "reason": "first notification",
        "generation": 1,
        "created_at": 900.0,
        "due_at": 900.0,
    }
    return Delivery(
        number=number,
        kind=DeliveryKind(kind),
        firing=tuple(firing),
        resolved=tuple(resolved),
        **(defaults | fields),
    )


def shown(rows: tuple[Delivery, ...]) -> list[str]:
    """``5 post ready ab/c``: number, kind, state, firing, resolved."""
    return [
        f"{r.number} {r.kind} {r.state} {''.join(r.firing)}/{''.join(r.resolved)}" for r in rows
    ]


SLACK = {
    "the first of a generation is a post": (
        telling(CHAT, Reason.FIRST, "a", message=None), [], ["5 post ready a/"],
    ),
    "what waits of an earlier generation stays before it": (
        telling(CHAT, Reason.FIRST, "a", generation=2, message=None),
        [row(3, "update", "", "a"), row(4, "reply", "", "a")],
        ["5 post ready a/"],
    ),
    "later it is an edit": (
        telling(CHAT, Reason.NEW, "ab"), [], ["5 update ready ab/"],
    ),
    "all resolved is an edit and a reply": (
        telling(CHAT, Reason.ALL_RESOLVED, "", "ab"), [],
        ["5 update ready /ab", "6 reply ready /ab"],
    ),
    "a reminder is a reply": (
        telling(CHAT, Reason.REPEAT, "a", relisted=False), [], ["5 reply ready a/"],
    ),
    "a reminder that leaves one out is an edit as well": (
        telling(CHAT, Reason.REPEAT, "a"), [], ["5 update ready a/", "6 reply ready a/"],
    ),
    "an edit that waits gives way": (
        telling(CHAT, Reason.RESOLVED, "a", "b"),
        [row(3, "update", "ab")],
        ["3 update superseded ab/", "5 update ready a/b"],
    ),
    "a reminder that waits gives way to the end": (
        telling(CHAT, Reason.ALL_RESOLVED, "", "a"),
        [row(3, "reply", "a")],
        ["5 update ready /a", "3 reply superseded a/", "6 reply ready /a"],
    ),
    "an edit under way is followed by another": (
        telling(CHAT, Reason.NEW, "ab"),
        [row(3, "update", "a", state=SENDING)],
        ["5 update ready ab/"],
    ),
    "a post that waits says what is true now": (
        telling(CHAT, Reason.NEW, "ab", message=None),
        [row(3, "post", "a", attempts=4)],
        ["3 post ready ab/"],
    ),
    "a post that waits says that all resolved, and no reply is needed": (
        telling(CHAT, Reason.ALL_RESOLVED, "", "a", message=None),
        [row(3, "post", "a", attempts=1)],
        ["3 post ready /a"],
    ),
    "what waits behind such a post gives way": (
        telling(CHAT, Reason.ALL_RESOLVED, "", "ab", message=None),
        [row(3, "post", "a"), row(4, "update", "ab")],
        ["3 post ready /ab", "4 update superseded ab/"],
    ),
    "a post under way is followed": (
        telling(CHAT, Reason.ALL_RESOLVED, "", "a", message=None),
        [row(3, "post", "a", state=SENDING)],
        ["5 update ready /a", "6 reply ready /a"],
    ),
    "a post whose answer was lost is followed": (
        telling(CHAT, Reason.NEW, "ab", message=None),
        [row(3, "post", "a", state=AMBIGUOUS)],
        ["5 update ready ab/"],
    ),
    "without a message and a post there is nothing to edit": (
        telling(CHAT, Reason.RESOLVED, "a", "b", message=None), [], ["5 post ready a/b"],
    ),
}  # fmt: skip

WEBHOOK = {
    "each notification is a post": (
        telling(HOOK, Reason.NEW, "ab", "cd", news="d"), [], ["5 post ready ab/d"],
    ),
    "a reminder is a post": (
        telling(HOOK, Reason.REPEAT, "a", "b", news=""), [], ["5 post ready a/"],
    ),
    "one never tried gives way to one that adds to it": (
        telling(HOOK, Reason.NEW, "ab"),
        [row(3, "post", "a")],
        ["3 post superseded a/", "5 post ready ab/"],
    ),
    "and hands on the ends that it owes": (
        telling(HOOK, Reason.RESOLVED, "ab", "xy", news="y"),
        [row(3, "post", "a", "x")],
        ["3 post superseded a/x", "5 post ready ab/xy"],
    ),
    "firing, then resolved are both sent": (
        telling(HOOK, Reason.ALL_RESOLVED, "", "a"),
        [row(3, "post", "a")],
        ["5 post ready /a"],
    ),
    "resolved, then firing are both sent": (
        telling(HOOK, Reason.NEW, "ab"),
        [row(3, "post", "b", "a")],
        ["5 post ready ab/"],
    ),
    "one that was tried may have arrived": (
        telling(HOOK, Reason.NEW, "ab"),
        [row(3, "post", "a", attempts=1)],
        ["5 post ready ab/"],
    ),
    "one under way is followed": (
        telling(HOOK, Reason.NEW, "ab"),
        [row(3, "post", "a", state=SENDING)],
        ["5 post ready ab/"],
    ),
    "generations don't mix": (
        telling(HOOK, Reason.FIRST, "b", generation=2),
        [row(3, "post", "", "a")],
        ["5 post ready b/"],
    ),
    "only the last that waits gives way": (
        telling(HOOK, Reason.NEW, "ab"),
        [row(3, "post", "", "a"), row(4, "post", "a")],
        ["4 post superseded a/", "5 post ready ab/"],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", SLACK)
def test_on_slack(case: str) -> None:
    told, waiting, rows = SLACK[case]
    assert shown(enqueue(told, waiting, 5)) == rows


@pytest.mark.parametrize("case", WEBHOOK)
def test_to_a_webhook(case: str) -> None:
    told, waiting, rows = WEBHOOK[case]
    assert shown(enqueue(told, waiting, 5)) == rows


def test_what_a_receiver_asked_of_a_row_holds_for_the_one_that_replaces_it() -> None:
    waiting = [row(3, "update", "a", due_at=NOW + 90)]
    (_, new) = enqueue(telling(CHAT, Reason.NEW, "ab"), waiting, 5)
    assert new.due_at == NOW + 90


def test_a_post_brought_up_to_date_keeps_its_turn_and_its_reason_while_something_fires() -> None:
    waiting = row(3, "post", "a", due_at=NOW + 90, attempts=2)
    (same,) = enqueue(telling(CHAT, Reason.NEW, "ab", message=None), [waiting], 5)
    assert same == replace(waiting, firing=("a", "b"))
    (over,) = enqueue(telling(CHAT, Reason.ALL_RESOLVED, "", "a", message=None), [waiting], 5)
    assert (over.reason, over.due_at) == ("all resolved", NOW + 90)


def test_who_does_not_want_ends_gets_none_listed() -> None:
    quiet = replace(HOOK, send_resolved=False)
    (new,) = enqueue(telling(quiet, Reason.NEW, "a", "b"), [], 5)
    assert new.resolved == ()


def test_rows_have_ids_that_say_what_they_are() -> None:
    def ids(told: Telling, number: int) -> set[str]:
        return {r.id for r in enqueue(told, [], number)}

    one = telling(CHAT, Reason.ALL_RESOLVED, "", "a")
    assert ids(one, 5) == ids(one, 5)
    assert len(ids(one, 5)) == 2
    others = [
        ids(one, 7),
        ids(replace(one, group="h"), 5),
        ids(replace(one, told=replace(one.told, generation=2)), 5),
        ids(replace(one, target=Target("r", replace(CHAT, id="r/slack[1]"))), 5),
    ]
    for other in others:
        assert not other & ids(one, 5)
