"""Kubernetes out of its Go modules: a control plane of its own kind, and nodes that are fake.

    controlplane   Go: etcd, kube-apiserver, kube-controller-manager, kube-scheduler in one
    fakenodes      Go: the lock of kwok, which plays the kubelets
    stages.yaml    what kwok makes of nodes, pods and volumes; how a test asks for trouble
    components     the command line of each process, its certificates and kubeconfigs
    server         processes -> a cluster with nodes that are ready
    cluster        the cluster that tests see, ours or one that somebody names

Everything but the containers is real: no image is pulled and nothing runs in a pod. What
a pod needs to be Ready happens at once, or never where its annotation says so.
"""

from __future__ import annotations

from pathlib import Path

from tests.parts.golang import Program, build
from tests.parts.lockfile import Part, find_part

HERE = Path(__file__).parent
CONTROL_PLANE, FAKE_NODES = "kubernetes", "kwok"
PARTS = (CONTROL_PLANE, FAKE_NODES)


def install(part: Part) -> Path:
    """The executable of that part, built when the cache does not have it. Raises PartError."""
    return build(part, _program(part))


def install_all() -> None:
    """Builds what a cluster consists of. Raises PartError."""
    for name in PARTS:
        install(find_part(name))


def _program(part: Part) -> Program:
    if part.name == FAKE_NODES:
        return Program(HERE / "fakenodes", "sigs.k8s.io/kwok/cmd/kwok")
    major, minor, _ = part.version.split(".")
    # Upstream's own build stamps these; without them it would call itself v0.0.0-master.
    stamp = {"gitVersion": f"v{part.version}", "gitMajor": major, "gitMinor": minor}
    linker = [f"-X k8s.io/component-base/version.{name}={is_}" for name, is_ in stamp.items()]
    return Program(HERE / "controlplane", ".", tuple(linker))
