"""The rules that ship: clean, complete, and on recorded telemetry of real servers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pytest

import sre_obs.app.demo
from sre_obs.adapters.recorded import RecordedSource, Recording, recording
from sre_obs.adapters.templates import BoundedRenderer
from sre_obs.content.overrides import apply_overrides, load_overrides, parse_overrides
from sre_obs.content.rules.load import load_rules
from sre_obs.content.telemetry.load import load_contract
from sre_obs.evaluate.evaluate import evaluate
from sre_obs.evaluate.fields import fields_of, indices_of
from sre_obs.evaluate.ports import Request
from sre_obs.model.alert import Alert
from sre_obs.model.ledger import Ledger
from sre_obs.model.rule import Rule, RuleKind

RULES = Path(__file__).parents[2] / "rules"
DEMO = Path(sre_obs.app.demo.__path__[0])
START = 1_795_502_300.0  # 2026-11-24 06:38:20 UTC
STEP = 10.0
LOADED = load_rules(RULES, name="rules")
CONTRACT, _ = load_contract([RULES / "telemetry"])


@dataclass(frozen=True, slots=True)
class Moment:
    """What became of an alert at an evaluation."""

    clock: str
    alert: Alert

    @property
    def line(self) -> str:
        state = self.alert.ended or ("stale" if self.alert.stale_since else "firing")
        return f"{self.clock} {self.alert.name} {state}"


@pytest.fixture(scope="module")
def recorded() -> Recording:
    return recording(DEMO / "telemetry")


@pytest.fixture(scope="module")
def renderer() -> Iterator[BoundedRenderer]:
    own = BoundedRenderer()
    yield own
    own.close()


def story(
    rules: tuple[Rule, ...], recorded: Recording, renderer: BoundedRenderer, seconds: float
) -> list[Moment]:
    """Each change of an alert's state while the recording is replayed."""
    now = START
    ticks = count()
    source = RecordedSource("default", recorded, lambda: now)
    ledger = Ledger()
    seen: dict[str, object] = {}
    moments = []
    while now <= START + seconds:
        memory = {rule.id: ledger.entities_of(rule.id) for rule in rules}
        changes = evaluate(
            rules, now, source, memory, renderer,
            timer=lambda: float(next(ticks)), alerts=ledger.alerts,
        )  # fmt: skip
        ledger.apply(changes)
        for alert in changes.alerts:
            state = (alert.ended, alert.stale_since is not None)
            if seen.get(alert.fingerprint) != state:
                seen[alert.fingerprint] = state
                clock = datetime.fromtimestamp(now, UTC).strftime("%H:%M:%S")
                moments.append(Moment(clock, alert))
        now += STEP
    return moments


# 50 s were recorded: what waits for minutes waits for seconds here.
SHORTER = """\
rules:
  "*": {interval: 10s, query_delay: 5s, keep_firing_for: 0s}
  postgresql/pg-auth-failures: {from: now-1m}
  postgresql/pg-deadlocks: {from: now-1m}
  postgresql/pg-idle-in-transaction: {threshold: {limit: 20}, levels: []}
  postgresql/pg-silent: {from: now-30s, for: 30s}
  kubernetes/pod-states-silent: {from: now-30s, for: 30s}
  system/host-saturated: {from: now-1m, for: 10s}
"""


def shortened() -> tuple[Rule, ...]:
    overrides, problems = parse_overrides(SHORTER)
    assert problems == []
    rules, problems = apply_overrides(LOADED.rules, overrides)
    assert problems == []
    return rules


def test_they_load_without_a_problem_and_use_every_kind() -> None:
    assert LOADED.problems == ()
    assert len(LOADED.rules) >= 50
    assert {rule.kind for rule in LOADED.rules} == set(RuleKind)


@pytest.mark.parametrize("rule", LOADED.rules, ids=lambda rule: rule.id)
def test_each_says_whose_it_is_what_it_means_and_what_to_do(rule: Rule) -> None:
    assert rule.owner
    assert {"summary", "description", "look", "action"} <= rule.annotations.keys()
    assert rule.evidence
    assert rule.location.file == f"rules/{rule.id}.yml"


@pytest.mark.parametrize("rule", LOADED.rules, ids=lambda rule: rule.id)
def test_each_uses_fields_of_the_telemetry_contract(rule: Rule) -> None:
    for index, names in fields_of(rule).items():
        lacking = [name for name in names if not CONTRACT.fields(index, name)]
        assert lacking == []
    assert [name for name in rule.evidence if not CONTRACT.fields(indices_of(rule), name)] == []


