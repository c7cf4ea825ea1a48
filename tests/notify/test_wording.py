"""Facts in words: values with unit and limit, times with zone, entities, reasons."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_obs.model.alert import EndReason, Evidence
from sre_obs.notify import wording
from sre_obs.notify.wording import State
from tests.notify.notices import NOW, ended, idle_session, killed, silent


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (912.0, "s", "912 s"),
        (1368.0, "s", "1,368 s"),
        (11.0, "", "11"),
        (0.15, "ratio", "15 %"),
        (1610612736.0, "bytes", "1.5 GiB"),
        (512.0, "B", "512 B"),
        (12.3456, "ms", "12.35 ms"),
        (1234.567, "ms", "1,235 ms"),
        (0.000123456, "s", "0.0001235 s"),
        (1e-9, "s", "1e-09 s"),
        (1e18, "", "1e+18"),
        (-3.5, "%", "-3.5 %"),
        (0.0, "kills", "0 kills"),
        (float("inf"), "s", "∞ s"),
        (float("nan"), "s", "not a number s"),
    ],
)
def test_a_quantity_reads_as_a_person_says_it(value: float, unit: str, text: str) -> None:
    assert wording.quantity(value, unit) == text


@given(st.floats(), st.sampled_from(["", "s", "bytes", "ratio"]))
def test_any_number_has_words(value: float, unit: str) -> None:
    assert wording.quantity(value, unit)


@pytest.mark.parametrize(
    ("evidence", "text"),
    [
        (Evidence(value=912, limit=900, unit="s", function="max"), "912 s, limit 900 s"),
        (Evidence(value=11, limit=5, function="count", window=300), "11 in 5 min, limit 5"),
        (Evidence(value=3, unit="documents", function="count", window=60), "3 documents in 1 min"),
        (Evidence(value=0.9000004, limit=0.9), "0.9000004, limit 0.9"),
        (Evidence(value=1024**3 + 1, limit=1024**3, unit="bytes"), "1.000000001 GiB, limit 1 GiB"),
        (Evidence(limit=5), ""),
    ],
)
def test_a_value_is_held_against_its_limit(evidence: Evidence, text: str) -> None:
    assert wording.measured(evidence) == text


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0, "0 s"),
        (45.4, "45 s"),
        (60, "1 min"),
        (90, "1 min 30 s"),
        (1_860, "31 min"),
        (3_600, "1 h"),
        (3_900, "1 h 5 min"),
        (86_400, "1 d"),
        (183_600, "2 d 3 h"),
        (-5, "0 s"),
    ],
)
def test_a_duration_has_its_two_largest_units(seconds: float, text: str) -> None:
    assert wording.duration(seconds) == text


def test_a_time_names_its_zone_and_another_days_its_date() -> None:
    assert wording.clock(NOW - 240, NOW) == "03:12 UTC"
    assert wording.clock(NOW - 86_400, NOW) == "2026-11-24 03:16 UTC"
    assert wording.clock(1e30, NOW) == "an unknown time"


def test_the_state_is_the_worst_of_what_can_be_seen() -> None:
    warning, critical = killed(1), idle_session()
    assert wording.state((warning, critical), ()) is State.CRITICAL
    assert wording.state((warning, silent(critical)), ()) is State.WARNING
    assert wording.state((silent(critical),), (ended(warning),)) is State.STALE
    assert wording.state((), (ended(critical),)) is State.RESOLVED
    assert wording.state((replace(critical, drill=True),), ()) is State.DRILL
    assert wording.state((replace(critical, drill=True), warning), ()) is State.CRITICAL


@pytest.mark.parametrize(
    ("severity", "state"),
    [
        ("critical", State.CRITICAL),
        ("Page", State.CRITICAL),
        ("warning", State.WARNING),
        ("", State.WARNING),
        ("P3", State.WARNING),
        ("info", State.INFO),
    ],
)
def test_an_unheard_of_severity_is_a_warning(severity: str, state: State) -> None:
    assert wording.severity(idle_session(labels={"severity": severity})) is state


def test_a_database_that_is_named_by_its_dsn_is_called_by_host_and_path() -> None:
    dsn = "postgres://ana:secret@10.0.0.7:5432/shop?sslmode=disable"
    named = idle_session(labels={"alertname": "x", "service_address": dsn})
    assert wording.entity(named) == ("10.0.0.7:5432/shop",)
    odd = idle_session(labels={"alertname": "x", "service_address": "a b://c?d"})
    assert wording.entity(odd) == ("a b://c?d",)


def test_an_entity_is_named_from_the_specific_to_the_broad() -> None:
    labels = {
        "alertname": "oom",
        "severity": "critical",
        "kubernetes_namespace": "shop",
        "kubernetes_node_name": "node-1",
        "kubernetes_pod_name": "checkout-7",
        "container.name": "app",
        "job": "kubelet",
    }
    alert = idle_session(labels=labels)
    assert wording.entity(alert) == ("app", "checkout-7", "node-1")
    said = {"container.name": "app", "kubernetes_pod_name": "checkout-7"}
    assert wording.entity(alert, without=said) == ("node-1", "shop")
    assert wording.entity(alert, without=labels) == ("app", "checkout-7", "node-1")


def test_the_summary_that_a_rule_wrote_is_the_fact_and_else_the_value_is() -> None:
    plain = idle_session()
    assert wording.fact(plain) == wording.measured(plain.evidence)
    told = {**plain.annotations, "summary": "Session of orders-api: idle for 15 min, limit 5 min."}
    summed = replace(plain, annotations=told)
    assert wording.fact(summed) == "Session of orders-api: idle for 15 min, limit 5 min"
    assert wording.meaning(summed) == wording.meaning(plain)
    # An alert from the API whose summary is all the title it has.
    bare = replace(plain, annotations={"summary": "Disk is full"})
    assert (wording.title(bare), wording.meaning(bare)) == ("Disk is full", "")


def test_a_part_of_a_whole_is_told_in_percent() -> None:
    evidence = Evidence(value=0.1343, limit=0.1, comparison=">=", unit="of transactions")
    assert wording.measured(evidence) == "13.43 % of transactions, limit 10 %"
    assert wording.last_value(evidence) == "13.43 % of transactions"


def test_the_worst_of_a_rule_is_the_furthest_beyond_its_limit() -> None:
    pods = [killed(1), killed(5), killed(3)]
    assert wording.worst(pods) is pods[1]
    low = [replace(p, evidence=replace(p.evidence, comparison="<=")) for p in pods]
    assert wording.worst(low) is low[0]
    assert wording.worst([*pods, idle_session()]) is not pods[1]
    assert wording.worst([]) is None


def test_reasons_for_an_end_are_counted_when_they_differ() -> None:
    one = ended(killed(1))
    assert wording.why_ended([one]) == "under limit"
    others = [one, ended(killed(2), EndReason.GONE), ended(killed(3), EndReason.GONE)]
    assert wording.why_ended(others) == "entity gone (2), under limit (1)"
    assert all(reason in wording.ENDED for reason in EndReason)


def test_a_title_is_the_rules_or_the_senders_and_the_meaning_is_something_else() -> None:
    alert = idle_session(annotations={"summary": "down", "description": "No scrape."})
    assert (wording.title(alert), wording.meaning(alert)) == ("down", "No scrape.")
    bare = idle_session(annotations={})
    assert (wording.title(bare), wording.meaning(bare)) == ("idle", "")
    same = idle_session(annotations={"title": "down", "summary": "down"})
    assert wording.meaning(same) == ""


def test_documents_read_as_fields_and_values() -> None:
    fields = {"pid": "1", "state": "idle in transaction", "empty": ""}
    assert wording.named(fields) == 'pid=1 state="idle in transaction" empty=""'


def test_a_group_has_a_short_name_that_follows_from_its_key() -> None:
    assert wording.group_id("a") == wording.group_id("a") != wording.group_id("b")
    assert len(wording.group_id("x" * 10_000)) == 10
