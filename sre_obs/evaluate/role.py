"""The least role in Elasticsearch that rules need: to read exactly what they name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sre_obs.evaluate.fields import indices_of
from sre_obs.evaluate.kibana.ask import ALIAS
from sre_obs.model.rule import Rule, RuleState


def role_for(rules: Sequence[Rule], source: str = "default") -> dict[str, Any]:
    """The body of ``PUT /_security/role/sre-obs`` for the rules that run on `source`.

    `read` searches, `view_index_metadata` lets fields be checked; nothing is written, and
    no cluster privilege but `monitor` (version and name for the start line).
    """
    names: dict[str, None] = {}
    remote: dict[str, dict[str, None]] = {}
    for rule in rules:
        if rule.source != source or rule.state is RuleState.DISABLED:
            continue
        for index in indices_of(rule):
            cluster, colon, name = index.rpartition(":")
            if colon:
                remote.setdefault(cluster, {})[name] = None
            else:
                names[name] = None
    privileges = ["read", "view_index_metadata"]
    role: dict[str, Any] = {"cluster": ["monitor"], "indices": [], "applications": []}
    if names:
        role["indices"] = [{"names": sorted(names), "privileges": privileges}]
    if remote:
        role["remote_indices"] = [
            {
                "clusters": [cluster],
                "names": sorted(remote[cluster]),
                "privileges": [*privileges, "read_cross_cluster"],
            }
            for cluster in sorted(remote)
        ]
    return role


def role_for_kibana() -> dict[str, Any]:
    """The body of the role that reads Kibana's alerts: the least that Elastic documents. The
    names are those of the aliases; Kibana's own privileges neither help nor are needed."""
    return {
        "cluster": ["monitor"],
        "indices": [{"names": [ALIAS], "privileges": ["read", "view_index_metadata"]}],
        "applications": [],
    }