def test_the_readme_lists_each(recorded: Recording) -> None:
    text = (RULES / "README.md").read_text(encoding="utf-8")
    for rule in LOADED.rules:
        assert f"[{rule.id}]({rule.id}.yml)" in text


def test_what_the_recording_shows_fires_and_what_is_over_inside_it_resolves(
    recorded: Recording, renderer: BoundedRenderer
) -> None:
    moments = story(shortened(), recorded, renderer, 200)
    assert [moment.line for moment in moments] == [
        "06:38:50 pg-idle-in-transaction firing",
        "06:39:00 pg-deadlocks firing",
        "06:39:10 pg-auth-failures firing",
        "06:39:10 pg-blocked-sessions firing",
        "06:39:10 pg-lock-wait-log firing",
        "06:39:20 host-saturated firing",
        "06:39:40 pod-states-silent firing",
        "06:40:10 pg-auth-failures under limit",
        "06:40:10 pg-deadlocks under limit",
        "06:40:30 pg-silent firing",
        "06:41:20 apm-failed-transactions firing",
        "06:41:20 pg-blocked-sessions stale",
        "06:41:20 pg-idle-in-transaction stale",
        "06:41:30 host-saturated stale",
        "06:41:40 stream-absent firing",
    ]


def test_the_demo_s_overrides_fit_them() -> None:
    overrides, problems = load_overrides(DEMO / "overrides.yml", name="overrides.yml")
    assert problems == []
    rules, problems = apply_overrides(LOADED.rules, overrides)
    assert problems == []
    assert [rule.id for rule in rules] == [rule.id for rule in LOADED.rules]


def test_every_alert_shows_what_it_rests_on(recorded: Recording, renderer: BoundedRenderer) -> None:
    alerts = {m.alert.name: m.alert for m in story(shortened(), recorded, renderer, 140)}
    assert "pg-auth-failures" in alerts
    for alert in alerts.values():
        assert alert.evidence.documents
        assert alert.annotations["action"]
    shown = alerts["pg-auth-failures"].evidence.documents[0]
    assert shown["message"] == 'role "ghost" does not exist'
    assert shown["postgresql.log.sql_state_code"] == "28000"


def test_as_shipped_failed_logins_and_waits_fire_and_resolve_too(
    recorded: Recording, renderer: BoundedRenderer
) -> None:
    rules = tuple(
        replace(rule, interval=STEP) for rule in LOADED.rules if rule.index[0].startswith("logs-")
    )
    moments = story(rules, recorded, renderer, 420)
    assert [moment.line.partition(" ")[2] for moment in moments] == [
        "pg-auth-failures firing",
        "pg-lock-wait-log firing",
        "pg-auth-failures under limit",
        "pg-lock-wait-log under limit",
    ]


def hits(rule: Rule, documents: Mapping[str, object]) -> int:
    """How many documents of a stream the rule's query matches."""
    stream = str(documents["stream"])
    recorded = Recording({stream: (documents["document"],)})  # type: ignore[dict-item]
    source = RecordedSource("default", recorded, lambda: START + 600)
    body = {"size": 0, "track_total_hits": True, "query": rule.query.dsl}
    (answer,) = source.search([Request(rule.index, body)])
    assert isinstance(answer, Mapping)
    return int(answer["hits"]["total"]["value"])


def _log(level: str, state: str) -> dict[str, object]:
    return {
        "stream": "logs-postgresql.log-default",
        "document": {
            "@timestamp": "2026-11-24T06:39:00Z",
            "log": {"level": level},
            "postgresql": {"log": {"sql_state_code": state}},
        },
    }


def _session(state: str) -> dict[str, object]:
    return {
        "stream": "metrics-postgresql.activity-default",
        "document": {
            "@timestamp": "2026-11-24T06:39:00Z",
            "postgresql": {"activity": {"state": state}},
        },
    }


@pytest.mark.parametrize(
    ("slug", "document", "matches"),
    [
        ("pg-auth-failures", _log("FATAL", "28000"), 1),
        ("pg-auth-failures", _log("FATAL", "28P01"), 1),
        ("pg-auth-failures", _log("ERROR", "28000"), 0),
        ("pg-auth-failures", _log("FATAL", "53300"), 0),
        ("pg-idle-in-transaction", _session("idle in transaction"), 1),
        ("pg-idle-in-transaction", _session("idle in transaction (aborted)"), 1),
        ("pg-idle-in-transaction", _session("idle"), 0),
        ("pg-idle-in-transaction", _session("active"), 0),
    ],
)
def test_a_neighbour_that_differs_by_one_fact_does_not_match(
    slug: str, document: dict[str, object], matches: int
) -> None:
    rule = next(rule for rule in LOADED.rules if rule.slug == slug)
    assert hits(rule, document) == matches
