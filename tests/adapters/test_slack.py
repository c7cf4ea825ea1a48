"""The real slack_sdk against the stand-in: each try posts once, and can be asked for."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from sre_obs.adapters.clock import SystemClock
from sre_obs.adapters.slack import SlackIdentity, SlackSender
from sre_obs.app.demo.slack_standin import Fault, StandIn
from sre_obs.model.notification import DeliveryKind, Told
from sre_obs.model.outcome import Answer, Failure, MessageRef, Verdict
from sre_obs.model.routing import SlackIntegration
from sre_obs.model.secret import Secret
from sre_obs.notify.notice import Notice
from sre_obs.notify.ports import Found, Search
from tests.notify.notices import ended, idle_session, killed, notice

POST, UPDATE = "chat.postMessage", "chat.update"
HISTORY, REPLIES, LIST = "conversations.history", "conversations.replies", "conversations.list"

Make = Callable[..., Notice]


@pytest.fixture(autouse=True)
def _no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def slack() -> Iterator[StandIn]:
    with StandIn(["pay-alerts", "other"]) as standin:
        yield standin


@pytest.fixture
def integration(slack: StandIn) -> SlackIntegration:
    return SlackIntegration(
        "payments/slack[0]", "#pay-alerts", Secret("xoxb-stand-in"), slack.api_url
    )


@pytest.fixture
def sender(integration: SlackIntegration) -> SlackSender:
    return SlackSender(integration, timeout=2)


@pytest.fixture
def firing(integration: SlackIntegration) -> Make:
    """Makes notices that start now, since the stand-in's clock is the machine's."""

    def make(*alerts: Any, **fields: Any) -> Notice:
        now = SystemClock().now()
        defaults = {"integration": integration, "now": now, "started_at": now, "created_at": now}
        return notice(alerts or (idle_session(),), **(defaults | fields))

    return make


def test_a_post_arrives_once_and_is_told_where(
    slack: StandIn, sender: SlackSender, firing: Make
) -> None:
    answer = sender.send(firing())
    (message,) = slack.messages("pay-alerts")
    assert answer == Answer(Verdict.DELIVERED, message=MessageRef(message.channel, message.ts))
    assert message.metadata["event_payload"]["delivery_id"] == "7c1f0d9e-1"
    assert message.text.startswith("CRITICAL PostgreSQL session idle in transaction")


def test_an_edit_changes_the_message_and_a_reply_answers_it(
    slack: StandIn, sender: SlackSender, firing: Make
) -> None:
    posted = sender.send(firing()).message
    over = (ended(idle_session()),)
    for kind in (DeliveryKind.UPDATE, DeliveryKind.REPLY):
        made = replace(firing(kind=kind, message=posted), firing=(), resolved=over)
        assert sender.send(made).verdict is Verdict.DELIVERED
    first, reply = slack.messages()
    assert first.text.startswith("RESOLVED")
    assert (reply.thread_ts, reply.broadcast) == (first.ts, False)


def test_the_plain_form_replaces_blocks(slack: StandIn, sender: SlackSender, firing: Make) -> None:
    posted = sender.send(firing()).message
    sender.send(firing(kind=DeliveryKind.UPDATE, message=posted, plain=True))
    (message,) = slack.messages()
    assert message.blocks == ()
    assert "terminate pid" in message.text


@pytest.mark.parametrize(
    ("fault", "verdict", "failure"),
    [
        (Fault.rate_limited(3), Verdict.RETRY, Failure.RATE_LIMITED),
        (Fault.refused("ratelimited"), Verdict.RETRY, Failure.RATE_LIMITED),
        (Fault.http(503), Verdict.AMBIGUOUS, Failure.SERVER),
        (Fault.http(500), Verdict.AMBIGUOUS, Failure.SERVER),
        (Fault.refused("internal_error"), Verdict.AMBIGUOUS, Failure.SERVER),
        (Fault.refused("invalid_blocks"), Verdict.CONTENT, Failure.CLIENT),
        (Fault.refused("not_in_channel"), Verdict.REFUSED, Failure.CLIENT),
        (Fault.refused("token_revoked"), Verdict.REFUSED, Failure.AUTH),
        (Fault.garbled(), Verdict.AMBIGUOUS, Failure.OTHER),
        (Fault.drop(after=False), Verdict.AMBIGUOUS, Failure.OTHER),
    ],
)
def test_a_fault_is_answered_after_one_call(
    slack: StandIn,
    sender: SlackSender,
    firing: Make,
    fault: Fault,
    verdict: Verdict,
    failure: Failure,
) -> None:
    slack.fail_next(POST, fault)
    answer = sender.send(firing())
    assert (answer.verdict, answer.failure) == (verdict, failure)
    assert len(slack.calls) == 1
    assert answer.detail
    assert "xoxb" not in f"{answer.detail}{answer.remedy}"


def test_retry_after_is_read(slack: StandIn, sender: SlackSender, firing: Make) -> None:
    slack.fail_next(POST, Fault.rate_limited(7))
    assert sender.send(firing()).retry_after == 7.0


def test_a_silent_slack_costs_the_timeout_and_is_ambiguous(
    slack: StandIn, integration: SlackIntegration, firing: Make
) -> None:
    slack.fail_next(POST, Fault.hang(30))
    answer = SlackSender(integration, timeout=1).send(firing())
    assert (answer.verdict, answer.failure) == (Verdict.AMBIGUOUS, Failure.TIMEOUT)


def test_nobody_listening_is_not_ambiguous(integration: SlackIntegration, firing: Make) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        nowhere = replace(integration, api_url=f"http://127.0.0.1:{port}/api/")
        answer = SlackSender(nowhere).send(firing())
    assert answer.verdict is Verdict.RETRY
    assert answer.detail == f"127.0.0.1:{port}: can't be reached"


def test_an_unknown_host_is_named(integration: SlackIntegration, firing: Make) -> None:
    nowhere = replace(integration, api_url="http://slack.invalid/api/")
    answer = SlackSender(nowhere).send(firing())
    assert answer.verdict is Verdict.RETRY
    assert answer.detail == "slack.invalid: its host name is unknown"


def test_an_edit_of_a_message_that_is_gone_or_unknown_asks_for_a_post(
    slack: StandIn, sender: SlackSender, firing: Make
) -> None:
    posted = sender.send(firing()).message
    assert posted is not None
    gone = replace(posted, ts="1.000000")
    edit = firing(kind=DeliveryKind.UPDATE, message=gone)
    assert sender.send(edit).verdict is Verdict.MISSING
    assert sender.send(replace(edit, message=None)).verdict is Verdict.MISSING
    reply = firing(kind=DeliveryKind.REPLY, message=gone)
    assert sender.send(reply).verdict is Verdict.MISSING


# Asking for what may have arrived.


@pytest.mark.parametrize(
    "fault",
    [
        Fault.drop(after=True),
        Fault.http(500, after=True),
        Fault.refused("internal_error", after=True),
        Fault.slow(5),
    ],
)
def test_what_was_taken_but_not_answered_is_found_and_posted_once(
    slack: StandIn, integration: SlackIntegration, firing: Make, fault: Fault
) -> None:
    slack.fail_next(POST, fault)
    made = firing()
    assert SlackSender(integration, timeout=1).send(made).verdict is Verdict.AMBIGUOUS
    # A process that starts anew knows the channel's name only.
    found = SlackSender(integration).find(made)
    (message,) = slack.messages()
    assert found == Found.at(MessageRef(message.channel, message.ts))


@pytest.mark.parametrize("fault", [Fault.drop(after=False), Fault.http(500)])
def test_what_was_not_taken_is_known_not_to_be_there(
    slack: StandIn, sender: SlackSender, firing: Make, fault: Fault
) -> None:
    slack.fail_next(POST, fault)
    made = firing()
    sender.send(made)
    assert sender.find(made) == Found.not_found()


def test_another_delivery_of_the_same_words_is_not_taken_for_it(
    slack: StandIn, sender: SlackSender, firing: Make
) -> None:
    sender.send(firing(id="another"))
    assert sender.find(firing()) == Found.not_found()


def test_a_lost_reply_is_found_in_its_thread(
    slack: StandIn, sender: SlackSender, firing: Make
) -> None:
    posted = sender.send(firing()).message
    slack.fail_next(POST, Fault.drop(after=True))
    reply = firing(kind=DeliveryKind.REPLY, message=posted, id="reply-1")
    assert sender.send(reply).verdict is Verdict.AMBIGUOUS
    found = sender.find(reply)
    assert found == Found.at(MessageRef(slack.messages()[1].channel, slack.messages()[1].ts))


def test_it_is_found_below_many_newer_messages_even_if_clocks_differ_by_an_hour(
    slack: StandIn, sender: SlackSender, firing: Make
) -> None:
    slack.fail_next(POST, Fault.drop(after=True))
    made = firing()
    sender.send(made)
    for n in range(450):
        slack.person_says("pay-alerts", f"chatter {n}")
    ahead = replace(
        made,
        now=made.now + 3_600,
        delivery=replace(made.delivery, started_at=made.now + 3_600),
    )
    assert sender.find(ahead).search is Search.FOUND
    assert sender.find(made).search is Search.FOUND


def test_history_is_not_read_back_further_than_the_try(
    slack: StandIn, sender: SlackSender, firing: Make
) -> None:
    for n in range(650):
        slack.person_says("pay-alerts", f"chatter {n}")
    later = firing()
    future = replace(later, delivery=replace(later.delivery, started_at=later.now + 120))
    assert sender.find(future) == Found.not_found()
    assert sum(call.method == HISTORY for call in slack.calls) == 1


@pytest.mark.parametrize("scope", ["channels:history", "channels:read"])
def test_without_the_scope_it_cannot_be_asked_and_says_which(
    slack: StandIn, sender: SlackSender, firing: Make, scope: str
) -> None:
    slack.workspace.scopes.discard(scope)
    found = sender.find(firing())
    assert found.search is Search.CANT_ASK
    assert "missing_scope" in found.reason
    assert scope.partition(":")[0] in found.reason


def test_a_channel_known_from_a_message_needs_no_list_of_channels(
    slack: StandIn, sender: SlackSender, firing: Make, integration: SlackIntegration
) -> None:
    slack.workspace.scopes.discard("channels:read")
    channel = slack.workspace.find("pay-alerts").id
    made = firing()
    told = Told(1.0, frozenset(), frozenset(), message=MessageRef(channel, "1.0"))
    known = replace(made, group=replace(made.group, told={integration.id: told}))
    assert sender.find(known) == Found.not_found()
    by_id = SlackSender(replace(integration, channel=channel))
    assert by_id.find(made) == Found.not_found()
    assert not [call for call in slack.calls if call.method == LIST]


def test_a_channel_that_is_not_listed_cannot_be_asked(
    slack: StandIn, integration: SlackIntegration, firing: Make
) -> None:
    found = SlackSender(replace(integration, channel="#nowhere")).find(firing())
    assert found.search is Search.CANT_ASK
    assert "#nowhere" in found.reason


@pytest.mark.parametrize(
    ("fault", "seconds"),
    [
        (Fault.rate_limited(9), 9.0),
        (Fault.http(500), None),
        (Fault.drop(after=False), None),
        (Fault.refused("token_revoked"), None),
    ],
)
def test_a_slack_that_cannot_be_read_now_is_asked_later(
    slack: StandIn, sender: SlackSender, firing: Make, fault: Fault, seconds: float | None
) -> None:
    slack.fail_next(HISTORY, fault)
    found = sender.find(firing())
    assert (found.search, found.retry_after) == (Search.LATER, seconds)


# Who the token is.


def test_a_token_says_who_it_is_and_what_it_may(sender: SlackSender) -> None:
    who = sender.check(1.0)
    assert isinstance(who, SlackIdentity)
    assert (who.team, who.user) == ("Stand-in", "sre-obs")
    assert "chat:write" in who.scopes
    assert who.can_be_asked


def test_a_bad_token_says_what_to_do(integration: SlackIntegration) -> None:
    bad = SlackSender(replace(integration, token=Secret("xoxb-wrong")))
    answer = bad.check(1.0)
    assert isinstance(answer, Answer)
    assert (answer.verdict, answer.failure) == (Verdict.REFUSED, Failure.AUTH)
    assert answer.remedy


def test_a_group_of_hostile_alerts_is_taken_as_it_is(
    slack: StandIn, sender: SlackSender, firing: Make
) -> None:
    hostile = idle_session(annotations={"title": "<!channel> \ud800\x1b[31m"})
    assert sender.send(firing(hostile, killed(1))).verdict is Verdict.DELIVERED
    (message,) = slack.messages()
    assert "&lt;!channel&gt; \ufffd and 1 more" in message.text


def test_proxies_of_the_environment_are_honoured(
    integration: SlackIntegration, firing: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "")
    elsewhere = replace(integration, api_url="https://slack.invalid/api/")
    answer = SlackSender(elsewhere).send(firing())
    assert answer.detail == "slack.invalid: can't be reached"
