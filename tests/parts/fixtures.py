"""What tests see of the parts: ``elasticsearch_url``, ``es_prefix``, ``secured_elasticsearch``,
and ``kubernetes``, ``kubernetes_client``, ``namespace``.

A test that uses one of them is marked ``server`` by itself, and ``kubernetes`` too where that
is the server. Everything such a test makes on the
server has a name that starts with ``es_prefix``; that, and nothing else, is deleted after
it. SRE_OBS_TEST_ELASTICSEARCH_URL names another server to run on, which is used only when
SRE_OBS_TEST_ELASTICSEARCH_UUID repeats its cluster's UUID: nobody points tests at
production by a variable left set. The secured server is always the run's own, since its
tests make users, roles and keys; it is started by the first test that asks for it.

On Kubernetes what a test makes lies in its ``namespace``, which goes with all that is in it;
what has none has a name that starts with the namespace's, and the test deletes it.
SRE_OBS_TEST_KUBECONFIG is the kubeconfig of another cluster, which is used only when
SRE_OBS_TEST_KUBE_CONTEXT repeats the name of its current context.
"""

from __future__ import annotations

import json
import os
import secrets
import time
import urllib.error
import urllib.request
from base64 import b64encode
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit, urlunsplit

import pytest

from tests.parts import PartError
from tests.parts.kubernetes.cluster import CONFIRMED_BY, NAMED_BY, Cluster, other_cluster
from tests.parts.run import ENVIRONMENT, SECURED, Run, elasticsearch_of, kubernetes_of, stop

if TYPE_CHECKING:
    from kubernetes.client import ApiClient, CoreV1Api

RUN = pytest.StashKey[Run]()
OWN_RUN = pytest.StashKey[bool]()
# Fixture -> the markers of a test that uses it; the others are made of these.
SERVER_FIXTURES = {
    "elasticsearch_url": ("server",),
    "secured_elasticsearch": ("server",),
    "kubernetes": ("server", "kubernetes"),
}


def pytest_configure(config: pytest.Config) -> None:
    if major := os.environ.get("SRE_OBS_TEST_CLIENT_MAJOR"):
        # A phase that was meant for the older client and ran the newer would prove nothing.
        found = metadata.version("elasticsearch")
        if found.partition(".")[0] != major:
            raise pytest.UsageError(f"elasticsearch client {major} is wanted, {found} is installed")
    worker: dict[str, Any] | None = getattr(config, "workerinput", None)
    inherited = worker["sre_obs_run"] if worker else os.environ.get(ENVIRONMENT)
    config.stash[OWN_RUN] = inherited is None
    config.stash[RUN] = Run.parse(inherited) if inherited else Run.new()


def pytest_report_header() -> str:
    return f"elasticsearch client {metadata.version('elasticsearch')}"


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    node.workerinput["sre_obs_run"] = str(node.config.stash[RUN])


def pytest_unconfigure(config: pytest.Config) -> None:
    if config.stash.get(OWN_RUN, False):
        stop(config.stash[RUN])


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        for used in SERVER_FIXTURES.keys() & getattr(item, "fixturenames", ()):
            for marker in SERVER_FIXTURES[used]:
                item.add_marker(marker)


@pytest.fixture(scope="session")
def elasticsearch_url(pytestconfig: pytest.Config) -> str:
    """The address of a real Elasticsearch 9.4 without security, one for the whole run."""
    if other := os.environ.get("SRE_OBS_TEST_ELASTICSEARCH_URL"):
        return checked_other(other, os.environ.get("SRE_OBS_TEST_ELASTICSEARCH_UUID", ""))
    return elasticsearch_of(pytestconfig.stash[RUN]).url


@dataclass(frozen=True, slots=True)
class SecuredServer:
    """A server that knows who asks: its address, its CA's PEM file, who may do everything."""

    url: str
    ca: str
    user: str
    password: str


@pytest.fixture(scope="session")
def secured_elasticsearch(pytestconfig: pytest.Config) -> SecuredServer:
    """A real Elasticsearch 9.4 with security and TLS, one for the whole run.

    What tests make on it goes with it: give it names of your own, nothing is deleted.
    """
    address = elasticsearch_of(pytestconfig.stash[RUN], SECURED)
    assert address.login is not None
    login = address.login
    return SecuredServer(address.url, login.ca, login.user, login.password)


