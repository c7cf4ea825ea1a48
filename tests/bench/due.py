"""What 500 rules that are due at once cost on a real Elasticsearch, ours and the server's.

The bundled rules that fit a made-up estate (see `estate`), copied as a team copies them:
another severity, another limit, a filter on one namespace. Three ways to ask, in turns:

    each alone       no search is shared: every rule's are its own
    identical once   what two rules ask word for word is sent once
    ours             as `evaluate` does

The search path is from needs to rows: requests built, sent, answers parsed and read. The
whole evaluation adds decisions, states and annotations; what is written to disk is another
bench. CPU is that of the two processes, so that a busy machine changes little; a just started
JVM would cost several times as much, so it runs first until it no longer gets better.

Goal: the client's CPU on the search path is at most half of the server's.
"""

from __future__ import annotations

import gc
import json
import shutil
import statistics
import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, replace
from typing import Any
from unittest.mock import patch
from urllib.request import urlopen

from sre_obs.adapters.elasticsearch import ElasticsearchOptions, ElasticsearchSource
from sre_obs.adapters.templates import BoundedRenderer
from sre_obs.content.rules.load import load_rules
from sre_obs.content.rules.queries import compile_query
from sre_obs.evaluate.evaluate import evaluate
from sre_obs.evaluate.kinds import KINDS
from sre_obs.evaluate.needs import Answer
from sre_obs.evaluate.plan import ask
from sre_obs.evaluate.ports import Request
from sre_obs.model.alert import Alert
from sre_obs.model.errors import SourceError
from sre_obs.model.evaluation import EntityState
from sre_obs.model.fields import FieldTypes
from sre_obs.model.rule import Comparison, Query, Rule
from sre_obs.model.telemetry import covers
from tests.bench.estate import RULES, START, Size, kinds, load
from tests.bench.servers import cpu_seconds
from tests.bench.table import heading, options, row
from tests.parts import elasticsearch
from tests.parts.lockfile import find_part
from tests.parts.run import Run

LONGEST = 1_800.0  # windows of the rules; the estate has a little more
SPARE = 150.0
STEP = 0.37  # from one evaluation to the next: no window is asked twice, none is cached
QUICK = Size(pods=30, nodes=5, namespaces=3, databases=2, services=3)

# Measured before by hand with 1,000 rules on 1,000 pods: ms a rule of the
# server, and of the client to send and to parse.
KNOWN = (
    ("one search each", 1.160, 0.490),
    ("separate, cheap forms", 0.860, 0.106),
    ("merged, cheap forms", 0.203, 0.024),
)


# -- the rules


def copies(size: Size, count: int) -> list[Rule]:
    """The bundled rules that fit the estate, and variants of them."""
    names = [kind.index for kind in kinds(size)]
    fitting = [rule for rule in load_rules(RULES, name="rules").rules if _fits(rule, names)]
    made: list[Rule] = []
    number = 0
    while len(made) < count:
        made += [_variant(rule, number, size) for rule in fitting]
        number += 1
    print(f"{len(fitting)} bundled rules fit, {number} copies of each at most")
    return made[:count]


def _fits(rule: Rule, names: Sequence[str]) -> bool:
    longest = max([rule.window, *((m.window or rule.window) + m.ends for m in rule.measures)])
    patterns = {*rule.index, *(name for m in rule.measures for name in m.index)}
    return longest <= LONGEST and all(any(covers(p, n) for n in names) for p in patterns)


