"""An entity's state -> the alert that people see: labels, identity, annotations, evidence."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from sre_obs.evaluate.history import flapping
from sre_obs.evaluate.levels import Bound, bounds
from sre_obs.evaluate.ports import Renderer
from sre_obs.model.alert import Alert, EndReason, Evidence
from sre_obs.model.alert import fingerprint as hashed
from sre_obs.model.errors import TemplateError
from sre_obs.model.evaluation import EntityState
from sre_obs.model.expression import Name
from sre_obs.model.rule import Function, Measure, Rule, RuleKind, RuleState
from sre_obs.query.expression import write

_NONE: Mapping[str, float | None] = {}
RESERVED = ("alertname", "severity", "owner", "source")

VARIABLES = frozenset(
    (
        *("labels", "entity", "rule", "query", "documents"),
        *("value", "limit", "comparison", "unit", "function", "count", "window"),
        *("peak", "starts_at", "fired_at", "level", "measures", "variables"),
    )
)
"""What an annotation's template may use. `labels` are the alert's, `entity` maps a
`group_by` field's own name to its value, `rule` has id, slug, title, severity, owner and
runbook, `documents` is a list of field -> text; `value`, `limit` and `peak` are numbers or
none, `window` seconds, `starts_at` and `fired_at` seconds since the epoch. `level` is the
severity that it fires at, `limit` and `comparison` are those of that level; `measures` and
`variables` are the rule's, by name (a measure without documents is none)."""


def label_names(rule: Rule) -> dict[str, str]:
    """Which label each `group_by` field becomes.

    What Alertmanager's older clients don't take unquoted becomes an underscore:
    ``kubernetes.pod.name`` is ``kubernetes_pod_name``. A name that is taken (by the rule's
    own labels, or by another field) keeps its dots, or gets ``entity_`` in front.
    """
    taken = {*RESERVED, *rule.labels}
    names: dict[str, str] = {}
    for field in rule.group_by:
        plain = re.sub(r"[^a-zA-Z0-9_]", "_", field)
        if plain[:1].isdigit():
            plain = f"_{plain}"
        name = next(n for n in (plain, field, *_numbered(plain)) if n not in taken)
        taken.add(name)
        names[field] = name
    return names


def _numbered(plain: str) -> list[str]:
    return [f"{'entity_' * n}{plain}" for n in range(1, 20)]


def labels_of(rule: Rule, state: EntityState, names: Mapping[str, str]) -> dict[str, str]:
    """An alert's labels, as routes and silences match them; none is empty. `names` is what
    `label_names` says of the rule."""
    labels = dict(rule.labels)
    labels["alertname"] = rule.slug
    labels["severity"] = severity_of(rule, state)
    if rule.owner:
        labels["owner"] = rule.owner
    if rule.source != "default":
        labels["source"] = rule.source
    for field, name in names.items():
        labels[name] = state.entity.get(field, "")
    return {name: value for name, value in labels.items() if value}


def severity_of(rule: Rule, state: EntityState) -> str:
    """How bad an entity is by the level that it fires at."""
    if not (rule.levels or rule.tuned):
        return rule.severity
    return _bound(rule, state).severity


def _bound(rule: Rule, state: EntityState) -> Bound:
    levels = bounds(rule, state.entity)
    # The rule may have had more of them when it fired.
    return levels[min(state.level, len(levels) - 1)]


def identity(state: EntityState) -> str:
    """The fingerprint of the alert on an entity.

    By the rule and the entity alone: an alert whose severity rises, whose owner changes or
    whose rule gets a new label is the same alert, and is not told anew.
    """
    # No field has an empty name or one with a blank in front: none can meet these two.
    return hashed({"": state.rule, " key": state.key, **state.entity})


@dataclass(frozen=True, slots=True)
class Draft:
    """An alert whose annotations are not yet rendered."""

    rule: Rule
    alert: Alert
    entity: Mapping[str, str]


def draft(
    rule: Rule,
    state: EntityState,
    at: float,
    *,
    fingerprint: str,
    labels: Mapping[str, str],
    evidence: Evidence,
    known: Alert | None,
) -> Draft:
    """The alert of an entity that fires; `fingerprint` is its `identity`, `known` that alert
    before, if there was one."""
    assert state.fired_at is not None
    alert = Alert(
        fingerprint=fingerprint,
        labels=labels,
        annotations=known.annotations if known is not None else {},
        starts_at=state.since,
        fired_at=state.fired_at,
        updated_at=at,
        stale_since=state.stale_since,
        generator_url=known.generator_url if known is not None else "",
        rule=rule.id,
        place=f"{rule.location.file}:{rule.location.line}",
        shadow=rule.state is RuleState.SHADOW,
        evidence=evidence,
        level=state.level,
        flapping=flapping(rule, state.history),
    )
    return Draft(rule, alert, state.entity)


def ended(drafted: Draft, at: float, reason: EndReason) -> Draft:
    """The same alert, over."""
    alert = replace(drafted.alert, ends_at=at, ended=reason, stale_since=None, updated_at=at)
    return replace(drafted, alert=alert)


