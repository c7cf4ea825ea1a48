"""Documents as Kibana writes them to `.alerts-*`, for tests."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any


def iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def hit(at: float, **changes: Any) -> dict[str, Any]:
    """A hit of an active alert of a custom threshold rule, whose run was at `at`.

    `changes` are dotted fields of `kibana.alert` with underscores doubled for dots
    (``rule__uuid``); one that is None is left out.
    """
    alert: dict[str, Any] = {
        "kibana.alert.uuid": "u-1",
        "kibana.alert.instance.id": "host-a",
        "kibana.alert.status": "active",
        "kibana.alert.start": iso(at),
        "kibana.alert.reason": "CPU is 0.97, above the threshold of 0.9",
        "kibana.alert.evaluation.value": 0.97,
        "kibana.alert.evaluation.threshold": 0.9,
        "kibana.alert.action_group": "custom_threshold.fired",
        "kibana.alert.flapping": False,
        "kibana.alert.workflow_status": "open",
        "kibana.alert.rule": {
            "name": "CPU of hosts",
            "uuid": "r-1",
            "rule_type_id": "observability.rules.custom_threshold",
            "consumer": "infrastructure",
            "tags": ["team: payments", "shop", "severity: none"],
        },
        "kibana.alert.rule.execution.timestamp": iso(at),
        "kibana.space_ids": ["default"],
        "kibana": {"alert": {"grouping": {"host": {"name": "host-a"}}}},
        "@timestamp": iso(at),
    }
    for name, value in changes.items():
        field = name.replace("__", ".")
        dotted = field if field.startswith(("@", "kibana")) else f"kibana.alert.{field}"
        if dotted.startswith("kibana.alert.rule.") and dotted.count(".") == 3:
            alert["kibana.alert.rule"] = {
                **alert["kibana.alert.rule"],
                dotted.rpartition(".")[2]: value,
            }
        elif value is None:
            alert.pop(dotted, None)
        else:
            alert[dotted] = value
    index = alert.pop(
        "kibana._index", ".internal.alerts-observability.threshold.alerts-default-000001"
    )
    return {"_id": alert["kibana.alert.uuid"], "_index": index, "_source": alert}
