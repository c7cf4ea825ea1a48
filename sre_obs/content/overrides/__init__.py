"""`overrides.yml`: tunes rules for one place without forking their files.

::

    variables: {max_connections: 200}   # of every rule that has the variable
    rules:
      "postgresql/*":                   # an id, or a pattern of ids; what comes later wins
        interval: 30s
      postgresql/pg-deadlocks:
        threshold: {limit: 10}
        labels: {team: payments}
        exclude: "postgresql.database.name: test-*"
        entities:                       # the first that matches an entity counts
          - {match: {postgresql.database.name: batch-*}, limit: 20}
    environments:
      staging:                          # on top, where the setting `environment` is staging
        variables: {max_connections: 50}
        rules: {"*": {state: shadow}}

Labels and variables are put over the rule's own, exclusions add up, entities of what comes
later go before; every other key replaces the rule's value. Each value that was set says
where, in `Rule.origins`.

    schema   the keys of the file
    load     a file -> overrides
    tune     overrides and rules -> tuned rules

What does not live here: which environment this is (a setting), and how an entity is matched
(`evaluate`).
"""

from __future__ import annotations

from sre_obs.content.overrides.load import (
    Override,
    load_environments,
    load_overrides,
    parse_overrides,
)
from sre_obs.content.overrides.tune import apply_overrides, tune

__all__ = [
    "Override",
    "apply_overrides",
    "load_environments",
    "load_overrides",
    "parse_overrides",
    "tune",
]
