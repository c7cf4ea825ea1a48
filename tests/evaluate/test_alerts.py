"""Labels, identity and annotations of alerts; removed rules; fields; the role."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from sre_obs.evaluate.alerts import (
    VARIABLES,
    annotate,
    draft,
    evidence_of,
    label_names,
    labels_of,
)
from sre_obs.evaluate.evidence import flat
from sre_obs.evaluate.fields import fields_of, missing
from sre_obs.evaluate.retire import retire
from sre_obs.evaluate.role import role_for
from sre_obs.model.alert import EndReason, Evidence
from sre_obs.model.evaluation import EntityState, Phase
from sre_obs.model.expression import Binary, Name
from sre_obs.model.rule import (
    Flapping,
    Function,
    Level,
    Measure,
    Query,
    Rule,
    RuleKind,
    RuleState,
    Threshold,
    Tuned,
)
from tests.evaluate.world import LOGS, METRICS, T0, Text, World, rule


def test_labels_are_the_rules_and_the_entitys() -> None:
    world = World(
        rule(
            index=(LOGS,),
            source="west",
            owner="team-a",
            labels={"team": "a", "empty": ""},
            group_by=("pod",),
        )
    )
    world.sample([T0 - 5], LOGS, pod="p")
    world.round(T0)
    assert world.firing()[0].labels == {
        "alertname": "pod-busy", "severity": "warning", "owner": "team-a",
        "source": "west", "team": "a", "pod": "p",
    }  # fmt: skip


def test_field_names_become_labels_that_need_no_quotes_and_never_collide() -> None:
    one = rule(
        group_by=("kubernetes.pod.name", "a.b", "a_b", "severity", "team"), labels={"team": "x"}
    )
    assert label_names(one) == {
        "kubernetes.pod.name": "kubernetes_pod_name",
        "a.b": "a_b",
        "a_b": "entity_a_b",
        "severity": "entity_severity",
        "team": "entity_team",
    }


def test_severity_owner_and_labels_do_not_make_another_alert() -> None:
    world = World(rule(index=(LOGS,)))
    world.sample([T0 - 5], LOGS, pod="a")
    world.round(T0)
    world.rules = [rule(index=(LOGS,), severity="critical", owner="b", labels={"x": "y"})]
    world.round(T0 + 60)
    before, after = world.told
    assert before.fingerprint == after.fingerprint
    assert (after.starts_at, after.labels["severity"]) == (T0, "critical")


def test_rules_of_one_name_in_two_services_are_two_alerts() -> None:
    world = World(rule(index=(LOGS,)), rule(id="other/pod-busy", index=(LOGS,)))
    world.sample([T0 - 5], LOGS, pod="a")
    world.round(T0)
    assert len(world.firing()) == 2


def test_annotations_are_rendered_with_every_variable_and_plain_text_is_not() -> None:
    world = World(
        rule(
            index=(LOGS,),
            threshold=Threshold(unit="lines"),
            runbook="https://example.com/r",
            annotations={"summary": "{{ value }} {{ unit }}, limit {{ limit }}", "action": "look"},
        )
    )
    world.sample([T0 - 5, T0 - 4], LOGS, pod="a")
    world.round(T0)
    assert world.firing()[0].annotations == {
        "title": "Pod is busy",
        "runbook_url": "https://example.com/r",
        "summary": "2 lines, limit 1",
        "action": "look",
    }
    ((_, variables),) = world.renderer.jobs
    assert set(variables) == VARIABLES
    assert variables["entity"] == {"pod": "a"}


def test_a_broken_template_is_said_and_the_alert_fires_all_the_same() -> None:
    world = World(rule(index=(LOGS,), annotations={"summary": "{{ broken }}"}))
    world.sample([T0 - 5], LOGS, pod="a")
    world.round(T0)
    assert world.firing()[0].annotations["summary"].startswith("(annotation summary: ")
    assert world.run().error == "annotation summary: 'broken' is undefined"


def test_documents_are_flat_text_and_cut() -> None:
    document = {"a": {"b": 1, "c": [True, None]}, "d.e": "x" * 300, "n": None, "l": [{"k": 1}]}
    found = flat(document)
    assert found["a.b"] == "1"
    assert found["a.c"] == "true, None"
    assert (len(found["d.e"]), found["d.e"][-1]) == (200, "…")
    assert found["l"] == "k=1"
    assert "n" not in found


def test_the_alerts_of_a_removed_rule_end_and_say_so() -> None:
    world = World(rule(index=(LOGS,)), rule(id="app/stays", index=(LOGS,)))
    world.sample([T0 - 5], LOGS, pod="a")
    world.round(T0)
    changes = retire({"app/stays"}, world.ledger.entities, world.ledger.alerts.values(), T0 + 7)
    (alert,) = changes.alerts
    assert (alert.rule, alert.ended) == ("app/pod-busy", EndReason.REMOVED)
    assert alert.ends_at == T0 + 7
    assert changes.forgotten_entities == (("app/pod-busy", '["a"]'),)
    api = replace(alert, rule="", ended=None, ends_at=None)
    assert not retire(set(), {}, [api, alert], T0)


def test_missing_fields_are_those_that_nothing_matches() -> None:
    one = rule(threshold=Threshold(Function.AVG, "cpu.pct"), group_by=("pod", "gone"))
    one = replace(one, query=Query("kql", "", {}, ("level", "lev*", "x.*", "flat.key", "_id", "*")))
    types = {"pod": "keyword", "level": "keyword", "flat": "flattened"}
    assert missing(fields_of(one)[one.index], types) == ["x.*", "gone", "cpu.pct"]


SHARE = replace(
    rule(
        measures=(
            Measure("used", Function.AVG, "mem.used", query=Query("kql", "", {}, ("level",))),
            Measure(
                "most", Function.LATEST, "mem.limit", index=("metrics-state-*",), by=("pod",),
                series=("uid",), order="created",
            ),
        ),
        value=Binary("/", Name("used"), Name("most")),
        group_by=("cluster", "pod"),
    ),
    query=Query("kql", "", {}, ("team",)),
)  # fmt: skip


def test_the_fields_of_a_measure_are_asked_for_in_its_own_index() -> None:
    fields = fields_of(SHARE)
    assert fields == {
        (METRICS,): ("team", "level", "cluster", "pod", "mem.used"),
        ("metrics-state-*",): ("pod", "uid", "mem.limit", "created"),
    }
    assert missing(fields["metrics-state-*",], {"pod": "keyword", "uid": "keyword"}) == [
        "mem.limit",
        "created",
    ]


def test_the_role_reads_the_indices_of_measures_too() -> None:
    assert role_for([SHARE])["indices"][0]["names"] == [METRICS, "metrics-state-*"]


def state(**changes: Any) -> EntityState:
    """Pod a fires."""
    given = EntityState(
        "app/pod-busy", '["a"]', {"pod": "a"}, Phase.FIRING, T0, T0, T0, T0, value=0.97, peak=0.98
    )
    return replace(given, **changes)


def shown(one: Rule, **changes: Any) -> Evidence:
    return evidence_of(one, state(**changes), count=3, request="", documents=())


WORSE = rule(
    threshold=Threshold(limit=0.8, unit="share"),
    levels=(Level("critical", limit=0.95), Level("fatal", for_=600.0)),
)


@pytest.mark.parametrize(
    ("level", "severity", "limit"), [(0, "warning", 0.8), (1, "critical", 0.95), (2, "fatal", 0.8)]
)
def test_severity_and_limit_are_those_of_the_level_it_fires_at(
    level: int, severity: str, limit: float
) -> None:
    assert labels_of(WORSE, state(level=level), {})["severity"] == severity
    assert shown(WORSE, level=level).limit == limit


def test_a_level_that_the_rule_has_no_more_is_its_worst() -> None:
    assert labels_of(WORSE, state(level=7), {})["severity"] == "fatal"
    assert labels_of(rule(), state(level=7), {})["severity"] == "warning"


def test_an_entity_that_is_tuned_shows_its_own_limit_and_severity() -> None:
    one = replace(WORSE, tuned=(Tuned({"pod": "a*"}, limit=0.9, severity="info"),))
    assert labels_of(one, state(), {})["severity"] == "info"
    assert shown(one).limit == 0.9


def test_what_was_measured_is_named_as_people_read_it() -> None:
    alone = replace(SHARE, measures=SHARE.measures[:1], value=None)
    latest = replace(SHARE, value=Name("most"), measures=(replace(SHARE.measures[1], window=60.0),))
    assert (shown(SHARE).function, shown(SHARE).window) == ("used / most", 300.0)
    assert shown(alone).function == "avg"
    assert (shown(latest).function, shown(latest).window) == ("latest", 60.0)
    late = rule(threshold=Threshold(Function.PERCENTILE, "cpu", 95.0, limit=1.0))
    assert shown(late).function == "p95"


def test_a_state_has_no_number_to_show() -> None:
    found = shown(rule(kind=RuleKind.STATE))
    assert (found.value, found.limit, found.peak, found.function) == (None, None, None, "state")


def test_templates_see_measures_variables_and_the_level() -> None:
    one = replace(
        WORSE,
        variables={"share": 0.9, "most": 200.0, "monitor": "sre_obs"},
        annotations={"summary": "{{ measures }} {{ variables }} {{ level }}"},
    )
    at = state(level=1)
    evidence = replace(shown(one, level=1), measures={"used": 12.0, "most": None})
    labels = labels_of(one, at, {})
    drafted = draft(one, at, T0, fingerprint="f", labels=labels, evidence=evidence, known=None)
    ((alert,), wrong) = annotate([drafted], Text())
    assert not wrong
    assert alert.level == 1
    assert alert.annotations["summary"] == (
        "{'used': 12, 'most': None} {'share': 0.9, 'most': 200, 'monitor': 'sre_obs'} critical"
    )


def test_an_alert_says_that_it_flaps() -> None:
    one = rule(flapping=Flapping(2, 5, 2))
    for history, wanted in (("a>-<a>", True), ("a>aaaa", False)):
        drafted = draft(
            one, state(history=history), T0, fingerprint="f", labels={}, evidence=Evidence(),
            known=None,
        )  # fmt: skip
        assert drafted.alert.flapping is wanted


def test_the_role_reads_what_the_rules_name_and_nothing_else() -> None:
    rules = [
        rule(index=("metrics-a-*", "logs-b-*")),
        rule(index=("logs-b-*", "eu:logs-c-*")),
        rule(index=("secret-*",), state=RuleState.DISABLED),
        rule(index=("west-*",), source="west"),
    ]
    assert role_for(rules) == {
        "cluster": ["monitor"],
        "indices": [
            {
                "names": ["logs-b-*", "metrics-a-*"],
                "privileges": ["read", "view_index_metadata"],
            }
        ],
        "applications": [],
        "remote_indices": [
            {
                "clusters": ["eu"],
                "names": ["logs-c-*"],
                "privileges": ["read", "view_index_metadata", "read_cross_cluster"],
            }
        ],
    }
