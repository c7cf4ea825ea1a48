"""A Kibana alert's labels, annotations, links and identity, in the words of ours.

Labels: ``alertname`` (the rule's name), ``rule_uuid``, ``rule_type``, ``space``,
``severity``, ``instance``, ``source``, a label for each field of its grouping, and the
rule's tags: ``team: payments`` is ``team="payments"``, a bare ``shop`` is
``tag_shop="true"``. Tags take no name that is taken.
"""

from __future__ import annotations

import re
from urllib.parse import quote, urlencode

from sre_obs.evaluate.kibana.document import KibanaAlert
from sre_obs.evaluate.kibana.standing import Kind, Options, Standing
from sre_obs.model.alert import Alert, fingerprint

UUID = "kibana_uuid"
"""The annotation that holds the lifetime's id; alerts from the API have no such end."""

# Those of an alert that stay while its values move; only they are news.
_VOLATILE = ("summary", "value", "threshold", "docs_count", "rule_revision")
_BURN_RATES = {"alert": "critical", "high": "high", "medium": "medium", "low": "low"}
# How bad the words are that Kibana's rule types use; a rise is told, a fall shown.
_RANKS = {"info": 0, "low": 0, "warning": 1, "minor": 1, "medium": 1, "major": 2, "high": 2}
_WORST = 3
_LABELS = 60  # a rule with hundreds of tags must not make an alert that nobody can read


def identity(alert: KibanaAlert, source: str) -> str:
    """The fingerprint: by space, rule and instance alone, since severity, tags and the
    lifetime's id change while people see one alert."""
    # No label has an empty name or one with a blank in front.
    return fingerprint(
        {
            "": f"kibana/{source}",
            " space": space_of(alert),
            " rule": alert.rule_uuid,
            " instance": alert.instance,
        }
    )


def space_of(alert: KibanaAlert) -> str:
    """The space that the alert is in; of one in all of them the default one."""
    first = alert.spaces[0] if alert.spaces else "default"
    return "default" if first == "*" else first


def severity_of(alert: KibanaAlert, default: str) -> str:
    """Its own severity, else what its action group means, else the source's default."""
    if alert.severity:
        return alert.severity
    group = alert.action_group
    if group.startswith("slo.burnRate."):
        return _BURN_RATES.get(group.rpartition(".")[2], default)
    if group == "metrics.threshold.warning" or group.endswith(".nodata"):
        return "warning"
    return default


def alert_of(alert: KibanaAlert, standing: Standing, options: Options, now: float) -> Alert:
    """The alert as it is told. It fires until Kibana says otherwise."""
    start = min(alert.start, now)
    severity = severity_of(alert, options.severity)
    return Alert(
        fingerprint=identity(alert, options.source),
        labels=labels_of(alert, options),
        annotations=annotations_of(alert, standing, options),
        starts_at=start,
        fired_at=start,
        updated_at=now,
        generator_url=link(alert, options.url),
        shadow=standing.kind is Kind.HELD,
        level=_WORST if severity == "critical" else _RANKS.get(severity, 0),
    )


def labels_of(alert: KibanaAlert, options: Options) -> dict[str, str]:
    """What routes and silences match; none is empty."""
    labels = {
        "alertname": alert.rule_name or alert.rule_uuid,
        "rule_uuid": alert.rule_uuid,
        "rule_type": alert.rule_type,
        "space": space_of(alert),
        "severity": severity_of(alert, options.severity),
        "instance": alert.instance,
        "source": options.source,
    }
    for field, value in sorted(alert.grouping.items()):
        labels.setdefault(_label(field), value)
    for tag in alert.tags:
        name, colon, value = tag.partition(":")
        if colon and name.strip() and value.strip():
            labels.setdefault(_label(name.strip()), value.strip())
        elif tag.strip():
            labels.setdefault(f"tag_{_label(tag.strip())}", "true")
    return {name: value for name, value in list(labels.items())[:_LABELS] if value}


def annotations_of(alert: KibanaAlert, standing: Standing, options: Options) -> dict[str, str]:
    """What people read."""
    words = {
        "title": alert.rule_name,
        "summary": alert.reason,
        "value": alert.value,
        "threshold": alert.threshold,
        "url": link(alert, options.url),
        "rule_url": rule_link(alert, options.url),
        "docs_count": alert.docs_count,
        "flapping": "true" if alert.flapping else "",
        "held": standing.why if standing.kind is Kind.HELD else "",
        "workflow": alert.workflow_status if alert.workflow_status != "open" else "",
        UUID: alert.uuid,
    }
    return {name: text for name, text in words.items() if text}


def same(alert: Alert, known: Alert) -> bool:
    """Whether nothing but values moved: those do at every run."""
    return (
        alert.labels == known.labels
        and alert.level == known.level
        and alert.shadow == known.shadow
        and alert.stale_since == known.stale_since
        and _steady(alert) == _steady(known)
    )


def link(alert: KibanaAlert, base: str) -> str:
    """Where people look at it, as far as Kibana's address is known."""
    own = alert.url if alert.url.startswith(("http://", "https://")) else ""
    if own or not base:
        return own
    if alert.security:
        query = urlencode({"index": alert.index, "timestamp": _iso(alert.seen_at)})
        path = f"/app/security/alerts/redirect/{quote(alert.uuid, safe='')}?{query}"
    elif alert.consumer == "stackAlerts" or alert.rule_type.startswith("."):
        return rule_link(alert, base)
    else:
        path = f"/app/observability/alerts/{quote(alert.uuid, safe='')}"
    return _in_space(alert, base) + path


def rule_link(alert: KibanaAlert, base: str) -> str:
    """Where people look at its rule."""
    if not base:
        return ""
    id_ = quote(alert.rule_uuid, safe="")
    if alert.security:
        return f"{_in_space(alert, base)}/app/security/rules/id/{id_}"
    return f"{_in_space(alert, base)}/app/management/insightsAndAlerting/triggersActions/rule/{id_}"


def _in_space(alert: KibanaAlert, base: str) -> str:
    space = space_of(alert)
    base = base.rstrip("/")
    return base if space == "default" else f"{base}/s/{quote(space, safe='')}"


def _steady(alert: Alert) -> dict[str, str]:
    return {name: text for name, text in alert.annotations.items() if name not in _VOLATILE}


def _label(name: str) -> str:
    plain = re.sub(r"[^a-zA-Z0-9_]", "_", name)
    return f"_{plain}" if plain[:1].isdigit() else plain


def _iso(at: float) -> str:
    from datetime import UTC, datetime

    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