@pytest.fixture
def es_prefix(elasticsearch_url: str) -> Iterator[str]:
    """What every name made on the server by this test starts with; deleted after it."""
    prefix = f"sre-obs-test-{secrets.token_hex(6)}"
    yield prefix
    delete_prefix(elasticsearch_url, prefix)


@pytest.fixture(scope="session", name="kubernetes")
def kubernetes_cluster(pytestconfig: pytest.Config) -> Cluster:
    """A real Kubernetes with two fake nodes, one for the whole run."""
    if other := os.environ.get(NAMED_BY):
        return other_cluster(Path(other), os.environ.get(CONFIRMED_BY, ""))
    return kubernetes_of(pytestconfig.stash[RUN])


@pytest.fixture(scope="session")
def kubernetes_client(kubernetes: Cluster) -> Iterator[ApiClient]:
    """The official client, as one who may do everything."""
    from kubernetes.config import new_client_from_config

    new_client: Any = new_client_from_config  # it has no types
    with new_client(str(kubernetes.kubeconfig), kubernetes.context) as client:
        yield client


@pytest.fixture
def namespace(kubernetes_client: ApiClient) -> Iterator[str]:
    """The name of a namespace of this test's own, with its service account.

    It is deleted after the test and nobody waits for that.
    """
    from kubernetes.client import CoreV1Api, V1Namespace, V1ObjectMeta

    core = CoreV1Api(kubernetes_client)
    name = f"sre-obs-test-{secrets.token_hex(6)}"
    core.create_namespace(V1Namespace(metadata=V1ObjectMeta(name=name)))
    try:
        # No pod is admitted before it is there.
        _await_account(core, name)
        yield name
    finally:
        _delete_namespace(core, name)


def _await_account(core: CoreV1Api, namespace: str) -> None:
    deadline = time.monotonic() + 30
    while not core.list_namespaced_service_account(namespace).items:
        if time.monotonic() > deadline:
            raise PartError(f"kubernetes: the namespace {namespace} gets no service account")
        time.sleep(0.02)


def _delete_namespace(core: CoreV1Api, name: str) -> None:
    from kubernetes.client import ApiException

    try:
        core.delete_namespace(name)
    except ApiException as error:
        # 404: by the test; 409: it goes already.
        if error.status not in (404, 409):
            raise


def checked_other(url: str, uuid: str) -> str:
    """The URL of another server, once it is shown to be the one that was meant."""
    try:
        found = call(url, "GET", "/")["cluster_uuid"]
    except (OSError, KeyError, ValueError) as error:
        where = urlsplit(url).hostname
        raise PartError(
            f"SRE_OBS_TEST_ELASTICSEARCH_URL: {where} does not answer: {error}"
        ) from None
    if found != uuid:
        raise PartError(
            f"SRE_OBS_TEST_ELASTICSEARCH_URL leads to the cluster {found}; tests write there only "
            f"when SRE_OBS_TEST_ELASTICSEARCH_UUID says so (it says {uuid or 'nothing'})"
        )
    return url


def delete_prefix(url: str, prefix: str) -> None:
    """Deletes the data streams, indices and index templates whose names start with prefix.

    By their full names: a server may refuse to delete by wildcard. The server of
    tests/parts cannot delete data streams; there they go with the server.
    """
    found = call(url, "GET", f"/_resolve/index/{prefix}*?expand_wildcards=all")
    for kind, path in (("data_streams", "/_data_stream/"), ("indices", "/")):
        for name in (entry["name"] for entry in found[kind]):
            if name.startswith(prefix):
                call(url, "DELETE", path + name, tolerated=(400, 404, 405))
    templates = call(url, "GET", f"/_index_template/{prefix}*", tolerated=(404,))
    for template in templates.get("index_templates", ()):
        call(url, "DELETE", f"/_index_template/{template['name']}")


def call(url: str, method: str, path: str, *, tolerated: tuple[int, ...] = ()) -> dict[str, Any]:
    """One request, without the client under test; {} for a tolerated error status."""
    parts = urlsplit(url)
    request = urllib.request.Request(
        urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], "", "", "")) + path,
        method=method,
        headers={"Accept": "application/json"},
    )
    if parts.username:
        secret = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        request.add_header("Authorization", f"Basic {b64encode(secret.encode()).decode()}")
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            parsed: dict[str, Any] = json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            if error.code not in tolerated:
                raise
        return {}
    return parsed
