"""Processes -> a cluster: five of them, a storage class, and two nodes that are ready."""

from __future__ import annotations

import contextlib
import json
import shutil
import ssl
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.parts import PartError, kubernetes
from tests.parts.cache import make_folder
from tests.parts.kubernetes.cluster import Cluster
from tests.parts.kubernetes.components import ADMIN, CONTEXT, Home, Ports
from tests.parts.lockfile import find_part
from tests.parts.process import as_server_user, end_of_log, free_ports, give_to_server_user

NODES = ("node-0", "node-1")
ROOM = {"cpu": "32", "memory": "256Gi", "pods": "110", "ephemeral-storage": "1Ti"}
STORAGE_CLASS = {
    "apiVersion": "storage.k8s.io/v1",
    "kind": "StorageClass",
    "metadata": {
        "name": "fake",
        "annotations": {"storageclass.kubernetes.io/is-default-class": "true"},
    },
    "provisioner": "test.sre-obs/fake",
    "volumeBindingMode": "Immediate",
}
TAKEN = "address already in use"
ATTEMPTS = 3


@dataclass(slots=True)
class Server:
    """A started cluster; ``uuid`` is the uid of its namespace kube-system."""

    home: Home
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)
    uuid: str = ""
    login: None = None

    @property
    def url(self) -> str:
        return self.home.url

    @property
    def folder(self) -> Path:
        return self.home.folder

    @property
    def greeting(self) -> str:
        return f"{self.url}\nexport KUBECONFIG={self.home.kubeconfig(ADMIN)}"

    def stop(self) -> None:
        """Ends all at once: nothing of it is wanted any more. The folder goes too."""
        for process in self.processes.values():
            process.kill()
        for process in self.processes.values():
            process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


class _Taken(Exception):
    """Somebody took one of the ports between the look and the start."""


def cluster_in(folder: Path, url: str) -> Cluster:
    """What tests see of the cluster that was started in that folder."""
    pki = folder / "pki"
    return Cluster(
        kubeconfig=folder / f"{ADMIN}.kubeconfig",
        context=CONTEXT,
        url=url,
        ca=pki / "ca.crt",
        client_certificate=pki / "admin.crt",
        client_key=pki / "admin.key",
        audit_log=folder / "audit.log",
    )


def start(folder: Path, *, wanted: Callable[[], bool], patience: float = 120.0) -> Server:
    """Starts a cluster whose home is ``folder`` (new) and waits until its nodes are ready.

    It ends with the process that called this, however that ends. Raises PartError with
    the end of a log when it does not come up within ``patience`` seconds, and when it is
    no longer ``wanted``.
    """
    programs = {name: kubernetes.install(find_part(name)) for name in kubernetes.PARTS}
    for attempt in range(ATTEMPTS):
        server = Server(Home(folder, Ports(*free_ports(4))))
        try:
            _Start(server, programs, wanted, time.monotonic() + patience).run()
        except BaseException as error:
            server.stop()
            if isinstance(error, _Taken) and attempt + 1 < ATTEMPTS:
                continue
            raise
        return server
    raise AssertionError("the last attempt returns or raises")


