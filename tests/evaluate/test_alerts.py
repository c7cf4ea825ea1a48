"""Labels, identity and annotations of alerts; removed rules; fields; the role."""

from __future__ import annotations

from dataclasses import replace

from sre_obs.evaluate.alerts import VARIABLES, label_names
from sre_obs.evaluate.evidence import flat
from sre_obs.evaluate.fields import missing_fields
from sre_obs.evaluate.retire import retire
from sre_obs.evaluate.role import role_for
from sre_obs.model.alert import EndReason
from sre_obs.model.rule import Function, Query, RuleState, Threshold
from tests.evaluate.world import LOGS, T0, World, rule


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
    assert missing_fields(one, types) == ["x.*", "gone", "cpu.pct"]


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