def _variant(rule: Rule, number: int, size: Size) -> Rule:
    """Of four copies one differs in what is told, one in its limit, one in a filter, one in
    both. Limits are farther out: nearer ones could be where all are well."""
    made = replace(rule, id=f"{rule.id}-{number}", severity=f"p{number % 5}")
    if number % 4 in (1, 3):
        high = rule.threshold.comparison in (Comparison.GT, Comparison.GTE)
        limit = rule.threshold.limit * (1 + number / (200 if high else -200))
        made = replace(made, threshold=replace(rule.threshold, limit=limit, clear=None), levels=())
    if number % 4 in (2, 3):
        made = replace(made, query=_narrowed(rule, number // 2, size))
    return made


def _narrowed(rule: Rule, number: int, size: Size) -> Query:
    filters = {
        "kubernetes.namespace": f"ns-{number % size.namespaces}",
        "service.name": f"svc-{number % size.services}",
        "service.address": f"pg-{number % size.databases}",
        "kubernetes.node.name": f"pool-{'abc'[number % 3]}-*",
        "host.name": f"pool-{'abc'[number % 3]}-*",
    }
    for field, value in filters.items():
        if field in rule.group_by:
            extra = compile_query(f"{field}: {value}", "kql", {})
            dsl = {"bool": {"filter": [rule.query.dsl, extra.dsl]}}
            return replace(rule.query, dsl=dsl, fields=(*rule.query.fields, *extra.fields))
    return rule.query


def apart(rules: Sequence[Rule]) -> list[Rule]:
    """The same rules, each looking at a window some milliseconds from the others', so that no
    two of them have a search in common."""
    return [
        replace(rule, query_delay=rule.query_delay + number / 1000)
        for number, rule in enumerate(rules)
    ]


# -- what is measured


class Counted:
    """A source that counts what it is asked."""

    def __init__(self, source: ElasticsearchSource) -> None:
        self.name = source.name
        self.requests = 0
        self.seconds = 0.0  # of our CPU, to send and to parse
        self._source = source

    def search(self, requests: Sequence[Request]) -> list[Mapping[str, Any] | SourceError]:
        self.requests += len(requests)
        began = time.process_time()
        found = self._source.search(requests)
        self.seconds += time.process_time() - began
        return found

    def describe(self) -> str:
        return self._source.describe()

    def field_types(self, indices: Sequence[str]) -> FieldTypes:
        return self._source.field_types(indices)


@dataclass(frozen=True, slots=True)
class Cost:
    """One round of all rules. CPU and wall in seconds."""

    requests: float
    calls: float
    up: float  # bytes
    down: float
    wire: float  # of the client's CPU, what sends and parses
    client: float
    server: float
    wall: float


@dataclass(slots=True)
class Bench:
    """The server, and who asks it."""

    url: str
    pid: int
    source: Counted
    at: float = START + LONGEST + 30.0

    def later(self) -> float:
        self.at += STEP
        return self.at

    def searching(self, rules: Sequence[Rule]) -> Cost:
        """What the search path costs alone; deciding goes on between its steps, unmeasured."""
        at, client, wall = self.later(), 0.0, 0.0
        going = []
        for rule in rules:
            steps = KINDS[rule.kind](rule, at, {})
            going.append((steps, next(steps)))
        before = self._told()
        while going:
            needs = [need for _, wanted in going for need in wanted]
            cpu, began = time.process_time(), time.perf_counter()
            found = ask(needs, self.source, time.perf_counter)
            client += time.process_time() - cpu
            wall += time.perf_counter() - began
            answers = iter(found)
            on = []
            for steps, wanted in going:
                given = [next(answers) for _ in wanted]
                wrong = next((a for a in given if isinstance(a, SourceError)), None)
                if wrong is not None:
                    raise SystemExit(f"a search failed: {wrong}")
                try:
                    on.append((steps, steps.send([a for a in given if isinstance(a, Answer)])))
                except StopIteration:
                    continue
            going = on
        return self._cost(before, client, wall)

    def evaluating(self, rules: Sequence[Rule], memory: Memory) -> Cost:
        """What an evaluation costs that goes on from the one before."""
        at = self.later()
        before = self._told()
        cpu, began = time.process_time(), time.perf_counter()
        memory.evaluate(rules, at, self.source)
        client = time.process_time() - cpu
        return self._cost(before, client, time.perf_counter() - began)

    def _told(self) -> tuple[float, ...]:
        calls, up, down = self._http()
        source = self.source
        return (source.requests, calls, up, down, source.seconds, cpu_seconds(self.pid))

    def _cost(self, before: tuple[float, ...], client: float, wall: float) -> Cost:
        server = cpu_seconds(self.pid)  # before it is asked how much it answered
        told = (self.source.requests, *self._http(), self.source.seconds, server)
        requests, calls, up, down, wire, server = (a - b for a, b in zip(told, before, strict=True))
        return Cost(requests, calls, up, down, wire, client, server, wall)

    def _http(self) -> tuple[float, float, float]:
        """Calls of `_msearch`, bytes of their bodies and of their answers, as the server
        counts them."""
        with urlopen(f"{self.url}/_nodes/stats/http?filter_path=**.routes", timeout=30) as answer:
            found = json.load(answer)
        calls = up = down = 0.0
        for node in found.get("nodes", {}).values():
            for methods in [r for p, r in node["http"]["routes"].items() if p == "/_msearch"]:
                for one in methods.values() if "requests" not in methods else [methods]:
                    calls += one["requests"]["count"]
                    up += one["requests"]["total_size_in_bytes"]
                    down += one["responses"]["total_size_in_bytes"]
        return calls, up, down


class Memory:
    """What the daemon remembers between two evaluations, without the disk."""

    def __init__(self) -> None:
        self.entities: dict[str, dict[str, EntityState]] = {}
        self.alerts: dict[str, Alert] = {}
        self.renderer = BoundedRenderer()

    def evaluate(self, rules: Sequence[Rule], at: float, source: Counted) -> None:
        changes = evaluate(
            rules,
            at,
            source,
            self.entities,
            self.renderer,
            timer=time.perf_counter,
            alerts=self.alerts,
        )
        for state in changes.entities:
            self.entities.setdefault(state.rule, {})[state.key] = state
        for rule, key in changes.forgotten_entities:
            self.entities.get(rule, {}).pop(key, None)
        for alert in changes.alerts:
            self.alerts[alert.fingerprint] = alert


def nothing_merged() -> Any:
    """While this lasts each distinct search is sent as it is."""
    return patch("sre_obs.evaluate.plan.merged", lambda needs: [])


def middle(costs: Sequence[Cost]) -> Cost:
    """The median of each figure."""
    names = Cost.__slots__
    return Cost(*(statistics.median(getattr(cost, name) for cost in costs) for name in names))


def show(title: str, found: Mapping[str, Sequence[Cost]], rules: int) -> None:
    columns = ("requests", "msearch", "KB up", "KB down", "send+parse s", "client s", "server s")
    heading(title, "", *columns, "wall s", "B down/rule", "client/server")
    for name, costs in found.items():
        cost = middle(costs)
        row(
            name,
            int(cost.requests),
            int(cost.calls),
            cost.up / 1e3,
            cost.down / 1e3,
            cost.wire,
            cost.client,
            cost.server,
            cost.wall,
            cost.down / rules,
            cost.client / cost.server,
        )


def differing(bench: Bench, rules: Sequence[Rule]) -> None:
    """Whether entities come to stand as they do when no searches are merged."""
    at = bench.later()
    told: list[dict[tuple[str, str], EntityState]] = []
    for around in (nothing_merged, nullcontext):
        memory = Memory()
        with around():
            memory.evaluate(rules, at, bench.source)
        memory.renderer.close()
        told.append({(rule, k): s for rule, of in memory.entities.items() for k, s in of.items()})
    apart_, together = told
    wrong = sorted(k for k in {*apart_, *together} if apart_.get(k) != together.get(k))
    print(f"\n{len(together):,} entities, {len(wrong)} otherwise than without merging {wrong[:5]}")


def main() -> None:
    chosen = options(__doc__)
    size, count, rounds, warm = (QUICK, 50, 3, 3) if chosen.quick else (Size(), 500, 5, 4)
    rules = copies(size, count)
    # A folder that the next test run sweeps away, should this one be killed.
    folder = Run.new().folder
    server = elasticsearch.start(
        find_part("elasticsearch"), folder / "elasticsearch", measured=True, wanted=lambda: True
    )
    source = ElasticsearchSource("bench", ElasticsearchOptions(hosts=(server.url,)))
    try:
        began = time.perf_counter()
        loaded = load(server.url, size, LONGEST, SPARE)
        took, cpu = time.perf_counter() - began, cpu_seconds(server.process.pid)
        print(f"{loaded:,} documents in {took:.0f} s ({cpu:.0f} s of the server's CPU)", flush=True)
        run(Bench(server.url, server.process.pid, Counted(source)), rules, rounds, warm)
    finally:
        source.close()
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def run(bench: Bench, rules: Sequence[Rule], rounds: int, warm: int) -> None:
    own = apart(rules)
    ways = {
        "each alone": (own, nothing_merged, Memory()),
        "identical once": (rules, nothing_merged, Memory()),
        "ours": (rules, nullcontext, Memory()),
    }
    searched: dict[str, list[Cost]] = {name: [] for name in ways}
    judged: dict[str, list[Cost]] = {name: [] for name in ways}
    for number in range(-warm, rounds):
        for name, (asked, around, memory) in ways.items():
            with around():
                search, whole = bench.searching(asked), bench.evaluating(asked, memory)
            if number >= 0:
                searched[name].append(search)
                judged[name].append(whole)
            else:
                print(f"warming: {name}, {search.server:.2f} s of the server's CPU", flush=True)
        gc.collect()
    show(f"{len(rules)} rules, search path", searched, len(rules))
    show(f"{len(rules)} rules, whole evaluation", judged, len(rules))
    heading("a rule, ms", "", "server", "send+parse", "/ server", "client", "/ server")
    for name, costs in searched.items():
        cost = middle(costs)
        figures = [1e3 / len(rules) * cpu for cpu in (cost.server, cost.wire, cost.client)]
        server, wire, client = figures
        row(name, server, wire, wire / server, client, client / server)
    for name, theirs, ours in KNOWN:
        row(f"known: {name}", theirs, ours, ours / theirs)
    differing(bench, rules)
    for name, (_, _, memory) in ways.items():
        firing = sum(alert.ended is None for alert in memory.alerts.values())
        print(f"{name}: {firing} alerts fire")
        memory.renderer.close()


if __name__ == "__main__":
    main()
