"""A small world to evaluate rules in: documents, rules, rounds, and what became of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sre_obs.evaluate.evaluate import evaluate
from sre_obs.model.alert import Alert
from sre_obs.model.changes import Changes
from sre_obs.model.errors import TemplateError
from sre_obs.model.evaluation import EntityState, Outcome, RuleRun
from sre_obs.model.ledger import Ledger
from sre_obs.model.problem import Location
from sre_obs.model.rule import Query, Rule, RuleKind, Threshold
from tests.fakes.source import FakeSource

# A Tuesday, on the minute.
T0 = 1_700_000_040.0
METRICS = "metrics-app.pod-default"
LOGS = "logs-app.log-default"
TYPES = {
    "@timestamp": "date",
    "pod": "keyword",
    "cluster": "keyword",
    "level": "keyword",
    "message": "text",
    "cpu": "double",
    "restarts": "long",
}


def rule(**changes: Any) -> Rule:
    """A threshold rule on pods; every field may be changed."""
    text = changes.pop("query", "")
    dsl = changes.pop("dsl", {"match_all": {}})
    values: dict[str, Any] = {
        "id": "app/pod-busy",
        "title": "Pod is busy",
        "kind": RuleKind.THRESHOLD,
        "index": (METRICS,),
        "query": Query("kql", text, dsl),
        "location": Location("rules/app/pod-busy.yml", 1, 1),
        "interval": 60.0,
        "window": 300.0,
        "query_delay": 0.0,
        "severity": "warning",
        "group_by": ("pod",),
        "threshold": Threshold(),
    }
    return Rule(**{**values, **changes})


class Text:
    """A Renderer that knows ``{{ name }}`` of simple variables; "{{ broken }}" fails."""

    def __init__(self) -> None:
        self.jobs: list[tuple[str, Mapping[str, Any]]] = []

    def render(self, jobs: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str | TemplateError]:
        self.jobs.extend(jobs)
        return [self._one(template, variables) for template, variables in jobs]

    def _one(self, template: str, variables: Mapping[str, Any]) -> str | TemplateError:
        if "broken" in template:
            return TemplateError("'broken' is undefined")
        for name, value in variables.items():
            template = template.replace("{{ " + name + " }}", str(value))
        return template


class World:
    """Rules over a FakeSource, with the Ledger between one round and the next."""

    def __init__(self, *rules: Rule) -> None:
        self.rules = list(rules)
        self.source = FakeSource(types=TYPES)
        self.ledger = Ledger()
        self.renderer = Text()
        self.told: list[Alert] = []

    def sample(self, times: Sequence[float], index: str = METRICS, **fields: Any) -> None:
        """One document at each of these times."""
        self.source.add(index, *({"@timestamp": at, **fields} for at in times))

    def round(self, at: float, *rules: Rule, **options: Any) -> Changes:
        """Evaluate; the Ledger takes it over."""
        changes = evaluate(
            rules or self.rules,
            at,
            self.source,
            {name: dict(states) for name, states in self.ledger.entities.items()},
            self.renderer,
            timer=lambda: 0.0,
            alerts=self.ledger.alerts,
            **options,
        )
        self.ledger.apply(changes)
        self.told.extend(changes.alerts)
        return changes

    def run(self) -> RuleRun:
        """The last run of the first rule."""
        return self.ledger.runs[self.rules[0].id]

    @property
    def outcome(self) -> Outcome:
        return self.run().outcome

    def firing(self) -> list[Alert]:
        return [alert for alert in self.ledger.alerts.values() if alert.ended is None]

    def pods(self) -> list[str]:
        """The pods that an alert fires on."""
        return sorted(alert.labels.get("pod", "") for alert in self.firing())

    def states(self) -> Mapping[str, EntityState]:
        return self.ledger.entities_of(self.rules[0].id)


def every(seconds: float, start: float, end: float) -> list[float]:
    """Times from `start` to before `end`."""
    times, at = [], start
    while at < end:
        times.append(at)
        at += seconds
    return times