@dataclass(frozen=True, slots=True)
class _Start:
    """One attempt at a start."""

    server: Server
    programs: Mapping[str, Path]
    wanted: Callable[[], bool]
    deadline: float

    def run(self) -> None:
        home = self.server.home
        make_folder(home.folder)
        home.lay_out()
        give_to_server_user(home.folder)
        control_plane = self.programs[kubernetes.CONTROL_PLANE]
        self._launch("etcd", control_plane, home.etcd())
        self._launch("apiserver", control_plane, home.apiserver())
        api = Api(cluster_in(home.folder, home.url))
        self._until("the API server is not ready", lambda: api.answers("/readyz"))
        # Started any sooner, they would find nobody and wait longer each time they try.
        self._launch("controller-manager", control_plane, home.controller_manager())
        self._launch("scheduler", control_plane, home.scheduler())
        self._launch("fake-nodes", self.programs[kubernetes.FAKE_NODES], home.fake_nodes())
        api.create("/apis/storage.k8s.io/v1/storageclasses", STORAGE_CLASS)
        for name in NODES:
            api.create("/api/v1/nodes", _node(name))
        self._until("the nodes are not ready", lambda: _nodes_are_ready(api))
        account = "/api/v1/namespaces/default/serviceaccounts/default"
        self._until("namespaces get no service account", lambda: api.answers(account))
        self.server.uuid = api.get("/api/v1/namespaces/kube-system")["metadata"]["uid"]

    def _launch(self, name: str, program: Path, arguments: list[str]) -> None:
        folder = self.server.folder
        with (folder / f"{name}.log").open("wb") as log:
            self.server.processes[name] = subprocess.Popen(
                [*as_server_user(name), str(program), *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Nothing of this environment is theirs: not a proxy, not somebody's kubeconfig.
                env={"HOME": str(folder), "PATH": "/usr/bin:/bin"},
                cwd=folder,
            )

    def _until(self, trouble: str, reached: Callable[[], bool]) -> None:
        while not reached():
            if not self.wanted():
                raise PartError("kubernetes is no longer wanted")
            for name, process in self.server.processes.items():
                if process.poll() is not None:
                    self._explain(name)
            if time.monotonic() > self.deadline:
                last = list(self.server.processes)[-1]
                said = end_of_log(self.server.folder, last)
                raise PartError(f"kubernetes: {trouble}, and time is up; {last} says:\n{said}")
            time.sleep(0.05)  # a start takes seconds; there is nothing to wait on

    def _explain(self, name: str) -> None:
        said = end_of_log(self.server.folder, name)
        if TAKEN in said:
            raise _Taken(name)
        raise PartError(f"kubernetes: {name} ended while starting:\n{said}")


def _node(name: str) -> dict[str, Any]:
    labels = {
        "kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": name,
    }
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {
            "name": name,
            "labels": labels,
            "annotations": {"kwok.x-k8s.io/node": "fake"},
        },
        "status": {"allocatable": ROOM, "capacity": ROOM},
    }


def _nodes_are_ready(api: Api) -> bool:
    """Both Ready and without the taint that the controller manager takes away for it."""
    nodes = api.get("/api/v1/nodes")["items"]
    return len(nodes) == len(NODES) and all(
        not node["spec"].get("taints")
        and any(
            condition["type"] == "Ready" and condition["status"] == "True"
            for condition in node["status"].get("conditions", ())
        )
        for node in nodes
    )


class Api:
    """The API server by the standard library, for whoever runs before anything is installed."""

    def __init__(self, cluster: Cluster) -> None:
        assert cluster.client_certificate is not None
        self._url = cluster.url
        self._trust = ssl.create_default_context(cafile=cluster.ca)
        self._trust.load_cert_chain(cluster.client_certificate, cluster.client_key)

    def answers(self, path: str) -> bool:
        """Whether there is such a thing, and somebody who says so."""
        with contextlib.suppress(OSError):
            self._request("GET", path)
            return True
        return False

    def get(self, path: str) -> dict[str, Any]:
        """The object at that path."""
        found: dict[str, Any] = json.loads(self._request("GET", path))
        return found

    def create(self, path: str, wanted: Mapping[str, Any]) -> None:
        """Raises PartError when the server does not want it."""
        try:
            self._request("POST", path, json.dumps(wanted).encode())
        except urllib.error.HTTPError as error:
            with error:
                said = error.read().decode(errors="replace")
            raise PartError(f"kubernetes refuses {wanted['metadata']['name']}: {said}") from None

    def _request(self, method: str, path: str, body: bytes | None = None) -> bytes:
        request = urllib.request.Request(
            self._url + path, body, {"Content-Type": "application/json"}, method=method
        )
        with urllib.request.urlopen(request, timeout=10, context=self._trust) as answer:
            read: bytes = answer.read()
        return read
