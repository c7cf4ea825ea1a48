"""The real Kubernetes of the tests: which one it is, and that it does what production does."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from kubernetes import client, stream, watch
from kubernetes.client import ApiClient, ApiException

from tests.parts import PartError
from tests.parts.kubernetes import server
from tests.parts.kubernetes.cluster import NAMED_BY, Cluster, other_cluster
from tests.parts.lockfile import find_part
from tests.parts.process import free_ports
from tests.parts.run import Run

IMAGE = "registry.example/app:1"
PATIENCE = 60  # seconds; two cores may be busy with much else


# Half of the client has no types and the other half wants a class for each object.
AppsApi: Any = client.AppsV1Api
CoreApi: Any = client.CoreV1Api
Watch: Any = watch.Watch
Forward: Any = stream.portforward


def deployment(replicas: int = 1, *, fate: str = "") -> dict[str, Any]:
    labels = {"app": "web"}
    # Empty annotations would be a field too, owned and fought over.
    annotations = {"annotations": {"test.sre-obs/fate": fate}} if fate else {}
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels, **annotations},
                "spec": {
                    # A namespace that goes looks again after half of it.
                    "terminationGracePeriodSeconds": 1,
                    "containers": [{"name": "app", "image": IMAGE}],
                },
            },
        },
    }


def apply(apps: Any, namespace: str, body: dict[str, Any], manager: str) -> Any:
    return apps.patch_namespaced_deployment(
        body["metadata"]["name"],
        namespace,
        body,
        field_manager=manager,
        _content_type="application/apply-patch+yaml",
    )


def first(events: Callable[..., Any], namespace: str, wanted: Callable[[str, Any], bool]) -> Any:
    """The first object of the watch for which ``wanted(type of event, object)``."""
    watching = Watch()
    for event in watching.stream(events, namespace, timeout_seconds=PATIENCE):
        if wanted(event["type"], event["object"]):
            watching.stop()
            return event["object"]
    raise AssertionError(f"nothing of the kind within {PATIENCE} s")


def is_ready(pod: Any) -> bool:
    return any(c.type == "Ready" and c.status == "True" for c in pod.status.conditions or ())


@pytest.mark.skipif(NAMED_BY in os.environ, reason="that cluster has a version of its own")
def test_it_is_the_version_of_the_lock_file_and_says_so(kubernetes_client: ApiClient) -> None:
    said = client.VersionApi(kubernetes_client).get_code()
    assert said.git_version == f"v{find_part('kubernetes').version}"
    assert f"{said.major}.{said.minor}" == "1.37"


def test_an_apply_conflicts_with_the_manager_who_owns_the_field(
    kubernetes_client: ApiClient, namespace: str
) -> None:
    apps = AppsApi(kubernetes_client)
    apply(apps, namespace, deployment(1), "sre-obs")
    with pytest.raises(ApiException) as refused:
        apply(apps, namespace, deployment(2), "somebody-else")
    assert refused.value.status == 409
    causes = json.loads(refused.value.body or "")["details"]["causes"]
    assert [(cause["reason"], cause["field"]) for cause in causes] == [
        ("FieldManagerConflict", ".spec.replicas")
    ]
    assert '"sre-obs"' in causes[0]["message"]


def test_a_pod_is_scheduled_to_a_fake_node_and_ready(
    kubernetes_client: ApiClient, namespace: str
) -> None:
    apply(AppsApi(kubernetes_client), namespace, deployment(), "sre-obs")
    core = CoreApi(kubernetes_client)
    pod = first(core.list_namespaced_pod, namespace, lambda _, pod: is_ready(pod))
    node = core.read_node(pod.spec.node_name)
    assert node.metadata.annotations["kwok.x-k8s.io/node"] == "fake"
    assert pod.status.phase == "Running"


@pytest.mark.parametrize(
    ("fate", "phase", "reason"),
    [
        ("cannot-pull", "Pending", "ImagePullBackOff"),
        ("crashes", "Running", "CrashLoopBackOff"),
        ("never-ready", "Running", None),
    ],
)
def test_a_pod_has_the_fate_that_its_annotation_asks_for(
    kubernetes_client: ApiClient, namespace: str, fate: str, phase: str, reason: str | None
) -> None:
    doomed = deployment(fate=fate)
    apply(AppsApi(kubernetes_client), namespace, doomed, "sre-obs")
    core = CoreApi(kubernetes_client)
    pod = first(
        core.list_namespaced_pod, namespace, lambda _, pod: bool(pod.status.container_statuses)
    )
    (container,) = pod.status.container_statuses
    assert (pod.status.phase, is_ready(pod), container.ready) == (phase, False, False)
    assert (container.state.waiting and container.state.waiting.reason) == reason
    event = first(core.list_namespaced_event, namespace, lambda _, event: event.type == "Warning")
    assert event.involved_object.name == pod.metadata.name


@pytest.mark.skipif(NAMED_BY in os.environ, reason="pods of that cluster have servers of their own")
def test_a_port_of_a_pod_is_forwarded_to_a_web_server(
    kubernetes_client: ApiClient, namespace: str
) -> None:
    apply(AppsApi(kubernetes_client), namespace, deployment(), "sre-obs")
    core = CoreApi(kubernetes_client)
    pod = first(core.list_namespaced_pod, namespace, lambda _, pod: is_ready(pod))
    forwarded = Forward(
        core.connect_get_namespaced_pod_portforward, pod.metadata.name, namespace, ports="8080"
    )
    with closing(forwarded.socket(8080)) as connection:
        connection.settimeout(PATIENCE)
        connection.sendall(b"GET / HTTP/1.1\r\nHost: pod\r\n\r\n")
        answer = b""
        # That the server hung up is not told through a web socket: its length has to do.
        while not answer.endswith(b"hello"):
            answer += connection.recv(4096)
    assert answer.startswith(b"HTTP/1.1 200 OK")


def test_a_claim_without_a_class_is_bound_to_a_volume(
    kubernetes_client: ApiClient, namespace: str
) -> None:
    core = CoreApi(kubernetes_client)
    claim = {
        "metadata": {"name": "data"},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    core.create_namespaced_persistent_volume_claim(namespace, claim)
    bound = first(
        core.list_namespaced_persistent_volume_claim,
        namespace,
        lambda _, claim: claim.status.phase == "Bound",
    )
    assert bound.status.capacity == {"storage": "1Gi"}


def test_a_deleted_namespace_is_gone_with_what_was_in_it(
    kubernetes_client: ApiClient, namespace: str
) -> None:
    core = CoreApi(kubernetes_client)
    apply(AppsApi(kubernetes_client), namespace, deployment(), "sre-obs")
    first(core.list_namespaced_pod, namespace, lambda _, pod: is_ready(pod))
    core.delete_namespace(namespace)
    gone = Watch().stream(
        core.list_namespace,
        field_selector=f"metadata.name={namespace}",
        timeout_seconds=PATIENCE,
    )
    assert any(event["type"] == "DELETED" for event in gone)
    assert core.list_namespaced_pod(namespace).items == []


@pytest.fixture
def as_account(
    kubernetes: Cluster, kubernetes_client: ApiClient, namespace: str
) -> Iterator[ApiClient]:
    """A client that logs in with a token of the namespace's own service account."""
    request = {"spec": {"expirationSeconds": 600}}
    core = CoreApi(kubernetes_client)
    answer = core.create_namespaced_service_account_token("default", namespace, request)
    settings = client.Configuration()
    settings.host, settings.ssl_ca_cert = (
        kubernetes.url,
        kubernetes_client.configuration.ssl_ca_cert,
    )
    settings.api_key["authorization"] = f"Bearer {answer.status.token}"
    with ApiClient(settings) as made:
        yield made


