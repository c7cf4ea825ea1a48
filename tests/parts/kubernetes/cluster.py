"""The cluster that tests run on: ours, or another that its user names twice."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.parts import PartError

NAMED_BY, CONFIRMED_BY = "SRE_OBS_TEST_KUBECONFIG", "SRE_OBS_TEST_KUBE_CONTEXT"


@dataclass(frozen=True, slots=True)
class Cluster:
    """How a test gets at a cluster; ``kubeconfig`` with its current context always does.

    The files are None on another cluster whose kubeconfig doesn't name such files.
    ``audit_log`` is our own cluster's: one JSON object a line for every request that is not
    one of the cluster's own components; its line may come a moment after the answer.
    """

    kubeconfig: Path
    context: str
    url: str
    ca: Path | None
    client_certificate: Path | None
    client_key: Path | None
    audit_log: Path | None


def other_cluster(kubeconfig: Path, confirmed: str) -> Cluster:
    """The cluster of that file's current context, once it is shown to be the one that was meant.

    Raises PartError unless ``confirmed`` is the context's name, and for a file that names
    no cluster.
    """
    config = _read(kubeconfig)
    context = str(config.get("current-context", ""))
    if not context or context != confirmed:
        raise PartError(
            f"the current context of {NAMED_BY} is {context or 'not set'}; tests write there only "
            f"when {CONFIRMED_BY} says so (it says {confirmed or 'nothing'})"
        )
    chosen = _named(config, "contexts", context, "context")
    cluster = _named(config, "clusters", str(chosen.get("cluster", "")), "cluster")
    user = _named(config, "users", str(chosen.get("user", "")), "user")
    if "server" not in cluster:
        raise PartError(f"{NAMED_BY}: the context {context} leads to no server")
    base = kubeconfig.parent
    return Cluster(
        kubeconfig=kubeconfig,
        context=context,
        url=str(cluster["server"]),
        ca=_file(base, cluster.get("certificate-authority")),
        client_certificate=_file(base, user.get("client-certificate")),
        client_key=_file(base, user.get("client-key")),
        audit_log=None,
    )


def _read(kubeconfig: Path) -> dict[str, Any]:
    import yaml

    try:
        config = yaml.safe_load(kubeconfig.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PartError(f"{NAMED_BY}: {kubeconfig} cannot be read: {error}") from None
    if not isinstance(config, dict):
        raise PartError(f"{NAMED_BY}: {kubeconfig} is no kubeconfig")
    return config


def _named(config: dict[str, Any], plural: str, name: str, kind: str) -> dict[str, Any]:
    for entry in config.get(plural) or ():
        if entry.get("name") == name:
            return entry.get(kind) or {}
    return {}


def _file(base: Path, named: str | None) -> Path | None:
    return base / named if named else None
