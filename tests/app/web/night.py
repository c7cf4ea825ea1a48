"""A desk in memory, and one night on it: alerts in every state, told in every way.

``night()`` is what the pages are looked at with: by their tests, and by the browser.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from starlette.applications import Starlette
from starlette.testclient import TestClient

from sre_obs.app.daemon.desk import Desk
from sre_obs.app.daemon.engine import Claim, Engine
from sre_obs.app.daemon.evaluations import Evaluations, Progress
from sre_obs.app.daemon.guard import Guard
from sre_obs.app.daemon.web import pages
from sre_obs.app.settings import Settings
from sre_obs.content.routes.load import SlackDefaults, parse_routes
from sre_obs.evaluate.ports import Request
from sre_obs.model.alert import Alert, EndReason, Evidence
from sre_obs.model.changes import AuditEntry, Changes
from sre_obs.model.errors import SourceError, TemplateError
from sre_obs.model.evaluation import Outcome, RuleRun
from sre_obs.model.fields import FieldTypes
from sre_obs.model.ledger import Ledger
from sre_obs.model.outcome import Answer, Failure, MessageRef, Verdict
from sre_obs.model.problem import Location, Problem, Severity
from sre_obs.model.rule import Comparison, Function, Query, Rule, RuleKind, RuleState, Threshold
from sre_obs.model.secret import Secret
from sre_obs.model.silence import Silence
from sre_obs.model.store import Store
from sre_obs.query.matchers import parse_matchers
from sre_obs.route.reroute import reroute
from tests.fakes.store import FakeStore

# 2026-11-25 03:16:12 UTC
NOW = 1_795_576_572.0

ROUTES = """\
route:
  receiver: platform
  group_by: [alertname]
  group_wait: 0s
  routes:
    - matchers: [team="team-payments"]
      receiver: payments
    - matchers: [team="team-shop"]
      receiver: shop
      group_wait: 30s
    - matchers: [team="team-lab"]
      receiver: nobody
receivers:
  - name: payments
    slack_configs:
      - channel: "#pay-alerts"
    webhook_configs:
      - url: https://oncall.example.com/hook
  - name: shop
    slack_configs:
      - channel: "#shop"
  - name: platform
    slack_configs:
      - channel: "#platform"
  - name: nobody
"""


class Stopped:
    """A clock that stands until it is set."""

    def __init__(self, at: float) -> None:
        self.at = at

    def now(self) -> float:
        return self.at

    def timer(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("a page does not wait")


class NoSource:
    """A source that no page asks."""

    name = "default"

    def search(self, requests: Sequence[Request]) -> list[Mapping[str, Any] | SourceError]:
        raise AssertionError("a page does not search")

    def describe(self) -> str:
        return "nothing"

    def field_types(self, indices: Sequence[str]) -> FieldTypes:
        return {}


class NoRenderer:
    """Pages render no rule's templates."""

    def render(self, jobs: Sequence[tuple[str, Mapping[str, Any]]]) -> list[str | TemplateError]:
        raise AssertionError("a page renders no rule's templates")


class World:
    """A desk over a FakeStore, or over another store as it was left.

    `claims` are deliveries to be sent, `answers` what an integration says to them.
    """

    def __init__(
        self,
        *rules: Rule,
        store: Store | None = None,
        routes: str = ROUTES,
        sources: bool = True,
        token: str = "",
        settings: Mapping[str, Any] | None = None,
    ) -> None:
        routing, problems = parse_routes(routes, slack=SlackDefaults(Secret("xoxb-a-secret")))
        assert routing is not None, problems
        self.clock = Stopped(NOW)
        self.fake = FakeStore()
        self.store: Store = store or self.fake
        self.claims: list[Claim] = []
        self.answers: dict[str, Answer] = {}
        self.engine = Engine(
            Ledger(self.store.load()), self.store, routing, depart=self.claims.append, seed=1
        )
        self.pool = ThreadPoolExecutor(1)  # starts no thread until it is asked
        self.evaluations = Evaluations(
            rules,
            {"default": NoSource()} if sources else {},
            NoRenderer(),
            engine=self.engine,
            pool=self.pool,
            clock=self.clock,
            observe=lambda *_: None,
            field_check=300.0,
        )
        self.desk = Desk(
            settings=Settings.model_validate(settings or {}),
            version="0.1.0",
            clock=self.clock,
            engine=self.engine,
            store=self.store,
            evaluations=self.evaluations,
            reload=self._reload,
            started_at=NOW - 3 * 86_400,
            reload_at=NOW - 86_400,
        )
        self.app = Guard(
            Starlette(routes=pages(self.desk)), hosts=[], token=Secret(token), max_body=100_000
        )
        self.client = TestClient(self.app, base_url="http://127.0.0.1:9093", follow_redirects=False)

    async def _reload(self) -> Sequence[Problem]:
        return ()

    def get(self, path: str, **params: Any) -> str:
        """The text of a page that must be there."""
        answer = self.client.get(path, params=params or None)
        assert answer.status_code == 200, (answer.status_code, answer.text)
        return str(answer.text)

    def json(self, path: str) -> Any:
        """The value of a JSON twin."""
        return json.loads(self.get(path))

    def fire(self, *alerts: Alert) -> None:
        """These alerts are here."""
        self.engine.conclude(Changes(alerts=alerts), self.clock.at)
        self.until(self.clock.at)

    def ran(self, *runs: RuleRun) -> None:
        """These rules ran."""
        self.engine.conclude(Changes(runs=runs), self.clock.at)

    def rejoin(self) -> None:
        """Put alerts into the groups that the store has, and make none that it has not."""
        joined = reroute(self.engine.ledger, self.engine.router, self.clock.at).joined
        groups = self.engine.ledger.groups
        self.engine.ledger.reroute([each for each in joined if each[0] in groups])

    def until(self, at: float) -> None:
        """Time passes to `at`: what falls due is done, and receivers say their `answers`
        (well, unless told otherwise) after 412 ms."""
        wake: float | None = self.clock.at
        while wake is not None and wake <= at:
            self.clock.at = max(wake, self.clock.at)
            self.engine.advance(self.clock.at)
            while self.claims:
                delivery = self.claims.pop(0).delivery
                said = self.answers.get(delivery.integration, DELIVERED)
                self.engine.settle(delivery, said, self.clock.at + 0.412)
            wake = self.engine.next_wake(self.clock.at)
        self.clock.at = at

    def silence(
        self, matchers: str, seconds: float, *, by: str = "ana", comment: str = "failover drill"
    ) -> Silence:
        """Somebody silences what matches."""
        now = self.clock.at
        id_ = f"5f0c{len(self.engine.ledger.silences):04}-0000-4000-8000-000000000000"
        made = Silence(id_, parse_matchers(matchers), now, now + seconds, by, comment, now)
        self.engine.silence(made, AuditEntry(now, by, "silence.add", id_, comment), now)
        return made


