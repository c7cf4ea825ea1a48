"""The least role in Elasticsearch that the daemon needs for the rules it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sre_obs.app.settings import Settings
from sre_obs.app.usecases.load import load_content


def roles(settings: Settings) -> Mapping[str, Mapping[str, Any]]:
    """Source -> the body of ``PUT /_security/role/sre-obs`` there; without rules and Kibanas
    that of `default`.

    Raises SreObsError if rules or routes can't be loaded.
    """
    from sre_obs.evaluate.role import role_for, role_for_kibana

    rules = load_content(settings).rules
    kibanas = {name for name, source in settings.sources.items() if source.from_ == "kibana"}
    found = {rule.source: role_for(rules, rule.source) for rule in rules}
    found |= {name: role_for_kibana() for name in kibanas}
    return dict(sorted(found.items())) or {"default": role_for(rules)}
