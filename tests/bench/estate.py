"""The telemetry of a made-up estate, as the integrations write it, onto a real server.

Its shape is that of the estate behind our figures of searches, in small: pods in namespaces
on nodes, PostgreSQL servers, services with traces, a document each 10 s. A few of them are
ill, most are well. Types come from the telemetry contract; what the server lacks has a near
one. Indices are refreshed every two minutes of telemetry, so that they have segments as live
ones have.
"""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sre_obs.adapters.elasticsearch.scratch import STAND_INS, properties
from sre_obs.content.telemetry.load import load_contract

START = 1_768_478_400.0
PERIOD = 10.0
TICKS = 12  # between two refreshes
SHORT = 900.0
LONG = ("metrics-kubernetes.state_container", "metrics-postgresql.bgwriter")
RULES = Path(__file__).parents[2] / "rules"

Fields = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Size:
    """How much there is of everything."""

    pods: int = 300
    nodes: int = 20
    namespaces: int = 10
    databases: int = 5
    services: int = 10


@dataclass(frozen=True, slots=True)
class Kind:
    """One stream: what is constant about each thing in it, and what it measures (by the
    thing's number and the seconds since the start). Only a `long` one reaches back to the
    start; rules look at the last quarter of an hour of the others."""

    index: str
    things: tuple[Fields, ...]
    measure: Callable[[int, float], Fields]
    long: bool = False


def kinds(size: Size) -> list[Kind]:
    """All streams."""
    return [*_pods(size), *_workloads(size), *_nodes(size), *_postgresql(size), *_services(size)]


# -- what there is