def test_a_requested_token_logs_in_and_may_not_read_secrets(
    as_account: ApiClient, namespace: str
) -> None:
    authentication: Any = client.AuthenticationV1Api(as_account)
    me = authentication.create_self_subject_review({})
    assert me.status.user_info.username == f"system:serviceaccount:{namespace}:default"
    review = {
        "spec": {
            "resourceAttributes": {"verb": "get", "resource": "secrets", "namespace": namespace}
        }
    }
    authorization: Any = client.AuthorizationV1Api(as_account)
    said = authorization.create_self_subject_access_review(review)
    assert said.status.allowed is False
    with pytest.raises(ApiException) as refused:
        CoreApi(as_account).list_namespaced_secret(namespace)
    assert refused.value.status == 403


def test_a_dry_run_on_the_server_answers_and_leaves_nothing(
    kubernetes_client: ApiClient, namespace: str
) -> None:
    apps = AppsApi(kubernetes_client)
    answer = apps.patch_namespaced_deployment(
        "web",
        namespace,
        deployment(),
        field_manager="sre-obs",
        dry_run="All",
        _content_type="application/apply-patch+yaml",
    )
    assert answer.spec.template.spec.containers[0].image_pull_policy  # a default: it was admitted
    assert apps.list_namespaced_deployment(namespace).items == []


