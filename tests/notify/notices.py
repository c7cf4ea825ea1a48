"""Notices for tests, around one story: sessions idle in transaction and killed pods."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sre_obs.model.alert import Alert, EndReason, Evidence
from sre_obs.model.notification import RISEN, Delivery, DeliveryKind, Group
from sre_obs.model.outcome import MessageRef
from sre_obs.model.routing import Integration, SlackIntegration
from sre_obs.model.secret import Secret
from sre_obs.notify.notice import Notice

# 2026-11-25 03:16:12 UTC
NOW = 1_795_576_572.0
URL = "https://alerts.example.com"

SLACK = SlackIntegration(
    id="payments/slack[0]", channel="#pay-alerts", token=Secret("xoxb-stand-in")
)


def idle_session(**fields: Any) -> Alert:
    """One alert of one rule, with everything that a rule can say."""
    defaults: dict[str, Any] = {
        "fingerprint": "3f1d0c2b9a887766",
        "labels": {
            "alertname": "idle",
            "application": "orders-api",
            "database": "pg-main",
            "severity": "critical",
            "team": "team-payments",
        },
        "annotations": {
            "title": "PostgreSQL session idle in transaction",
            "description": "It holds locks: 4 sessions wait.",
            "action": "terminate pid 13643, then fix the client",
            "runbook_url": "https://runbooks.example.com/pg/idle",
        },
        "starts_at": NOW - 240,
        "fired_at": NOW - 60,
        "updated_at": NOW,
        "rule": "postgresql/idle",
        "place": "rules/postgresql/idle.yml:9",
        "evidence": Evidence(
            value=912.0,
            limit=900.0,
            comparison=">=",
            unit="s",
            function="max",
            count=41,
            window=300.0,
            peak=912.0,
            documents=(
                {
                    "pid": "13643",
                    "user": "orders",
                    "state": "idle in transaction",
                    "state_change": "02:57:12Z",
                },
            ),
        ),
    }
    return Alert(**(defaults | fields))


def killed(number: int, **fields: Any) -> Alert:
    """One of a group: a container that ran out of memory."""
    defaults: dict[str, Any] = {
        "fingerprint": f"{number:016x}",
        "labels": {
            "alertname": "oom",
            "namespace": "shop",
            "pod": f"checkout-{number}",
            "severity": "warning",
            "team": "team-shop",
        },
        "annotations": {
            "title": "Container out of memory",
            "runbook_url": "https://runbooks.example.com/oom",
        },
        "starts_at": NOW - 600 + number,
        "fired_at": NOW - 500,
        "updated_at": NOW,
        "rule": "shop/oom",
        "place": "rules/shop/oom.yml:7",
        "evidence": Evidence(
            value=float(number + 2),
            limit=2.0,
            comparison=">=",
            unit="kills",
            function="count",
            count=number + 2,
            window=1800.0,
            peak=float(number + 3),
        ),
    }
    return Alert(**(defaults | fields))


def ended(alert: Alert, reason: EndReason = EndReason.UNDER_LIMIT) -> Alert:
    """That alert, over since now."""
    return replace(alert, ends_at=NOW, updated_at=NOW, ended=reason)


def silent(alert: Alert) -> Alert:
    """That alert, its stream silent for a minute and a half."""
    return replace(alert, stale_since=NOW - 90)


def notice(
    firing: tuple[Alert, ...] = (),
    resolved: tuple[Alert, ...] = (),
    *,
    labels: dict[str, str] | None = None,
    kind: DeliveryKind = DeliveryKind.POST,
    integration: Integration = SLACK,
    external_url: str = URL,
    message: MessageRef | None = None,
    now: float = NOW,
    **delivery: Any,
) -> Notice:
    """A first notification to #pay-alerts, unless told otherwise."""
    if kind is not DeliveryKind.POST and message is None:
        message = MessageRef("C0PAY", "1795576512.000100")
    row: dict[str, Any] = {
        "id": "7c1f0d9e-1",
        "number": 1,
        "group": "{}/{team=payments}:{alertname}",
        "receiver": "payments",
        "integration": integration.id,
        "kind": kind,
        "reason": "first notification",
        "firing": tuple(alert.fingerprint for alert in firing),
        "resolved": tuple(alert.fingerprint for alert in resolved),
        "generation": 1,
        "created_at": NOW,
        "due_at": NOW,
        "attempts": 1,
        "started_at": NOW,
    }
    made = Delivery(**(row | delivery))
    group = Group(
        key=made.group,
        route="{}",
        receiver=made.receiver,
        labels={"alertname": "idle"} if labels is None else labels,
        created_at=NOW - 60,
        flush_at=None,
    )
    return Notice(
        delivery=made,
        group=group,
        firing=firing,
        resolved=resolved,
        integration=integration,
        route="payments, routes.yml:14",
        external_url=external_url,
        now=now,
        message=message,
    )


def worse(alert: Alert) -> Alert:
    """That alert, a warning that has become critical."""
    return replace(alert, level=1)


