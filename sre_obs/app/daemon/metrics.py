"""What Prometheus reads: Alertmanager's and Prometheus' own names under `sre_obs_`, so that
their alert rules port by renaming, and what those lack: the outbox, the store, the sources.

No label holds an alert's label value: only rules, receivers, sources and closed sets.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterator

from prometheus_client import CollectorRegistry, Counter, Histogram, disable_created_metrics
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.exposition import generate_latest
from prometheus_client.openmetrics import exposition as openmetrics

from sre_obs.app.daemon.desk import Desk
from sre_obs.model.evaluation import Outcome, RuleRun
from sre_obs.model.notification import Delivery
from sre_obs.model.outcome import Answer, Failure, Verdict
from sre_obs.model.rule import Rule
from sre_obs.route.pipeline import Decision

# Alertmanager's 1, 5, 10, 15, 20 s are too coarse to see a slow Slack.
_LATENCY = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 20, 60)
_RUN = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """Counters that events feed; `serve` adds gauges read from the desk at scrape time."""

    def __init__(self) -> None:
        # "_created" doubles the series, and nobody's alert rules read it.
        disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = CollectorRegistry()
        to = ("integration", "receiver")
        self._sent = self._counter("notifications", "Tries to notify", *to)
        self._failed = self._counter(
            "notifications_failed", "Tries that failed, by why", *to, "reason"
        )
        self._latency = self._histogram(
            "notification_latency_seconds", "Until a receiver answered", _LATENCY, "integration"
        )
        self._age = self._histogram(
            "delivery_age_seconds", "From the decision to the answer", _LATENCY, "integration"
        )
        self._suppressed = self._counter(
            "notifications_suppressed", "Groups not told, by why", "reason"
        )
        self._ambiguous = self._counter(
            "ambiguous_deliveries", "Answers that were lost", "integration"
        )
        self._limited = self._counter("rate_limited", "Tries that were put off", "integration")
        self._evaluations = self._counter("rule_evaluations", "Runs of rules", "rule")
        self._evaluation_failures = self._counter(
            "rule_evaluation_failures", "Runs that failed", "rule"
        )
        self._duration = self._histogram(
            "rule_evaluation_duration_seconds", "How long runs took", _RUN
        )
        self._heartbeats = self._counter("heartbeats", "Calls of the heartbeat", "outcome")

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(f"sre_obs_{name}", text, labels, registry=self.registry)

    def _histogram(
        self, name: str, text: str, buckets: tuple[float, ...], *labels: str
    ) -> Histogram:
        return Histogram(f"sre_obs_{name}", text, labels, buckets=buckets, registry=self.registry)

    def delivered(self, delivery: Delivery, answer: Answer, seconds: float, now: float) -> None:
        """One try was answered, or its answer was lost."""
        kind = delivery.integration.rpartition("/")[2].partition("[")[0]
        self._sent.labels(kind, delivery.receiver).inc()
        self._latency.labels(kind).observe(max(seconds, 0.0))
        if answer.verdict is Verdict.DELIVERED:
            self._age.labels(kind).observe(max(now - delivery.created_at, 0.0))
        elif answer.failure is not Failure.NONE:
            self._failed.labels(kind, delivery.receiver, str(answer.failure)).inc()
        if answer.verdict is Verdict.AMBIGUOUS:
            self._ambiguous.labels(kind).inc()
        if answer.failure is Failure.RATE_LIMITED:
            self._limited.labels(kind).inc()

    def decided(self, decision: Decision) -> None:
        """A group was looked at."""
        if not decision.told and decision.suppressed:
            self._suppressed.labels("silence").inc()

    def evaluated(self, rule: Rule, run: RuleRun) -> None:
        """A rule ran."""
        self._evaluations.labels(rule.id).inc()
        self._duration.observe(max(run.duration, 0.0))
        if run.outcome in (Outcome.STALE, Outcome.MISCONFIGURED) and run.error:
            self._evaluation_failures.labels(rule.id).inc()

    def heartbeat(self, ok: bool) -> None:
        """The heartbeat was called."""
        self._heartbeats.labels("ok" if ok else "failed").inc()

    def attach(self, desk: Desk) -> None:
        """Add what is read from the desk at scrape time."""
        self.registry.register(_DeskCollector(desk))

    def render(self, accept: str) -> tuple[bytes, str]:
        """The exposition and its content type, OpenMetrics where it is asked for."""
        if "application/openmetrics-text" in accept:
            body: bytes = openmetrics.generate_latest(self.registry)  # type: ignore[no-untyped-call]
            return body, openmetrics.CONTENT_TYPE_LATEST
        return generate_latest(self.registry), "text/plain; version=0.0.4; charset=utf-8"


class _DeskCollector:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def describe(self) -> Iterator[Metric]:
        """Nothing: names are known only at scrape time."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Gauges of this moment."""
        desk, now = self._desk, self._desk.clock.now()
        ledger, counts = desk.engine.ledger, desk.engine.counts
        states = Tally(
            "resolved"
            if not alert.firing(now)
            else "suppressed"
            if desk.engine.silences.silenced_by(alert.labels, now)
            else "active"
            for alert in ledger.alerts.values()
        )
        yield _gauges("alerts", "Alerts by state", "state", states)
        received = CounterMetricFamily(
            "sre_obs_alerts_received", "Alerts received", labels=("status",)
        )
        received.add_metric(("firing",), counts["new"] + counts["resent"])
        received.add_metric(("resolved",), counts["ended"])
        yield received
        yield CounterMetricFamily(
            "sre_obs_alerts_invalid", "Alerts refused as invalid", value=counts["invalid"]
        )
        yield _gauge("dispatcher_aggregation_groups", "Groups", len(ledger.groups))
        silences = Tally(str(s.state(now)) for s in ledger.silences.values())
        yield _gauges("silences", "Silences by state", "state", silences)
        waiting = Tally(str(d.state) for d in ledger.deliveries.values())
        yield _gauges("outbox_rows", "Unfinished deliveries by state", "state", waiting)
        oldest = min((d.created_at for d in ledger.deliveries.values()), default=now)
        yield _gauge("outbox_oldest_age_seconds", "Age of the oldest unfinished", now - oldest)
        health = desk.store.health()
        yield _gauge("store_waiting_commits", "Commits not on disk yet", health.waiting)
        yield _gauge("store_oldest_wait_seconds", "Wait of the oldest", health.oldest_wait)
        yield _gauge("store_up", "1 if the last write went through", 0 if health.error else 1)
        yield _gauge("config_last_reload_successful", "1 if so", 1 if desk.reload_ok else 0)
        yield _gauge("config_last_reload_success_timestamp_seconds", "When", desk.reload_at)
        yield from self._rules(now)

    def _rules(self, now: float) -> Iterator[Metric]:
        desk = self._desk
        ids = {rule.id for rule in desk.evaluations.rules}
        outcomes = Tally(str(r.outcome) for r in desk.engine.ledger.runs.values() if r.rule in ids)
        yield _gauges("rules", "Rules by outcome of their last run", "outcome", outcomes)
        up = GaugeMetricFamily("sre_obs_source_up", "1 if searches work", labels=("source",))
        behind = GaugeMetricFamily(
            "sre_obs_source_rounds_behind", "Rounds still to catch up", labels=("source",)
        )
        missed = CounterMetricFamily(
            "sre_obs_rule_group_iterations_missed", "Rounds given up", labels=("source",)
        )
        for name, progress in desk.evaluations.progress.items():
            up.add_metric((name,), 0 if progress.failing_since else 1)
            behind.add_metric((name,), progress.behind)
            missed.add_metric((name,), progress.dropped)
        yield from (up, behind, missed)
        lag = GaugeMetricFamily(
            "sre_obs_source_lag_seconds", "Age of a rule's newest document", labels=("rule",)
        )
        for run in desk.engine.ledger.runs.values():
            if run.rule in ids and run.newest is not None:
                lag.add_metric((run.rule,), now - run.newest)
        yield lag
        info = GaugeMetricFamily("sre_obs_build_info", "Version", labels=("version",))
        info.add_metric((desk.version,), 1)
        yield info


def _gauge(name: str, text: str, value: float) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"sre_obs_{name}", text, value=value)


def _gauges(name: str, text: str, label: str, values: Tally[str]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(f"sre_obs_{name}", text, labels=(label,))
    for key, value in values.items():
        family.add_metric((key,), value)
    return family
