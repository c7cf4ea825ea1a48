"""The least role in Elasticsearch that the daemon needs for the rules it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sre_obs.app.settings import Settings
from sre_obs.app.usecases.load import load_content


def roles(settings: Settings) -> Mapping[str, Mapping[str, Any]]:
    """Source -> the body of ``PUT /_security/role/sre-obs`` there; `default` at least.

    Raises SreObsError if rules or routes can't be loaded.
    """
    from sre_obs.evaluate.role import role_for

    rules = load_content(settings).rules
    names = {rule.source for rule in rules} or {"default"}
    return {name: role_for(rules, name) for name in sorted(names)}