SHOP = {"alertname": "oom", "namespace": "shop"}
GUIDED = {
    "title": "PostgreSQL session idle in transaction",
    "look": "pg_stat_activity, the sessions that wait for pid 13643",
    "action": "terminate pid 13643, then fix the client",
}

HOSTILE = idle_session(
    labels={
        "alertname": "idle",
        "severity": "critical",
        "application": "`<!channel>` \x1b[31mred\x1b[0m",
        "database": "*bold* _it_ ~no~ & </b>",
        "team": "<!here>",
    },
    annotations={
        "title": "<!channel> *now* :rotating_light: \u202egnp.exe `x`",
        "description": "line one\n> quoted <@U123> <https://evil.example|click>\x07",
        "action": "run `rm -rf` & <!subteam^S1>",
        "runbook_url": "javascript:alert(1)",
    },
    place="rules/<!everyone>.yml:1",
    evidence=Evidence(
        value=1.0,
        limit=2.0,
        unit="<!channel>",
        count=9,
        documents=({"me`ssage": "```\n<!channel> \x1b]0;title\x07 \ud800"}, {"a<b": "&amp;"}),
    ),
)

NAME = "checkout-" + "-".join(f"part{n:02}" for n in range(36))  # 300 characters and some
LONG = idle_session(
    labels={"alertname": NAME, "severity": "warning", "pod": NAME, "namespace": NAME},
    annotations={"title": f"Deployment of {NAME} fails", "description": f"{NAME} " * 20},
    place=f"rules/{NAME}.yml:7",
)

DOCUMENTS = idle_session(
    evidence=Evidence(
        value=3.0,
        limit=1.0,
        function="count",
        count=4_021,
        window=300.0,
        documents=tuple(
            {"@timestamp": f"2026-11-25T03:1{n}:00Z", "message": f"word{n} " * 200}
            for n in range(3)
        ),
    )
)

# Every state that a message can show: the goldens' cases.
CASES: dict[str, Notice] = {
    "firing": notice((idle_session(),)),
    "firing-group": notice(tuple(killed(n) for n in range(8)), labels=SHOP),
    "firing-without-page": notice((killed(1),), labels=SHOP, external_url="http://localhost:9093"),
    "firing-from-api": notice(
        (
            Alert(
                fingerprint="00000000000000aa",
                labels={
                    "alertname": "TargetDown",
                    "instance": "10.0.0.7:9100",
                    "job": "node",
                    "severity": "page",
                },
                annotations={"summary": "node exporter is down", "description": "No scrape."},
                starts_at=NOW - 90_000,
                fired_at=NOW - 90_000,
                updated_at=NOW,
                ends_at=NOW + 300,
            ),
        )
    ),
    "updated": notice(
        tuple(killed(n) for n in range(2)),
        tuple(ended(killed(n)) for n in range(2, 4)),
        labels=SHOP,
        kind=DeliveryKind.UPDATE,
        id="7c1f0d9e-2",
        reason="new alerts added",
    ),
    "partly-stale": notice((silent(killed(1)), killed(2)), labels=SHOP),
    "resolved": notice(
        (), (ended(idle_session()),), kind=DeliveryKind.UPDATE, reason="alert resolved"
    ),
    "resolved-group": notice(
        (),
        (ended(killed(0)), ended(killed(1), EndReason.GONE), ended(killed(2), EndReason.GONE)),
        labels=SHOP,
        kind=DeliveryKind.UPDATE,
    ),
    "resolved-reply": notice((), (ended(idle_session()),), kind=DeliveryKind.REPLY),
    "stale": notice((silent(idle_session()),), kind=DeliveryKind.UPDATE),
    "risen": notice((worse(idle_session()),), reason=RISEN),
    "risen-reply": notice((worse(idle_session()),), kind=DeliveryKind.REPLY, reason=RISEN),
    "risen-edit": notice((worse(idle_session()),), kind=DeliveryKind.UPDATE, reason=RISEN),
    "flapping": notice((idle_session(flapping=True, annotations=GUIDED),)),
    "flapping-group": notice(
        (killed(0, flapping=True), killed(1), killed(2, flapping=True)), labels=SHOP
    ),
    "drill": notice((idle_session(drill=True),), drill=True),
    "drill-resolved": notice(
        (), (ended(idle_session(drill=True)),), drill=True, kind=DeliveryKind.UPDATE
    ),
    "may-repeat": notice((idle_session(),), may_repeat=True, attempts=2),
    "plain": notice((idle_session(),), plain=True),
    "hostile": notice((HOSTILE, killed(1)), labels={"alertname": "<!channel>"}),
    "hostile-alone": notice((HOSTILE,)),
    "hostile-plain": notice((HOSTILE,), plain=True),
    "long-names": notice((LONG,), labels={"alertname": NAME}),
    "long-names-group": notice((LONG, killed(1)), labels={"namespace": NAME, "pod": NAME}),
    "long-documents": notice((DOCUMENTS,)),
    "forgotten": replace(notice((idle_session(),)), firing=()),
}
