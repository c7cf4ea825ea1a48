"""Rules against the fields of a cluster: the same checks, its types in place of the contract's."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from sre_obs.app.usecases.check.run import check
from sre_obs.evaluate.ports import Request
from sre_obs.model.errors import Blame, SourceError
from sre_obs.model.fields import FieldTypes
from tests.app.check.folder import slugs, well
from tests.content.checks.looking import rule


class Cluster:
    """A cluster with these fields by index; None: it does not answer."""

    name = "default"

    def __init__(self, fields: dict[str, FieldTypes] | None) -> None:
        self.fields = fields
        self.asked: list[tuple[str, ...]] = []

    def field_types(self, indices: Sequence[str]) -> FieldTypes:
        self.asked.append(tuple(indices))
        if self.fields is None:
            raise SourceError("can't reach es:9200", Blame.UNREACHABLE)
        return self.fields.get(indices[0], {})

    def search(self, requests: Sequence[Request]) -> list[object]:
        raise AssertionError("a check searches nothing")

    def describe(self) -> str:
        return "a cluster"


def told(folder: Path, cluster: Cluster) -> list[str]:
    return slugs(check([folder], source=cluster))  # type: ignore[arg-type]


def test_an_index_outside_the_contract_is_judged_by_what_is_there(tmp_path: Path) -> None:
    well(tmp_path, text=rule("query: 'order.stat: lost and order.id > x'", index="logs-shop-*"))
    cluster = Cluster({"logs-shop-*": {"order.state": "keyword", "order.id": "long"}})
    assert told(tmp_path, cluster) == [
        "well.yml:4 rules/unknown-field",
        "well.yml:4 rules/wrong-type",
    ]
    assert cluster.asked == [("logs-shop-*",)]


def test_what_a_cluster_has_is_right_though_the_contract_does_not_know_it(tmp_path: Path) -> None:
    well(tmp_path, text=rule("query: 'kubernetes.pod.extra: 1'"))
    assert (
        told(
            tmp_path, Cluster({"metrics-kubernetes.state_pod-*": {"kubernetes.pod.extra": "long"}})
        )
        == []
    )


def test_counters_and_units_are_still_the_contracts(tmp_path: Path) -> None:
    index = "metrics-postgresql.database-*"
    text = rule(
        "threshold: {function: max, field: postgresql.database.deadlocks, limit: 5}", index=index
    )
    well(tmp_path, text=text)
    cluster = Cluster({index: {"postgresql.database.deadlocks": "long"}})
    assert told(tmp_path, cluster) == ["well.yml:4 rules/raw-counter"]


def test_a_rule_on_another_source_is_held_against_the_contract(tmp_path: Path) -> None:
    well(tmp_path, text=rule("source: other", "query: 'kubernetes.pod.extra: 1'"))
    cluster = Cluster({})
    assert told(tmp_path, cluster) == ["well.yml:5 rules/unknown-field"]
    assert cluster.asked == []


def test_an_index_that_the_cluster_does_not_have_is_not_judged(tmp_path: Path) -> None:
    well(tmp_path, text=rule("query: 'any.thing: 1'", index="logs-shop-*"))
    assert told(tmp_path, Cluster({})) == []


def test_a_cluster_that_does_not_answer_can_not_be_checked_against(tmp_path: Path) -> None:
    well(tmp_path)
    with pytest.raises(SourceError):
        told(tmp_path, Cluster(None))
