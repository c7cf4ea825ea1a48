"""Which index patterns a rule may read: the allow-list.

A pattern is allowed if everything that it can match is matched by one entry of the list.
Indices that begin with a dot hold what belongs to Elastic's own features (security, Kibana's
objects, alerts): a rule that reads them leaks them into messages.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

DEFAULT_ALLOW = ("metrics-*", "logs-*", "traces-*")

_MAX = 255
# What Elasticsearch allows in the name of an index, and the star.
_NAME = re.compile(r"[^A-Z\\/?\"<>|\s,#:]+")


def refuse(pattern: str, allow: Sequence[str]) -> tuple[str, str] | None:
    """(why not, remedy), or None where the pattern may be read.

    ``cluster:pattern`` is another cluster's and needs an entry with a cluster in `allow`.
    """
    cluster, colon, name = pattern.rpartition(":")
    if colon and not cluster:
        return "a cluster's name is missing", "write cluster:pattern"
    if "," in pattern:
        return "several patterns in one text", "write a list: [a-*, b-*]"
    if len(pattern) > _MAX or not _NAME.fullmatch(name):
        return "not the name of an index", "write a data stream, such as logs-nginx.error-*"
    if colon and not _NAME.fullmatch(cluster):
        return "not the name of a cluster", "write cluster:pattern"
    if name[0] in "-+" or (name[0] == "_" and name != "_all"):
        return "no index begins like that", "write a data stream, such as logs-nginx.error-*"
    if name == "_all" or not name.strip("*"):
        return "every index at once", f"name the streams that it needs: {_shown(allow)}"
    if name.startswith("."):
        return "indices that begin with a dot are Elastic's own", f"allowed: {_shown(allow)}"
    for entry in allow:
        their_cluster, their_colon, their_name = entry.rpartition(":")
        if (
            bool(their_colon) == bool(colon)
            and _covers(their_cluster, cluster)
            and _covers(their_name, name)
        ):
            return None
    if colon:
        return "another cluster's indices", "allow it in the settings, sources.<name>.allow"
    return (
        "not among the index patterns that rules may read",
        f"allowed: {_shown(allow)}; more in the settings, sources.<name>.allow",
    )


def _covers(entry: str, pattern: str) -> bool:
    """Whether a glob matches all that another glob can match: it does if it matches its text,
    since a star is then met by a star."""
    parts = [re.escape(part) for part in re.split(r"\*+", entry)]
    return re.fullmatch(".*".join(parts), pattern) is not None


def _shown(allow: Sequence[str]) -> str:
    return ", ".join(allow)
