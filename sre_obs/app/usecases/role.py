"""The least role in Elasticsearch that the daemon needs for the rules it runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sre_obs.app.settings import Settings
from sre_obs.app.usecases.load import load_content


def role(settings: Settings) -> Mapping[str, Any]:
    """The body of ``PUT /_security/role/sre-obs``."""
    from sre_obs.evaluate.role import role_for

    return role_for(load_content(settings).rules)
