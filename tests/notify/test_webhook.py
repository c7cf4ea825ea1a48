"""Alertmanager's webhook body, byte for byte, and what an answer to it means."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from sre_obs.model.outcome import Failure, Verdict
from sre_obs.model.routing import WebhookIntegration
from sre_obs.model.secret import Secret
from sre_obs.notify.webhook import NO_END, classify_status, render, rfc3339
from tests.conftest import Golden
from tests.notify.notices import CASES, NOW, SHOP, ended, killed, notice

HOOK = WebhookIntegration("payments/webhook[0]", Secret("http://127.0.0.1/"))


@pytest.mark.parametrize("case", ["firing", "updated", "resolved-group", "hostile", "may-repeat"])
def test_the_body_is_as_its_golden_says(case: str, golden: Golden) -> None:
    body = json.loads(render(replace(CASES[case], integration=HOOK)).body)
    golden("notify", case, "webhook.json", json.dumps(body, indent=1) + "\n")


def test_what_fires_has_no_end_and_what_resolved_has_one() -> None:
    made = notice((killed(1),), (ended(killed(2)),), labels=SHOP, integration=HOOK)
    body = json.loads(render(made).body)
    assert body["status"] == "firing"
    firing, resolved = body["alerts"]
    assert (firing["status"], firing["endsAt"]) == ("firing", NO_END)
    assert (resolved["status"], resolved["endsAt"]) == ("resolved", rfc3339(NOW))


def test_common_labels_are_those_of_every_alert() -> None:
    body = json.loads(render(notice((killed(1), killed(2)), integration=HOOK)).body)
    assert body["commonLabels"] == {
        "alertname": "oom",
        "namespace": "shop",
        "severity": "warning",
        "team": "team-shop",
    }
    assert json.loads(render(notice(integration=HOOK)).body)["commonLabels"] == {}


def test_max_alerts_keeps_the_first_and_counts_the_rest() -> None:
    few = replace(HOOK, max_alerts=2)
    made = notice((killed(1),), tuple(ended(killed(n)) for n in (2, 3, 4)), integration=few)
    body = json.loads(render(made).body)
    assert [alert["status"] for alert in body["alerts"]] == ["firing", "resolved"]
    assert body["truncatedAlerts"] == 2


def test_each_try_of_a_delivery_has_the_same_idempotency_key() -> None:
    keys = {
        render(notice((killed(1),), attempts=n, integration=HOOK)).headers["Idempotency-Key"]
        for n in (1, 2)
    }
    assert keys == {"7c1f0d9e-1"}


@pytest.mark.parametrize(
    ("status", "verdict", "failure"),
    [
        (200, Verdict.DELIVERED, Failure.NONE),
        (204, Verdict.DELIVERED, Failure.NONE),
        (301, Verdict.REFUSED, Failure.CLIENT),
        (400, Verdict.REFUSED, Failure.CLIENT),
        (401, Verdict.REFUSED, Failure.AUTH),
        (404, Verdict.REFUSED, Failure.CLIENT),
        (408, Verdict.RETRY, Failure.SERVER),
        (429, Verdict.RETRY, Failure.RATE_LIMITED),
        (500, Verdict.RETRY, Failure.SERVER),
        (503, Verdict.RETRY, Failure.SERVER),
    ],
)
def test_a_status_is_classified(status: int, verdict: Verdict, failure: Failure) -> None:
    answer = classify_status(status, "the body", 9.0)
    assert (answer.verdict, answer.failure) == (verdict, failure)
    if verdict is Verdict.RETRY:
        assert answer.retry_after == 9.0
    if verdict is not Verdict.DELIVERED:
        assert answer.detail == f"HTTP {status}: the body"
    assert bool(answer.remedy) == (verdict is Verdict.REFUSED)


def test_times_are_rfc_3339_and_impossible_ones_do_no_harm() -> None:
    assert rfc3339(NOW + 0.125) == "2026-11-25T03:16:12.125Z"
    assert rfc3339(1e30) == NO_END
