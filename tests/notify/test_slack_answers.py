"""Each of Slack's answers leads to what must happen next, and names a remedy."""

from __future__ import annotations

import pytest

from sre_obs.model.notification import DeliveryKind
from sre_obs.model.outcome import Failure, Verdict
from sre_obs.notify.slack import classify_error, classify_status
from sre_obs.notify.transport import Fault, classify_fault, http_date, retry_after

POST, UPDATE, REPLY = DeliveryKind.POST, DeliveryKind.UPDATE, DeliveryKind.REPLY

RETRIED = ["ratelimited", "rate_limited", "service_unavailable", "request_timeout"]
CONTENT = [
    *("msg_too_long", "msg_blocks_too_long", "invalid_blocks", "invalid_attachments"),
    *("too_many_attachments", "no_text", "invalid_blocks_format", "metadata_too_large"),
]
CONFIG = ["channel_not_found", "not_in_channel", "is_archived", "missing_scope"]
AUTH = ["invalid_auth", "not_authed", "account_inactive", "token_revoked", "token_expired"]


@pytest.mark.parametrize("error", RETRIED)
def test_what_was_not_taken_is_tried_again(error: str) -> None:
    assert classify_error(error, POST).verdict is Verdict.RETRY


@pytest.mark.parametrize("error", ["internal_error", "fatal_error"])
def test_what_may_have_been_taken_is_asked_for(error: str) -> None:
    answer = classify_error(error, POST)
    assert (answer.verdict, answer.failure) == (Verdict.AMBIGUOUS, Failure.SERVER)


@pytest.mark.parametrize("error", CONTENT)
def test_refused_content_asks_for_the_plain_form(error: str) -> None:
    assert classify_error(error, POST).verdict is Verdict.CONTENT


@pytest.mark.parametrize("error", [*CONFIG, "restricted_action", "unheard_of_error"])
def test_a_setting_to_change_is_named_with_its_remedy(error: str) -> None:
    answer = classify_error(error, POST, channel="#pay-alerts", needed="chat:write")
    assert (answer.verdict, answer.failure) == (Verdict.REFUSED, Failure.CLIENT)
    assert answer.remedy
    assert error in answer.detail


@pytest.mark.parametrize("error", AUTH)
def test_a_bad_token_is_an_auth_error_with_a_remedy(error: str) -> None:
    answer = classify_error(error, POST)
    assert (answer.verdict, answer.failure) == (Verdict.REFUSED, Failure.AUTH)
    assert answer.remedy


def test_remedies_are_something_to_type() -> None:
    answer = classify_error("not_in_channel", POST, channel="#pay-alerts")
    assert answer.detail == "not_in_channel: @sre-obs is not in #pay-alerts"
    assert answer.remedy == "/invite @sre-obs there"
    scope = classify_error("missing_scope", POST, needed="chat:write")
    assert scope.remedy == "add the scope chat:write to the app and reinstall it"
    lost = classify_error("channel_not_found", POST, channel="#pay-alert")
    assert lost.detail == 'channel_not_found: no "#pay-alert"'


@pytest.mark.parametrize(
    "error", ["message_not_found", "cant_update_message", "edit_window_closed"]
)
def test_an_edit_whose_message_is_gone_says_so(error: str) -> None:
    assert classify_error(error, UPDATE).verdict is Verdict.MISSING
    assert classify_error(error, POST).verdict is Verdict.REFUSED


def test_a_reply_without_its_thread_says_so() -> None:
    assert classify_error("thread_not_found", REPLY).verdict is Verdict.MISSING


@pytest.mark.parametrize(
    ("status", "verdict", "failure"),
    [
        (429, Verdict.RETRY, Failure.RATE_LIMITED),
        (503, Verdict.AMBIGUOUS, Failure.SERVER),
        (408, Verdict.RETRY, Failure.SERVER),
        (500, Verdict.AMBIGUOUS, Failure.SERVER),
        (502, Verdict.AMBIGUOUS, Failure.SERVER),
        (504, Verdict.AMBIGUOUS, Failure.SERVER),
        (413, Verdict.CONTENT, Failure.CLIENT),
        (401, Verdict.REFUSED, Failure.AUTH),
        (403, Verdict.REFUSED, Failure.AUTH),
        (407, Verdict.REFUSED, Failure.AUTH),
        (404, Verdict.REFUSED, Failure.CLIENT),
        (302, Verdict.REFUSED, Failure.CLIENT),
    ],
)
def test_a_status_is_classified(status: int, verdict: Verdict, failure: Failure) -> None:
    answer = classify_status(status, 7.0)
    assert (answer.verdict, answer.failure) == (verdict, failure)
    assert bool(answer.remedy) == (verdict is Verdict.REFUSED)
    waits = verdict in (Verdict.RETRY, Verdict.AMBIGUOUS)
    assert answer.retry_after == (7.0 if waits else None)


@pytest.mark.parametrize("fault", Fault)
def test_only_what_can_have_left_us_is_ambiguous(fault: Fault) -> None:
    sent = {Fault.TIMEOUT, Fault.RESET, Fault.GARBLED}
    answer = classify_fault(fault, "slack.com")
    assert answer.verdict is (Verdict.AMBIGUOUS if fault in sent else Verdict.RETRY)
    assert answer.detail.startswith("slack.com: ")
    assert bool(answer.remedy) == (fault not in sent)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("1", 1.0),
        (" 30 ", 30.0),
        ("0.5", 0.5),
        ("-3", 0.0),
        ("1000000000", 3_600.0),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("", None),
        (None, None),
        ("Wed, 25 Nov 2026 03:16:22 GMT", 10.0),
        ("Wed, 25 Nov 2026 03:00:00 GMT", 0.0),
        ("Wed, 99 Nov 2026 03:00:00 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_and_never_more_than_an_hour(
    header: str | None, seconds: float | None
) -> None:
    assert retry_after(header, 1_795_576_572.0) == seconds


def test_a_date_is_held_against_the_answers_own() -> None:
    until, sent = "Wed, 25 Nov 2026 03:16:22 GMT", "Wed, 25 Nov 2026 03:16:20 GMT"
    assert retry_after(until, 5.0, sent) == 2.0
    assert http_date("never") is None