@pytest.mark.skipif(NAMED_BY in os.environ, reason="that cluster keeps its audit log to itself")
def test_the_audit_log_has_what_tests_wrote_and_nothing_of_the_cluster_itself(
    kubernetes: Cluster, kubernetes_client: ApiClient, namespace: str
) -> None:
    apply(AppsApi(kubernetes_client), namespace, deployment(), "sre-obs")
    core = CoreApi(kubernetes_client)
    first(core.list_namespaced_pod, namespace, lambda _, pod: is_ready(pod))
    assert kubernetes.audit_log is not None
    lines = [json.loads(line) for line in kubernetes.audit_log.read_text("utf-8").splitlines()]
    ours = [line for line in lines if line.get("objectRef", {}).get("namespace") == namespace]
    written = {(line["verb"], line["objectRef"]["resource"]) for line in ours}
    assert ("patch", "deployments") in written
    assert {line["user"]["username"] for line in ours} == {"admin"}


@pytest.mark.server
@pytest.mark.kubernetes
def test_a_start_that_finds_one_of_its_ports_taken_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    chosen: list[list[int]] = []
    with socket.create_server(("127.0.0.1", 0)) as taken:

        def choose(count: int) -> list[int]:
            ports = free_ports(count)
            if not chosen:
                ports[-2] = taken.getsockname()[1]
            chosen.append(ports)
            return ports

        monkeypatch.setattr(server, "free_ports", choose)
        started = server.start(Run.new().folder, wanted=lambda: True)
        started.stop()
    assert len(chosen) == 2
    assert started.url == f"https://127.0.0.1:{chosen[1][-2]}"
    assert not started.folder.exists()


def kubeconfig(folder: Path, text: str) -> Path:
    path = folder / "config"
    path.write_text(text, encoding="utf-8")
    return path


OTHER = """
current-context: production
contexts: [{name: production, context: {cluster: a, user: b}}]
clusters: [{name: a, cluster: {server: "https://k8s.example:6443", certificate-authority: ca.crt}}]
users: [{name: b, user: {token: secret}}]
"""


@pytest.mark.parametrize("confirmed", ["", "staging"])
def test_another_cluster_is_refused_unless_its_context_is_repeated(
    tmp_path: Path, confirmed: str
) -> None:
    with pytest.raises(PartError, match=r"is production; .*SRE_OBS_TEST_KUBE_CONTEXT"):
        other_cluster(kubeconfig(tmp_path, OTHER), confirmed)


def test_another_cluster_is_used_when_its_context_is_repeated(tmp_path: Path) -> None:
    found = other_cluster(kubeconfig(tmp_path, OTHER), "production")
    assert (found.url, found.context) == ("https://k8s.example:6443", "production")
    assert (found.ca, found.client_certificate) == (tmp_path / "ca.crt", None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a list", "is no kubeconfig"),
        ("{", "cannot be read"),
        ("contexts: []", "is not set"),
        ("current-context: production", "leads to no server"),
    ],
)
def test_a_kubeconfig_that_leads_nowhere_is_refused(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(PartError, match=said):
        other_cluster(kubeconfig(tmp_path, text), "production")