def _pods(size: Size) -> Iterator[Kind]:
    pods = [_pod(n, size) for n in range(size.pods)]
    container = "kubernetes.container"
    limit = 512 * 2**20

    def state_container(n: int, t: float) -> Fields:
        ill, waits = n % 50 == 7, n % 100 == 23
        found: dict[str, Any] = {
            f"{container}.status.phase": "waiting" if waits else "running",
            f"{container}.status.ready": not waits,
            f"{container}.status.restarts": int(t // 240) if ill else n % 3,
        }
        if waits:
            found[f"{container}.status.reason"] = "ContainerCreating"
        if ill:
            found[f"{container}.status.last_terminated_reason"] = "OOMKilled"
            found[f"{container}.status.last_terminated_timestamp"] = START + t // 240 * 240
        return found

    requests = {
        f"{container}.cpu.limit.cores": 1.0,
        f"{container}.cpu.request.cores": 0.1,
        f"{container}.memory.limit.bytes": limit,
        f"{container}.memory.request.bytes": limit // 2,
    }
    state = tuple({**pod, **requests} for pod in pods)
    yield _kind("metrics-kubernetes.state_container", state, state_container)

    def usage(n: int, t: float) -> Fields:
        share = 0.96 if n % 75 == 11 else 0.3 + (n * 37 + int(t)) % 40 / 100
        used = int(limit * share)
        return {
            f"{container}.memory.workingset.bytes": used,
            f"{container}.memory.usage.bytes": used + 2**20,
            f"{container}.memory.rss.bytes": used - 2**20,
            f"{container}.memory.workingset.limit.pct": share,
            f"{container}.cpu.usage.limit.pct": (n * 11 + int(t)) % 90 / 100,
            f"{container}.cpu.usage.nanocores": (n * 11 + int(t)) % 90 * 1e7,
            f"{container}.memory.pagefaults": int(t) * 7 + n,
        }

    yield _kind("metrics-kubernetes.container", tuple(pods), usage)

    def state_pod(n: int, t: float) -> Fields:
        phase = "pending" if n % 100 == 23 else "running"
        return {
            "kubernetes.pod.status.phase": phase,
            "kubernetes.pod.status.ready": "false" if phase == "pending" else "true",
            "kubernetes.pod.status.scheduled": "true",
        }

    yield _kind("metrics-kubernetes.state_pod", tuple(pods), state_pod)

    def volume(n: int, t: float) -> Fields:
        share = 0.93 if n % 40 == 13 else 0.2 + n % 50 / 100
        return {
            "kubernetes.volume.fs.used.bytes": int(10 * 2**30 * share) + int(t) * 1000,
            "kubernetes.volume.fs.available.bytes": int(10 * 2**30 * (1 - share)),
            "kubernetes.volume.fs.capacity.bytes": 10 * 2**30,
            "kubernetes.volume.fs.inodes.used": 1000 + n,
            "kubernetes.volume.fs.inodes.count": 655_360,
        }

    volumes = tuple({**pod, "kubernetes.volume.name": "data"} for pod in pods[::3])
    yield _kind("metrics-kubernetes.volume", volumes, volume)


def _workloads(size: Size) -> Iterator[Kind]:
    def named(what: str, count: int, **more: Any) -> tuple[Fields, ...]:
        return tuple(
            {
                **_agent(n % size.nodes),
                "kubernetes.namespace": f"ns-{n % size.namespaces}",
                f"kubernetes.{what}.name": f"{what}-{n}",
                **more,
            }
            for n in range(max(count, 1))
        )

    def deployment(n: int, t: float) -> Fields:
        replicas = "kubernetes.deployment.replicas"
        lacking = n % 20 == 9
        return {
            f"{replicas}.desired": 5,
            f"{replicas}.available": 4 if lacking else 5,
            f"{replicas}.unavailable": 1 if lacking else 0,
            f"{replicas}.updated": 5,
            "kubernetes.deployment.paused": False,
        }

    stream = "metrics-kubernetes.state_"
    yield _kind(f"{stream}deployment", named("deployment", size.pods // 5), deployment)
    of_set = {"desired": 3, "ready": 3, "observed": 3}
    of_daemon = {"desired": size.nodes, "available": size.nodes, "ready": size.nodes}
    for what, count, replicas in (
        ("statefulset", size.pods // 30, of_set),
        ("daemonset", 5, of_daemon),
    ):
        said = {f"kubernetes.{what}.replicas.{name}": value for name, value in replicas.items()}
        yield _kind(f"{stream}{what}", named(what, count), lambda n, t, said=said: said)  # type: ignore[misc]

    def job(n: int, t: float) -> Fields:
        return {
            "kubernetes.job.status.complete": "true",
            "kubernetes.job.status.failed": "false",
            "kubernetes.job.pods.active": 0,
            "kubernetes.job.pods.failed": 0,
            "kubernetes.job.pods.succeeded": 1,
            "kubernetes.job.time.created": _iso(START - 600 * n),
        }

    owner = {"kubernetes.job.owner.kind": "CronJob", "kubernetes.job.owner.name": "nightly"}
    yield _kind(f"{stream}job", named("job", size.pods // 30, **owner), job)

    def cronjob(n: int, t: float) -> Fields:
        return {
            "kubernetes.cronjob.active.count": 0,
            "kubernetes.cronjob.is_suspended": False,
            "kubernetes.cronjob.last_schedule.sec": START - 600,
            "kubernetes.cronjob.next_schedule.sec": START + 3600,
        }

    yield _kind(f"{stream}cronjob", named("cronjob", 5), cronjob)
    claim, volume = "kubernetes.persistentvolumeclaim", "kubernetes.persistentvolume"
    yield _kind(
        f"{stream}persistentvolumeclaim",
        named("persistentvolumeclaim", size.pods // 15),
        lambda n, t: {f"{claim}.phase": "Bound", f"{claim}.request_storage.bytes": 10 * 2**30},
    )
    yield _kind(
        f"{stream}persistentvolume",
        named("persistentvolume", size.pods // 15),
        lambda n, t: {f"{volume}.phase": "Bound", f"{volume}.capacity.bytes": 10 * 2**30},
    )


def _nodes(size: Size) -> Iterator[Kind]:
    nodes = tuple(_agent(n) for n in range(size.nodes))

    def state_node(n: int, t: float) -> Fields:
        status = "kubernetes.node.status"
        return {
            f"{status}.ready": "false" if n == 3 else "true",
            f"{status}.unschedulable": False,
            f"{status}.disk_pressure": False,
            f"{status}.memory_pressure": False,
            f"{status}.pid_pressure": False,
            "kubernetes.node.cpu.allocatable.cores": 16.0,
            "kubernetes.node.memory.allocatable.bytes": 64 * 2**30,
        }

    yield _kind("metrics-kubernetes.state_node", nodes, state_node)

    def node(n: int, t: float) -> Fields:
        return {
            "kubernetes.node.cpu.usage.nanocores": (20 + n + int(t) % 20) / 100 * 16e9,
            "kubernetes.node.memory.workingset.bytes": 30 * 2**30 + int(t),
            "kubernetes.node.memory.available.bytes": 34 * 2**30 - int(t),
            "kubernetes.node.fs.available.bytes": 10**9 if n == 5 else 6 * 10**10,
            "kubernetes.node.fs.capacity.bytes": 10**11,
            "kubernetes.node.runtime.imagefs.available.bytes": 6 * 10**10,
            "kubernetes.node.runtime.imagefs.capacity.bytes": 10**11,
        }

    yield _kind("metrics-kubernetes.node", nodes, node)
    disks = tuple({**one, "system.filesystem.mount_point": p} for one in nodes for p in ("/", "/d"))
    free = "system.filesystem"
    for name, things, measure in (
        ("load", nodes, lambda n, t: {"system.load.norm.5": 0.4, "system.load.cores": 16}),
        ("cpu", nodes, lambda n, t: {"system.cpu.total.norm.pct": 0.2 + n % 10 / 100}),
        ("memory", nodes, lambda n, t: {"system.memory.actual.used.pct": 0.5 + n % 10 / 100}),
        ("uptime", nodes, lambda n, t: {"system.uptime.duration.ms": 10**9 + int(t * 1000)}),
        (
            "filesystem",
            disks,
            lambda n, t: {
                f"{free}.used.pct": 0.95 if n == 7 else 0.4,
                f"{free}.used.bytes": 4 * 10**10 + int(t),
                f"{free}.available": 6 * 10**10 - int(t),
                f"{free}.files": 655_360,
                f"{free}.free_files": 600_000,
            },
        ),
    ):
        yield _kind(f"metrics-system.{name}", things, measure)


def _postgresql(size: Size) -> Iterator[Kind]:
    servers = [{**_agent(n), "service.address": f"pg-{n}"} for n in range(size.databases)]
    databases = tuple(
        {**one, "postgresql.database.name": name, "postgresql.database.oid": 16_384 + oid}
        for one in servers
        for oid, name in enumerate(("shop", "stock"))
    )

    def database(n: int, t: float) -> Fields:
        count = "postgresql.database"
        return {
            f"{count}.number_of_backends": 20 + n,
            f"{count}.deadlocks": int(t // 30) if n == 1 else 3,
            f"{count}.transactions.commit": int(t) * 200,
            f"{count}.transactions.rollback": int(t) * 2,
            f"{count}.blocks.hit": int(t) * 99_000,
            f"{count}.blocks.read": int(t) * 100,
            f"{count}.temporary.bytes": 0,
        }

    yield _kind("metrics-postgresql.database", databases, database)
    session = "postgresql.activity"
    sessions = tuple(
        {**one, f"{session}.pid": pid, f"{session}.database.name": "shop"}
        for one in servers
        for pid in range(100, 120)
    )

    def activity(n: int, t: float) -> Fields:
        since = _iso(START + t - (1200 if n == 3 else n % 20))
        return {
            f"{session}.backend_type": "client backend",
            f"{session}.state": ("active", "idle", "idle in transaction")[n % 3],
            f"{session}.state_change": since,
            f"{session}.query_start": since,
            f"{session}.query": "select price from articles where id = $1",
        }

    yield _kind("metrics-postgresql.activity", sessions, activity)
    written = "postgresql.bgwriter.checkpoints"
    yield _kind(
        "metrics-postgresql.bgwriter",
        tuple(servers),
        lambda n, t: {f"{written}.requested": 3, f"{written}.scheduled": int(t // 300)},
    )
    yield _kind(
        "logs-postgresql.log",
        tuple(servers),
        lambda n, t: {
            "log.level": "LOG",
            "message": "checkpoint complete: wrote 112 buffers (0.7%)",
            "postgresql.log.database": "shop",
        },
    )


def _services(size: Size) -> Iterator[Kind]:
    def service(n: int) -> Fields:
        return {
            **_agent(n % size.nodes),
            "service.name": f"svc-{n}",
            "service.environment": "production",
            "service.version": "4.2.1",
        }

    services = [service(n) for n in range(size.services)]
    transactions = tuple(
        {
            **one,
            "processor.event": "transaction",
            "transaction.type": "request",
            "transaction.name": f"GET /api/{k}",
            "transaction.representative_count": 1.0,
        }
        for one in services
        for k in range(10)
    )

    def transaction(n: int, t: float) -> Fields:
        failed = n // 10 == 2 and (n + int(t)) % 40 == 0
        return {
            "transaction.duration.us": 20_000 + (n * 7919 + int(t) * 104_729) % 180_000,
            "event.outcome": "failure" if failed else "success",
            "transaction.result": "HTTP 5xx" if failed else "HTTP 2xx",
            "trace.id": f"{n:08x}{int(t):08x}",
        }

    yield Kind("traces-apm-default", transactions, transaction)
    yield _kind(
        "logs-apm.error",
        tuple(services[:3]),
        lambda n, t: {"message": "timeout while reading", "error.grouping_key": f"group-{n}"},
    )


def _pod(n: int, size: Size) -> Fields:
    return {
        **_agent(n % size.nodes),
        "kubernetes.namespace": f"ns-{n % size.namespaces}",
        "kubernetes.pod.name": f"app-{n // 6}-7c9f6d8b54-{n:05x}",
        "kubernetes.pod.uid": f"3f8e1c52-7d64-4b0e-9a11-{n:012x}",
        "kubernetes.container.name": "main",
        "kubernetes.container.id": f"{n:064x}",
        "kubernetes.deployment.name": f"app-{n // 6}",
        "kubernetes.labels.app_kubernetes_io/name": f"app-{n // 6}",
        "container.image.name": "registry.example.org/shop/app:4.2.1",
        "container.runtime": "containerd",
    }


def _agent(n: int) -> Fields:
    """What the agent on a node says of itself and its host, whatever it collects."""
    name = f"pool-{'abc'[n % 3]}-{n}"
    return {
        "agent.id": f"0b6bd9a8-52d7-4a0c-8f57-{n:012x}",
        "agent.ephemeral_id": f"71b1c2d3-98aa-4f3b-b2a6-{n:012x}",
        "agent.name": name,
        "agent.type": "metricbeat",
        "agent.version": "9.4.3",
        "elastic_agent.id": f"0b6bd9a8-52d7-4a0c-8f57-{n:012x}",
        "elastic_agent.version": "9.4.3",
        "elastic_agent.snapshot": False,
        "ecs.version": "8.0.0",
        "host.name": name,
        "host.hostname": name,
        "host.id": f"{n:032x}",
        "host.ip": [f"10.0.{n}.1", f"fe80::{n + 1:x}"],
        "host.mac": [f"02-00-00-00-00-{n:02X}"],
        "host.architecture": "x86_64",
        "host.os.name": "Debian GNU/Linux",
        "host.os.family": "debian",
        "host.os.kernel": "6.1.0-37-cloud-amd64",
        "host.os.platform": "debian",
        "host.os.type": "linux",
        "host.os.version": "12 (bookworm)",
        "host.containerized": False,
        "orchestrator.cluster.name": "prod",
        "kubernetes.node.name": name,
        "event.agent_id_status": "verified",
    }


def _kind(name: str, things: tuple[Fields, ...], measure: Callable[[int, float], Fields]) -> Kind:
    return Kind(f"{name}-default", things, measure, name in LONG)


def _iso(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"


# -- onto the server


def load(url: str, size: Size, seconds: float, spare: float) -> int:
    """Write the telemetry from START to `spare` after so many seconds; how many documents."""
    server = _Server(url)
    contract, problems = load_contract([RULES / "telemetry"])
    assert not problems, problems
    found = kinds(size)
    for kind in found:
        server.make(kind.index, contract.types_of(kind.index))
    written = [_Writer(kind) for kind in found]
    ticks = int((seconds + spare) / PERIOD)
    late = int((seconds - SHORT) / PERIOD) // TICKS * TICKS
    count = 0
    for first in range(0, ticks, TICKS):
        for one in written:
            if first < late and not one.long:
                continue
            body, length = one.documents(range(first, min(first + TICKS, ticks)))
            server.bulk(one.index, body)
            count += length
        server.call("POST", "/_refresh")
    server.close()
    return count


class _Writer:
    """The documents of a stream as NDJSON. What is constant is written once."""

    def __init__(self, kind: Kind) -> None:
        self.index, self.long = kind.index, kind.long
        dataset = kind.index.split("-")[1]
        common = {
            "data_stream.type": kind.index.split("-")[0],
            "data_stream.dataset": dataset,
            "data_stream.namespace": "default",
            "event.dataset": dataset,
            "event.module": dataset.split(".")[0],
            "event.duration": 115_000_000,
            "metricset.name": dataset.rpartition(".")[2],
            "metricset.period": 10_000,
        }
        self._heads = [
            b'{"create":{}}\n' + _compact({**common, **thing})[:-1] for thing in kind.things
        ]
        self._measure = kind.measure

    def documents(self, ticks: range) -> tuple[bytes, int]:
        parts: list[bytes] = []
        for tick in ticks:
            for n, head in enumerate(self._heads):
                # Things don't report at the same moment.
                t = tick * PERIOD + n % 97 / 10
                moment = {"@timestamp": _iso(START + t), "event.ingested": _iso(START + t + 2)}
                parts += [head, b",", _compact({**moment, **self._measure(n, t)})[1:], b"\n"]
        return b"".join(parts), len(ticks) * len(self._heads)


def _compact(fields: Fields) -> bytes:
    import orjson

    return orjson.dumps(fields)


class _Server:
    """As little of a client as loading needs: its cost is none of ours."""

    def __init__(self, url: str) -> None:
        host = urlsplit(url)
        self._connection = http.client.HTTPConnection(host.hostname or "", host.port, timeout=120)

    def make(self, index: str, types: Mapping[str, str]) -> None:
        settings = {
            "number_of_shards": 1,
            "number_of_replicas": 0,
            "refresh_interval": "-1",
            "translog.durability": "async",  # the disk is no part of what is measured
            "mapping.total_fields.limit": 10_000,
        }
        strings = {"match_mapping_type": "string", "mapping": {"type": "keyword"}}
        mappings = {
            "dynamic_templates": [{"strings": strings}],
            "properties": properties(types, STAND_INS),
        }
        body = {"settings": {"index": settings}, "mappings": mappings}
        self.call("PUT", f"/{index}", json.dumps(body).encode())

    def bulk(self, index: str, body: bytes) -> None:
        answer = self.call("POST", f"/{index}/_bulk?filter_path=errors,items.*.error", body)
        if answer.get("errors"):
            raise SystemExit(f"{index}: {json.dumps(answer)[:500]}")

    def call(self, method: str, path: str, body: bytes | None = None) -> Any:
        kind = {"Content-Type": "application/json"} if body is not None else {}
        self._connection.request(method, path, body, kind)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise SystemExit(f"{method} {path}: {answer.status} {text[:500].decode()}")
        return json.loads(text)

    def close(self) -> None:
        self._connection.close()
