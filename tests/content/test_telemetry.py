"""The telemetry contract as data: packs, patterns on both sides, and what is wrong in a pack."""

from __future__ import annotations

from pathlib import Path

import pytest

from sre_obs.content.telemetry.load import contract_of, load_contract, parse_pack
from sre_obs.model.telemetry import Contract, Field, overlap
from tests.content.problems import lines
from tests.house.tree import REPOSITORY

BUNDLED = REPOSITORY / "rules" / "telemetry"


@pytest.fixture(scope="module")
def bundled() -> Contract:
    contract, problems = load_contract([BUNDLED])
    assert problems == []
    return contract


def read(*texts: str) -> Contract:
    packs = []
    for text in texts:
        pack, problems = parse_pack(text)
        assert problems == []
        assert pack is not None
        packs.append(pack)
    return contract_of(packs)


def wrong(text: str) -> list[str]:
    pack, problems = parse_pack(text)
    assert pack is None
    return lines(problems)


def test_a_concrete_stream_has_the_types_of_its_pattern_and_the_common_ones(
    bundled: Contract,
) -> None:
    types = bundled.types_of("metrics-kubernetes.state_container-prod")
    assert types["kubernetes.container.status.restarts"] == "long"
    assert types["@timestamp"] == "date"
    assert types["kubernetes.namespace"] == "keyword"
    assert "kubernetes.pod.status.phase" not in types


def test_an_index_pattern_means_every_stream_that_it_can_match(bundled: Contract) -> None:
    found = {s.pattern for s in bundled.streams_of("metrics-kubernetes.state_p*-*")}
    assert found == {
        "metrics-kubernetes.state_pod-*",
        "metrics-kubernetes.state_persistentvolume-*",
        "metrics-kubernetes.state_persistentvolumeclaim-*",
    }


def test_a_stream_of_another_cluster_is_the_same_stream(bundled: Contract) -> None:
    here = bundled.streams_of("metrics-system.load-*")
    assert bundled.streams_of("paris:metrics-system.load-*") == here
    assert here


def test_an_index_outside_the_contract_means_no_stream(bundled: Contract) -> None:
    assert bundled.streams_of("logs-nginx.access-*") == ()


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        ("metrics-a-*", "metrics-a-default", True),
        ("metrics-a-*", "metrics-*-default", True),
        ("metrics-a-*", "metrics-b-*", False),
        ("traces-apm-*", "traces-apm.rum-*", False),
        ("*", "logs-x", True),
        ("a*b", "a*c", False),
        ("a*b*c", "a*d*c", True),
        ("a", "a", True),
        ("a", "b", False),
    ],
)
def test_two_patterns_overlap_when_one_name_fits_both(one: str, other: str, meet: bool) -> None:
    assert overlap(one, other) is meet
    assert overlap(other, one) is meet


def test_a_field_is_found_by_the_contracts_own_star(bundled: Contract) -> None:
    stream = bundled.streams_of("metrics-kubernetes.pod-default")[0]
    assert stream.field("kubernetes.labels.app_kubernetes_io/name") == Field("keyword")
    assert stream.field("kubernetes.lables.app") is None


def test_a_query_may_name_fields_by_a_pattern(bundled: Contract) -> None:
    found = bundled.fields(("metrics-system.load-*",), "system.load.norm.*")
    assert found == (Field("scaled_float"),)


def test_a_later_pack_adds_to_a_stream_and_to_the_fields_of_all() -> None:
    contract = read(
        "{pack: a, streams: {logs-a-*: {period: 10s, sampled: true, fields: {x: long, y: long}}}}",
        "{pack: common, common: {team: keyword}}",
        "{pack: a, common: {z: ip}, streams: {logs-a-*: {fields: {y: keyword}}}}",
    )
    (stream,) = contract.streams
    assert (stream.period, stream.sampled) == (10.0, True)
    assert {name: field.type for name, field in stream.fields.items()} == {
        "@timestamp": "date",
        "team": "keyword",
        "z": "ip",
        "x": "long",
        "y": "keyword",
    }


def test_a_broken_pack_says_where_and_leaves_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("pack: a\nstreams: {logs-a-*: {fields: {x: lnog}}}\n")
    (tmp_path / "b.yml").write_text("pack: b\nstreams: {logs-b-*: {fields: {x: long}}}\n")
    contract, problems = load_contract([tmp_path, tmp_path / "missing"])
    assert [stream.pattern for stream in contract.streams] == ["logs-b-*"]
    assert lines(problems) == ['2:34+4 telemetry/wrong-value: "type" can\'t be "lnog" | write long']


def test_a_counter_is_a_number() -> None:
    assert wrong("pack: a\ncommon: {x: {type: keyword, counter: true}}") == [
        '2:10+1 telemetry/wrong-value: "x" has a counter, and is of type keyword | a number'
    ]


def test_the_counters_that_look_like_gauges_are_known(bundled: Contract) -> None:
    """Most of pg_stat_database is mapped as a gauge, and grows since stats_reset."""
    (field,) = bundled.fields(("metrics-postgresql.database-*",), "postgresql.database.deadlocks")
    assert field.counter
