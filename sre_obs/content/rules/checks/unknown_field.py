"""A field that no stream has which the rule's index can mean."""

from __future__ import annotations

from collections.abc import Iterator

from sre_obs.content.mistakes import shown
from sre_obs.content.rules.checks.subject import Named, Subject, judged
from sre_obs.model.problem import Location, Problem, Severity
from sre_obs.model.telemetry import Contract
from sre_obs.query.kql.fields import Use

SLUG = "rules/unknown-field"


def check(subject: Subject) -> Iterator[Problem]:
    """Each field that is not there. Evidence alone is a warning: its document is shown
    without it, and the rule works."""
    contract = subject.contract
    said: set[tuple[str, Location]] = set()
    for named in subject.names:
        if not named.name or exists(contract, named) or not judged(contract, named.indices):
            continue
        place = subject.place_of(named)
        if (named.name, place) in said:
            continue
        said.add((named.name, place))
        where = ", ".join(named.indices)
        subject_of = f" for {named.what}" if named.what == "evidence" else ""
        yield subject.problem(
            SLUG,
            place,
            f"no field {shown(named.name)} in {where}{subject_of}",
            _remedy(subject, named),
            Severity.WARNING if named.what == "evidence" else Severity.ERROR,
        )


def exists(contract: Contract, named: Named) -> bool:
    """Whether one of the streams has the field, or an object of that name where any value
    will do."""
    if named.name.startswith("_") or contract.fields(named.indices, named.name):
        return True
    if named.use in (Use.EXISTS, Use.NESTED):
        return bool(contract.fields(named.indices, f"{named.name}.*"))
    parts = named.name.split(".")
    parents = (".".join(parts[:n]) for n in range(1, len(parts)))
    return any(
        field.type == "flattened"
        for parent in parents
        for field in contract.fields(named.indices, parent)
    )


def _remedy(subject: Subject, named: Named) -> str:
    if "*" not in named.name:
        at_home = [s.pattern for s in subject.contract.streams if named.name in s.fields]
        if at_home:
            more = f" and {len(at_home) - 2} more" if len(at_home) > 2 else ""
            return f"it is in {', '.join(at_home[:2])}{more}"
    near = subject.nearest(named.indices, named.name)
    if near:
        return f"write {near}"
    return "check its name, or add it to a telemetry pack (telemetry/<pack>.yml beside the rules)"
