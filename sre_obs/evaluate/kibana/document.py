"""One document of `.alerts-*` as a noun.

Rule types write dotted keys and nested objects, mixed: all is read as dotted. Values are
whatever telemetry put there, so that each is read by its type or not at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

# Of a document with thousands of fields (a security alert carries its event) only these
# are fetched.
FIELDS = (
    "@timestamp",
    "kibana.space_ids",
    "kibana.alert.*",
    "host.name",
    "service.name",
    "service.environment",
    "kubernetes.namespace",
    "kubernetes.pod.name",
    "kubernetes.node.name",
    "user.name",
)
LEFT_OUT = (
    "kibana.alert.rule.parameters",
    "kibana.alert.original_event",
    "kibana.alert.ancestors",
    "kibana.alert.context",
    "kibana.alert.rule.threat",
    "kibana.alert.flapping_history",
)
# Fields at the root that tell entities apart where a rule type has no grouping of its own.
ROOT = tuple(name for name in FIELDS if not name.startswith(("@", "kibana.")))
_TEXT = 2_000
# 1970 and the end of the calendar: what is not between them is no time of an alert.
_FIRST, _LAST = 0.0, 253_402_300_799.0


@dataclass(frozen=True, slots=True)
class KibanaAlert:
    """One alert as Kibana keeps it. Times are seconds since the epoch.

    `uuid` names one lifetime, (`space`, `rule_uuid`, `instance`) the thing that it is about.
    `seen_at` is the run that last wrote it; `grouping` maps fields to values.
    """

    uuid: str
    index: str
    status: str
    instance: str
    rule_uuid: str
    rule_name: str
    rule_type: str
    consumer: str
    spaces: tuple[str, ...]
    start: float
    seen_at: float
    end: float | None
    reason: str
    severity: str
    action_group: str
    tags: tuple[str, ...]
    grouping: Mapping[str, str]
    value: str
    threshold: str
    url: str
    docs_count: str
    workflow_status: str
    flapping: bool
    silenced: str  # why Kibana itself would tell nobody: "muted", "snoozed", "maintenance window"
    block: bool  # a building block of another alert

    @property
    def security(self) -> bool:
        """Whether it is one of the security solution's: those never recover."""
        return self.rule_type.startswith("siem.") or ".alerts-security." in self.index


def uuid_of(hit: Any) -> str:
    """The id of the alert that a hit is about, also where nothing else of it can be read."""
    if not isinstance(hit, Mapping):
        return ""
    source = hit.get("_source")
    own = flat(source).get("kibana.alert.uuid") if isinstance(source, Mapping) else None
    return _text(own) or _text(hit.get("_id"))


def read(hit: Any) -> KibanaAlert | None:
    """A hit of a search on `.alerts-*`; None for one that lacks what makes it an alert."""
    source = hit.get("_source") if isinstance(hit, Mapping) else None
    if not isinstance(source, Mapping):
        return None
    found = flat(source)

    def text(name: str) -> str:
        return _text(found.get(f"kibana.alert.{name}"))

    def at(name: str) -> float | None:
        return _moment(found.get(name))

    uuid = text("uuid") or _text(hit.get("_id"))
    rule_uuid, status = text("rule.uuid"), text("status")
    written = at("@timestamp")
    seen_at = at("kibana.alert.rule.execution.timestamp") or written
    start = at("kibana.alert.start") or at("kibana.alert.original_time") or written
    if not uuid or not rule_uuid or not status or seen_at is None or start is None:
        return None
    return KibanaAlert(
        uuid=uuid,
        index=_text(hit.get("_index")),
        status=status,
        instance=text("instance.id") or uuid,
        rule_uuid=rule_uuid,
        rule_name=text("rule.name"),
        rule_type=text("rule.rule_type_id"),
        consumer=text("rule.consumer"),
        spaces=_texts(found.get("kibana.space_ids")),
        start=start,
        seen_at=seen_at,
        end=at("kibana.alert.end"),
        reason=text("reason"),
        severity=text("severity").lower(),
        action_group=text("action_group"),
        tags=_texts(found.get("kibana.alert.rule.tags")),
        grouping=_grouping(found),
        value=text("evaluation.value") or text("evaluation.values"),
        threshold=text("evaluation.threshold"),
        url=text("url"),
        docs_count=text("suppression.docs_count"),
        workflow_status=text("workflow_status"),
        flapping=found.get("kibana.alert.flapping") is True,
        silenced=_silenced(found),
        block=bool(text("building_block_type") or text("group.index")),
    )


def flat(source: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Dotted name -> value; lists are left as they are."""
    found: dict[str, Any] = {}
    for name, value in source.items():
        if isinstance(value, Mapping):
            found.update(flat(value, f"{prefix}{name}."))
        else:
            found[f"{prefix}{name}"] = value
    return found


def _grouping(found: Mapping[str, Any]) -> dict[str, str]:
    prefix = "kibana.alert.grouping."
    grouping = {n.removeprefix(prefix): _text(v) for n, v in found.items() if n.startswith(prefix)}
    if not grouping:
        grouping = dict(_pairs(found.get("kibana.alert.group")))
    if not grouping:
        grouping = {name: _text(found[name]) for name in ROOT if name in found}
    return {name: value for name, value in grouping.items() if name and value}


def _pairs(group: Any) -> Iterator[tuple[str, str]]:
    for item in group if isinstance(group, Sequence) and not isinstance(group, str) else [group]:
        if isinstance(item, Mapping):
            yield _text(item.get("field")), _text(item.get("value"))


def _silenced(found: Mapping[str, Any]) -> str:
    if found.get("kibana.alert.muted") is True:
        return "muted"
    if found.get("kibana.alert.snoozed") is True:
        return "snoozed"
    return "in a maintenance window" if found.get("kibana.alert.maintenance_window_ids") else ""


def _text(value: Any) -> str:
    if isinstance(value, list):
        return ", ".join(_text(one) for one in value[:10])
    if value is None or isinstance(value, Mapping):
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    try:
        return str(value)[:_TEXT]
    except ValueError:  # a whole number with thousands of digits
        return ""


def _texts(value: Any) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(text for text in map(_text, values) if text)


def _moment(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        if isinstance(value, int | float):
            at = value / 1000
        elif isinstance(value, str) and (found := datetime.fromisoformat(value)).tzinfo:
            at = found.timestamp()
        else:
            return None
    except (ValueError, OverflowError):
        return None
    return at if _FIRST < at < _LAST else None