DELIVERED = Answer(Verdict.DELIVERED, message=MessageRef("C0PAY", "1795576512.000100"))
BUSY = Answer(Verdict.RETRY, Failure.SERVER, "450 mailbox busy", retry_after=18.0)
NOT_IN_CHANNEL = Answer(
    Verdict.REFUSED, Failure.CLIENT, "not_in_channel", remedy="/invite @sre-obs in #platform"
)

IDLE = Rule(
    id="postgresql/idle",
    title="PostgreSQL session idle in transaction",
    kind=RuleKind.THRESHOLD,
    index=("metrics-postgresql.activity-*",),
    query=Query("kql", 'postgresql.activity.state : "idle in transaction"', {"match_all": {}}),
    location=Location("rules/postgresql/idle.yml", 9),
    interval=30.0,
    window=300.0,
    query_delay=5.0,
    severity="critical",
    threshold=Threshold(Function.MAX, "idle.seconds", 0.0, Comparison.GTE, 900.0, "s"),
    group_by=("application", "database"),
    owner="team-payments",
    runbook="https://runbooks.example.com/pg/idle",
)
OOM = replace(
    IDLE,
    id="shop/oom",
    title="Container out of memory",
    location=Location("rules/shop/oom.yml", 7),
    severity="warning",
    threshold=Threshold(unit="kills", limit=2.0),
    owner="team-shop",
)
READY = replace(
    IDLE,
    id="shop/ready",
    title="Deployment has too few replicas",
    location=Location("rules/shop/ready.yml", 12),
    owner="team-shop",
    state=RuleState.SHADOW,
)
BROKEN = replace(
    IDLE,
    id="shop/checkout-latency",
    title="Checkout is slow",
    location=Location("rules/shop/checkout-latency.yml", 8),
    owner="team-shop",
)
SILENT = replace(
    IDLE,
    id="system/disk",
    title="Disk is nearly full",
    location=Location("rules/system/disk.yml", 4),
    owner="platform",
)
RULES = (IDLE, OOM, READY, BROKEN, SILENT)

_REQUEST = json.dumps({"size": 0, "query": {"range": {"@timestamp": {"gte": "now-5m"}}}})


def idle(application: str = "orders-api", **fields: Any) -> Alert:
    """A session that idles in its transaction."""
    labels = {
        "alertname": "idle",
        "application": application,
        "database": "pg-main",
        "severity": "critical",
        "team": "team-payments",
    }
    evidence = Evidence(
        value=1140.0,
        limit=900.0,
        comparison=">=",
        unit="s",
        function="max",
        count=41,
        window=300.0,
        peak=1140.0,
        documents=tuple(
            {
                "@timestamp": f"2026-11-25T03:1{n}:12.000Z",
                "postgresql.activity.pid": "13643",
                "postgresql.activity.state": "idle in transaction",
                "user.name": "orders",
            }
            for n in range(3)
        ),
        query=IDLE.query.text,
        request=_REQUEST,
    )
    made = Alert(
        fingerprint=f"{abs(hash_of(application)):016x}",
        labels=labels,
        annotations={
            "title": IDLE.title,
            "description": "It holds locks: 4 sessions wait.",
            "action": "terminate pid 13643, then fix the client",
            "runbook_url": IDLE.runbook,
        },
        starts_at=NOW - 240,
        fired_at=NOW - 238,
        updated_at=NOW - 4,
        rule=IDLE.id,
        place="rules/postgresql/idle.yml:9",
        evidence=evidence,
    )
    return replace(made, **fields)


