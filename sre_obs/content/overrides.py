"""`overrides.yml`: tunes rules for one place without forking their files.

::

    rules:
      "postgresql/*":            # an id, or a pattern of ids; what comes later wins
        interval: 30s
      postgresql/pg-deadlocks:
        threshold: {limit: 10}
        labels: {team: payments}
        state: shadow

Labels are added to the rule's own; every other key replaces the rule's value.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Annotated, Any

from pydantic import Field

from sre_obs.content import yaml
from sre_obs.content.mistakes import shown
from sre_obs.content.rules.build import check_times
from sre_obs.content.rules.schema import DAY, Every, Severity, Span, State
from sre_obs.content.shape import (
    Duration,
    Named,
    Number,
    Shape,
    Text,
    TextMap,
    Window,
    Words,
    read_shape,
)
from sre_obs.content.yaml import Document, Map, Node
from sre_obs.model.problem import Location, Problem
from sre_obs.model.problem import Severity as ProblemSeverity
from sre_obs.model.rule import Rule, RuleKind


class LimitShape(Shape):
    """What of a threshold can be tuned."""

    limit: Number


class OverrideShape(Shape):
    """New values of one rule, or of several."""

    from_: Annotated[Window, Field(ge=1, le=30 * DAY)] | None = Field(None, alias="from")
    interval: Every | None = None
    query_delay: Annotated[Duration, Field(le=3_600)] | None = None
    for_: Span | None = Field(None, alias="for")
    keep_firing_for: Span | None = None
    stale_after: Annotated[Duration, Field(ge=1, le=30 * DAY)] | None = None
    threshold: LimitShape | None = None
    state: State | None = None
    severity: Severity | None = None
    owner: Annotated[Text, Field(max_length=200)] | None = None
    labels: TextMap | None = None


class OverridesShape(Shape):
    """The file."""

    rules: Named[OverrideShape] = Field(default_factory=dict)


_WORDS = Words(
    "overrides",
    instead={
        "limit": "write threshold: {limit: ...}",
        "window": "write from: now-5m",
        "enabled": "write state: live or state: disabled",
        "disabled": "write state: disabled",
    },
)
_RENAMED = {"from_": "window"}


@dataclass(frozen=True, slots=True)
class Override:
    """New values (field of `Rule` -> value) of the rules whose id matches `pattern`."""

    pattern: str
    values: Mapping[str, Any]
    document: Document
    location: Location
    limit: float | None = None
    labels: Mapping[str, str] | None = None


def load_overrides(path: Path, *, name: str = "") -> tuple[tuple[Override, ...], list[Problem]]:
    """The overrides of a file in its order; none of them if the file has an error."""
    return _read(*yaml.load(path, name=name))


def parse_overrides(
    text: str | bytes, file: str = "overrides.yml"
) -> tuple[tuple[Override, ...], list[Problem]]:
    """The overrides of a text."""
    return _read(*yaml.parse(text, file))


def apply_overrides(
    rules: Sequence[Rule], overrides: Sequence[Override]
) -> tuple[tuple[Rule, ...], list[Problem]]:
    """The tuned rules, and what is wrong: an override that no rule matches (a warning, since
    the rule may come with the next version), a limit for a rule that has none."""
    problems: list[Problem] = []
    used: set[int] = set()
    tuned = []
    for rule in rules:
        matching = [o for o in overrides if fnmatchcase(rule.id, o.pattern)]
        used.update(map(id, matching))
        for override in matching:
            rule = _apply(rule, override, problems)
        tuned.append(rule)
        if matching:
            last = matching[-1]
            problems += check_times(rule, last.location, last.document)
    for override in overrides:
        if id(override) not in used:
            message = f"no rule has the id {shown(override.pattern)}"
            remedy = "write <service>/<slug>, as the rule's folder and file are called"
            problems.append(
                override.document.problem(
                    "overrides/unknown-rule",
                    override.location,
                    message,
                    remedy,
                    ProblemSeverity.WARNING,
                )
            )
    return tuple(tuned), problems


def tune(rule: Rule, document: Document, block: Node) -> tuple[Rule, list[Problem]]:
    """The rule as one block of new values makes it: a node of `document` that could stand
    under the rule's id in overrides.yml."""
    above = Map(block.start, block.end)
    rules = Map(block.start, block.end)
    rules[rule.id], rules.keys_at[rule.id] = block, (block.start, block.end)
    above["rules"], above.keys_at["rules"] = rules, (block.start, block.end)
    around = Document(document.file, document.text)
    around.root = above
    overrides, problems = _read(around, [])
    (tuned,), wrong = apply_overrides((rule,), overrides)
    return tuned, problems + wrong


def _apply(rule: Rule, override: Override, problems: list[Problem]) -> Rule:
    values = dict(override.values)
    if override.labels:
        values["labels"] = {**rule.labels, **override.labels}
    if override.limit is not None:
        if rule.kind is RuleKind.THRESHOLD:
            values["threshold"] = replace(rule.threshold, limit=override.limit)
        elif override.pattern == rule.id:
            message = f"{rule.id} is of kind {rule.kind} and has no limit"
            problems.append(
                override.document.problem(
                    "overrides/wrong-value", override.location, message, "remove threshold"
                )
            )
    return replace(rule, **values)


def _read(
    document: Document, problems: list[Problem]
) -> tuple[tuple[Override, ...], list[Problem]]:
    shape, wrong = read_shape(document, OverridesShape, _WORDS)
    problems = problems + wrong
    if shape is None or any(p.severity is ProblemSeverity.ERROR for p in problems):
        return (), problems
    assert isinstance(document.root, Map)
    block = document.root.get("rules")
    found = []
    for pattern, tuned in shape.rules.items():
        assert isinstance(block, Map)
        values = {
            _RENAMED.get(name, name): getattr(tuned, name)
            for name in tuned.model_fields_set
            if name not in ("threshold", "labels")
        }
        place = document.key(block, pattern)
        limit = tuned.threshold.limit if tuned.threshold else None
        found.append(Override(pattern, values, document, place, limit, tuned.labels))
    return tuple(found), problems
