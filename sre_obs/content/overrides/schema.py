"""The keys of `overrides.yml`."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sre_obs.content.rules.schema import (
    Back,
    Delay,
    Every,
    Flap,
    Forget,
    Levels,
    Owner,
    Query,
    Runs,
    Severity,
    Silent,
    Span,
    Stale,
    State,
    Variables,
)
from sre_obs.content.shape import Flag, Link, Many, Named, Number, Shape, TextMap, Words


class LimitShape(Shape):
    """What of a threshold can be tuned."""

    limit: Number | None = None
    clear: Number | None = None


class EntityShape(Shape):
    """Other numbers for the entities whose fields match."""

    match: Annotated[TextMap, Field(min_length=1, max_length=10)]
    limit: Number | None = None
    for_: Span | None = Field(None, alias="for")
    severity: Severity | None = None
    exclude: Flag = False


class OverrideShape(Shape):
    """New values of one rule, or of several."""

    from_: Back | None = Field(None, alias="from")
    interval: Every | None = None
    query_delay: Delay | None = None
    for_: Span | None = Field(None, alias="for")
    keep_firing_for: Span | None = None
    stale_after: Stale | None = None
    forget_after: Forget | None = None
    threshold: LimitShape | None = None
    levels: Levels | None = None
    runs: Runs | None = None
    flapping: Flap = None
    no_data: Silent | None = None
    variables: Variables | None = None
    exclude: Query | None = None
    entities: Annotated[Many[EntityShape], Field(max_length=1_000)] | None = None
    state: State | None = None
    severity: Severity | None = None
    owner: Owner | None = None
    runbook: Link | None = None
    labels: TextMap | None = None


class EnvironmentShape(Shape):
    """What holds in one environment alone."""

    variables: Variables = Field(default_factory=dict)
    rules: Named[OverrideShape] = Field(default_factory=dict)


class OverridesShape(EnvironmentShape):
    """The file."""

    environments: Named[EnvironmentShape] = Field(default_factory=dict)


WORDS = Words(
    "overrides",
    instead={
        "window": "write from: now-5m",
        "enabled": "write state: live or state: disabled",
        "disabled": "write state: disabled",
        "query": "write exclude, or a rule of your own",
        "env": "write environments",
        "environment": "write environments",
        "vars": "write variables",
        "overrides": "write rules",
    },
)
