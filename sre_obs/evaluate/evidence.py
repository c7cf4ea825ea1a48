"""A few documents for what newly fires: what a person would look up first."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sre_obs.evaluate.kinds.stream import Judgement
from sre_obs.evaluate.needs import Samples
from sre_obs.model.evaluation import EntityState
from sre_obs.model.rule import Rule

DOCUMENTS = 3
# So many entities of one rule are looked up in one evaluation. The others keep their
# value, limit and query, and get their documents in the evaluations that follow.
ENTITIES = 20
# And so many of all rules together: a bad minute must not ask for thousands of documents.
REQUESTS = 200
FIELDS = 30
TEXT = 200


def need(rule: Rule, state: EntityState, judgement: Judgement) -> Samples:
    """The newest documents that speak of the entity, with the rule's evidence fields."""
    return Samples(
        judgement.samples,
        judgement.filters,
        rule.group_by,
        state.key,
        fields(rule),
        DOCUMENTS,
    )


def fields(rule: Rule) -> tuple[str, ...]:
    """What is shown of a document: the rule's choice, else what the rule itself reads."""
    chosen = rule.evidence or (
        *rule.group_by,
        *(name for name in _read(rule) if "*" not in name),
        "message",
    )
    return tuple(dict.fromkeys(("@timestamp", *(name for name in chosen if name))))[:FIELDS]


def _read(rule: Rule) -> Iterator[str]:
    """The fields by which the rule judges its own stream."""
    yield from rule.query.fields
    yield rule.threshold.field
    for measure in rule.measures:
        if not measure.index:
            yield from (*measure.query.fields, measure.field)


def flat(document: Mapping[str, Any]) -> dict[str, str]:
    """A document as field -> text: dotted names, lists joined, long values cut."""
    found: dict[str, str] = {}
    _flatten(document, "", found)
    return dict(list(found.items())[:FIELDS])


def _flatten(value: Mapping[str, Any], prefix: str, found: dict[str, str]) -> None:
    for name, inner in value.items():
        if isinstance(inner, Mapping):
            _flatten(inner, f"{prefix}{name}.", found)
        elif inner is not None and inner != []:
            found[f"{prefix}{name}"] = _cut(_text(inner))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list | tuple):
        return ", ".join(_text(one) for one in value[:10])
    if isinstance(value, Mapping):
        flattened: dict[str, str] = {}
        _flatten(value, "", flattened)
        return " ".join(f"{name}={text}" for name, text in flattened.items())
    return str(value)


def _cut(text: str) -> str:
    return text if len(text) <= TEXT else text[: TEXT - 1] + "…"