def hash_of(text: str) -> int:
    """The same on every run."""
    return int.from_bytes(random.Random(text).randbytes(8))


def oom(number: int, **fields: Any) -> Alert:
    """A container that was killed for its memory."""
    made = Alert(
        fingerprint=f"{number:016x}",
        labels={
            "alertname": "oom",
            "namespace": "shop",
            "pod": f"web-{number}",
            "severity": "warning",
            "team": "team-shop",
        },
        annotations={"title": OOM.title},
        starts_at=NOW - 600 + number,
        fired_at=NOW - 590 + number,
        updated_at=NOW - 4,
        rule=OOM.id,
        place="rules/shop/oom.yml:7",
        evidence=Evidence(
            value=float(number + 2),
            limit=2.0,
            comparison=">=",
            unit="kills",
            function="count",
            count=number + 2,
            window=1800.0,
        ),
    )
    return replace(made, **fields)


def disk(**fields: Any) -> Alert:
    """A disk whose agent no longer reports."""
    made = Alert(
        fingerprint="d15c000000000000",
        labels={"alertname": "disk", "host": "node-7", "severity": "info", "team": "platform"},
        annotations={"title": SILENT.title},
        starts_at=NOW - 7_000,
        fired_at=NOW - 6_900,
        updated_at=NOW - 1_000,
        stale_since=NOW - 972,
        rule=SILENT.id,
        place="rules/system/disk.yml:4",
        evidence=Evidence(value=0.93, limit=0.9, unit="ratio", comparison=">="),
    )
    return replace(made, **fields)


def ended(alert: Alert, at: float, reason: EndReason = EndReason.UNDER_LIMIT) -> Alert:
    """That alert, over."""
    return replace(alert, ends_at=at, updated_at=at, ended=reason)


def run(rule: Rule, outcome: Outcome = Outcome.OK, **fields: Any) -> RuleRun:
    """A run four seconds ago."""
    made = RuleRun(
        rule.id,
        NOW - 4,
        outcome,
        duration=0.012,
        entities=8,
        newest=NOW - 11,
        request=_REQUEST,
        answer='{"hits": {"total": {"value": 41}}}',
    )
    return replace(made, **fields)


def night(*, token: str = "") -> World:
    """Everything at once."""
    world = World(*RULES, token=token)
    # Three earlier episodes of the one that will fire.
    for days, minutes in ((21, 12), (9, 18), (2, 40)):
        world.until(NOW - days * 86_400)
        earlier = idle(starts_at=world.clock.at - 60, fired_at=world.clock.at - 58)
        world.fire(earlier)
        world.until(world.clock.at + minutes * 60)
        world.fire(ended(earlier, world.clock.at))
    world.until(NOW - 9_000)
    world.fire(idle("billing-api", starts_at=NOW - 9_010, fired_at=NOW - 9_000))
    world.until(NOW - 7_000)
    world.answers["platform/slack[0]"] = NOT_IN_CHANNEL
    world.fire(disk())
    world.until(NOW - 3_600)
    world.silence('application="billing-api"', 3_600 + 6_228)
    world.until(NOW - 640)
    world.fire(idle(starts_at=NOW - 640, fired_at=NOW - 638))
    world.answers["payments/webhook[0]"] = BUSY
    world.until(NOW - 10)
    world.fire(*(oom(n) for n in range(3)), idle("checkout-api", starts_at=NOW - 12))
    lab = {"alertname": "gpu-hot", "instance": "10.0.0.7:9100", "team": "team-lab"}
    api = Alert("a000000000000001", lab, {"summary": "GPU is hot"}, NOW - 90, NOW - 90, NOW - 5)
    world.until(NOW)
    world.fire(replace(api, ends_at=NOW + 300, generator_url="http://prometheus:9090/graph?g0"))
    world.fire(oom(9, rule=READY.id, shadow=True, labels={**oom(9).labels, "pod": "shadow-9"}))
    world.ran(
        run(IDLE, Outcome.FIRING, firing=3),
        run(OOM, Outcome.FIRING, firing=3),
        run(READY),
        run(
            BROKEN,
            Outcome.MISCONFIGURED,
            error="no such field in traces-apm-*: transaction.duration.ms",
            remedy="write transaction.duration.us",
        ),
        run(SILENT, Outcome.STALE, error="no document for 16 min", newest=NOW - 972),
    )
    world.evaluations.progress["default"] = Progress(last_round=NOW - 4, last_success=NOW - 4)
    world.desk.problems = (
        Problem(
            "rules/unknown-field",
            Severity.ERROR,
            Location("rules/shop/cart.yml", 8, 9),
            "no such field in metrics-shop-*",
            'write "cart.items"',
        ),
    )
    return world
