"""A file that is a rule by its name alone -> what it is by its keys."""

from __future__ import annotations

from collections.abc import Mapping

from sre_obs.app.usecases.check.gather import File, Kind
from sre_obs.content import yaml
from sre_obs.content.yaml import Map
from sre_obs.model.problem import Location, Problem, Severity

# A key at the top that only files of a kind have.
_KEYS: Mapping[str, Kind] = {
    "environments": Kind.OVERRIDES,
    "rules": Kind.OVERRIDES,
    "route": Kind.ROUTES,
    "receivers": Kind.ROUTES,
    "silences": Kind.SILENCES,
    "cases": Kind.TEST,
    "streams": Kind.TELEMETRY,
}
_OF_A_RULE = frozenset(("title", "kind", "index", "threshold", "measures"))
_CALLED: Mapping[Kind, tuple[str, str]] = {
    Kind.OVERRIDES: ("these are overrides", "call it overrides.yml, above the folders of rules"),
    Kind.ROUTES: ("these are routes", "call it routes.yml, above the folders of rules"),
    Kind.SILENCES: ("these are silences", "call it silences.yml, above the folders of rules"),
    Kind.TEST: ("this is a test", "call it <slug>.test.yml, beside the rule <slug>.yml"),
    Kind.TELEMETRY: ("this is a telemetry pack", "put it into the folder telemetry"),
}
# What a file can be checked as under any name; the others are about files beside them.
ANYWHERE = frozenset((Kind.OVERRIDES, Kind.ROUTES, Kind.SILENCES))


def guess(file: File) -> Kind:
    """What a file is by its keys; a rule where they do not say that it is something else."""
    root = yaml.load(file.path, name=file.name)[0].root
    if not isinstance(root, Map) or not _OF_A_RULE.isdisjoint(root):
        return Kind.RULE
    return next((kind for key, kind in _KEYS.items() if key in root), Kind.RULE)


def misnamed(file: File, kind: Kind) -> Problem:
    """All that is to say of a file that is loaded as a rule, and is something else."""
    what, remedy = _CALLED[kind]
    message = f"by the keys {what}, by the name a rule"
    return Problem("rules/name", Severity.ERROR, Location(file.name), message, remedy)