def evidence_of(
    rule: Rule,
    state: EntityState,
    *,
    count: int,
    request: str,
    documents: tuple[Mapping[str, str], ...],
    measures: Mapping[str, float | None] = _NONE,
) -> Evidence:
    """Why an entity fires: what was measured, against the limit of the level it fires at."""
    bound = _bound(rule, state)
    value, peak = state.value, state.peak
    limit: float | None = bound.limit
    comparison: str = bound.comparison.value
    unit = rule.threshold.unit
    function, window = measured_by(rule)
    match rule.kind:
        case RuleKind.QUERY:
            limit, comparison, function = None, "", "count"
            unit = unit or "documents"
        case RuleKind.ABSENCE:
            limit, comparison, unit, function = rule.window, ">=", "s", "absence"
        case RuleKind.STATE:
            # It is in that state or it is not: a "1, limit 1" tells nobody anything.
            value = peak = limit = None
            comparison, unit, function = "", "", "state"
        case RuleKind.THRESHOLD:
            pass
    return Evidence(
        value=value,
        limit=limit,
        comparison=comparison,
        unit=unit,
        function=function,
        count=count,
        window=window,
        peak=peak,
        documents=documents,
        query=rule.query.text,
        request=request,
        measures=measures,
    )


def measured_by(rule: Rule) -> tuple[str, float]:
    """What a threshold rule holds against its limit, as people read it (``max``, ``p95``, an
    expression over its measures), and over how many seconds."""
    if not rule.measures:
        threshold = rule.threshold
        return _function(threshold.function, threshold.percent), rule.window
    alone = _alone(rule)
    if alone is not None:
        return _function(alone.function, alone.percent), alone.window or rule.window
    return ("" if rule.value is None else write(rule.value)), rule.window


def _alone(rule: Rule) -> Measure | None:
    """The measure that is the rule's value as it stands."""
    if rule.value is None:
        return rule.measures[0] if len(rule.measures) == 1 else None
    if not isinstance(rule.value, Name):
        return None
    name = rule.value.name
    return next((measure for measure in rule.measures if measure.name == name), None)


def _function(function: Function, percent: float) -> str:
    return f"p{percent:g}" if function is Function.PERCENTILE else function.value


def annotate(drafts: Sequence[Draft], renderer: Renderer) -> tuple[list[Alert], dict[str, str]]:
    """The alerts with their annotations, and what went wrong: rule id -> words.

    `title` and `runbook_url` come from the rule unless its annotations say otherwise. An
    alert with a broken template is still an alert: the annotation says what is wrong.
    """
    jobs: list[tuple[str, Mapping[str, Any]]] = []
    places: list[tuple[int, str]] = []
    texts: list[dict[str, str]] = []
    for number, drafted in enumerate(drafts):
        rule = drafted.rule
        own = {"title": rule.title, "runbook_url": rule.runbook}
        texts.append({name: text for name, text in own.items() if text} | dict(rule.annotations))
        templates = {n: t for n, t in rule.annotations.items() if "{" in t}
        variables = _variables(drafted) if templates else {}
        for name, template in templates.items():
            jobs.append((template, variables))
            places.append((number, name))
    wrong: dict[str, str] = {}
    rendered = renderer.render(jobs) if jobs else []
    for (number, name), text in zip(places, rendered, strict=True):
        if isinstance(text, TemplateError):
            words = f"annotation {name}: {text.message}"
            wrong.setdefault(drafts[number].rule.id, words)
            text = f"({words})"
        texts[number][name] = text
    alerts = [
        replace(drafted.alert, annotations=own) for drafted, own in zip(drafts, texts, strict=True)
    ]
    return alerts, wrong


def _variables(drafted: Draft) -> dict[str, Any]:
    rule, alert = drafted.rule, drafted.alert
    evidence = alert.evidence
    return {
        "labels": dict(alert.labels),
        "entity": dict(drafted.entity),
        "rule": {
            "id": rule.id,
            "slug": rule.slug,
            "title": rule.title,
            "severity": rule.severity,
            "owner": rule.owner,
            "runbook": rule.runbook,
        },
        "query": evidence.query,
        "documents": [dict(document) for document in evidence.documents],
        "value": _whole(evidence.value),
        "limit": _whole(evidence.limit),
        "comparison": evidence.comparison,
        "unit": evidence.unit,
        "function": evidence.function,
        "count": evidence.count,
        "window": _whole(evidence.window),
        "peak": _whole(evidence.peak),
        "starts_at": alert.starts_at,
        "fired_at": alert.fired_at,
        "level": alert.labels.get("severity", ""),
        "measures": {name: _whole(number) for name, number in evidence.measures.items()},
        "variables": {
            name: given if isinstance(given, str) else _whole(given)
            for name, given in rule.variables.items()
        },
    }


def _whole(number: float | None) -> float | int | None:
    """``{{ value }}`` should read 912, not 912.0."""
    return int(number) if isinstance(number, float) and number.is_integer() else number
