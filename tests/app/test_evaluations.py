"""Rules as the daemon runs them, on a virtual clock: outages, downtime, reloads, bad rules."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from sre_obs.adapters.store.sqlite import SqliteStore
from sre_obs.app.daemon.blind import PATIENCE, identity, unwatched
from sre_obs.app.daemon.evaluations import Evaluations
from sre_obs.evaluate.ports import Request
from sre_obs.evaluate.retire import retire
from sre_obs.model.alert import Alert, EndReason
from sre_obs.model.errors import Blame, SourceError, StoreFull
from sre_obs.model.evaluation import EntityState, Outcome
from sre_obs.model.rule import Comparison, Function, Measure, NoData, Rule, RuleKind, Threshold
from sre_obs.model.store import Store
from tests.app.virtual import Clock, Daemon, Receiver, Settled, play, routing
from tests.evaluate.world import LOGS, METRICS, T0, TYPES, every, rule
from tests.fakes.source import FakeSource
from tests.fakes.store import Disk, FakeStore

ROUTES = """
route: {receiver: hook, group_by: [alertname, pod], group_wait: 0s, group_interval: 60s}
receivers:
  - name: hook
    webhook_configs: [{url: "http://127.0.0.1:1/"}]
"""
HOOK = "hook/webhook[0]"
BUSY = Threshold(Function.MAX, "cpu", comparison=Comparison.GTE, limit=0.9)
DOWN = SourceError("Elasticsearch: it can't be reached (refused)", Blame.UNREACHABLE)


def busy(slug: str = "busy", **changes: Any) -> Rule:
    """A pod is over its limit."""
    given = {"threshold": BUSY, "window": 60.0, **changes}
    return rule(id=f"app/{slug}", **given)


class Site:
    """A source, a disk and one receiver, which outlive the daemons that are run on them."""

    def __init__(self, *rules: Rule, store: Callable[[], Store] | None = None) -> None:
        self.rules = rules
        self.clock = Clock(T0)
        self.source = FakeSource(types=TYPES)
        self.disk = Disk()
        self.hook = Receiver(self.clock, readable=False)
        self.fake = FakeStore(self.disk)
        self._store = store

    def sample(self, start: float, end: float, **fields: Any) -> None:
        """A document each ten seconds, times from T0."""
        times = every(10, T0 + start, T0 + end)
        self.source.add(METRICS, *({"@timestamp": at, **fields} for at in times))

    async def start(self, *rules: Rule) -> Daemon:
        if self._store is None:
            self.fake = FakeStore(self.disk)
        daemon = Daemon(
            Settled(self.fake if self._store is None else self._store()),
            self.clock,
            routing(ROUTES),
            {HOOK: self.hook},
            rules=rules or self.rules,
            sources={"default": self.source},
        )
        return await daemon.start()

    async def at(self, seconds: float) -> None:
        """Let time pass up to so many seconds after T0."""
        await self.clock.until(T0 + seconds)

    def fail(self, error: SourceError | None, index: str = "") -> None:
        """What is asked of that index (or of any) fails from now on."""

        def failing(request: Request) -> SourceError | None:
            return error if not index or index in request.index else None

        self.source.failing = failing


def episodes(alerts: Mapping[str, Alert]) -> set[tuple[str, str, float, float, float | None]]:
    """What an alert is, and its times."""
    return {
        (a.name, a.labels.get("pod", ""), a.starts_at, a.fired_at, a.ends_at)
        for a in alerts.values()
    }


# Downtime


def downtime(site: Site) -> None:
    """Pods whose trouble begins and ends before, during and after 400 to 1000."""
    site.sample(-60, 2_000, pod="fine", cpu=0.1)
    for pod, start, end in (
        ("goes-on", 100, 1_300),
        ("pending", 330, 1_300),
        ("begins", 600, 1_300),
        ("came-and-went", 480, 800),
        ("ends", 100, 700),
        ("blinks", 100, 1_300),
        ("after", 1_060, 1_500),
    ):
        if pod == "blinks":
            site.sample(start, 600, pod=pod, cpu=1.0)
            site.sample(600, 780, pod=pod, cpu=0.1)
            site.sample(780, end, pod=pod, cpu=1.0)
        else:
            site.sample(start, end, pod=pod, cpu=1.0)
            site.sample(end, 2_000, pod=pod, cpu=0.1)


LIMITS = (busy("at-once"), busy("for-two", for_=120.0), busy("for-nine", for_=540.0))


async def live(site: Site, *, down: bool) -> Daemon:
    daemon = await site.start()
    await site.at(400)
    if down:
        await daemon.kill()
        await site.at(1_000)
        daemon = await site.start()
    await site.at(1_250)
    daemon.check()
    return daemon


def test_ten_minutes_down_give_the_same_alerts_and_start_times_as_never_down() -> None:
    async def story(down: bool) -> tuple[Any, Any]:
        site = Site(*LIMITS)
        downtime(site)
        daemon = await live(site, down=down)
        ledger = daemon.engine.ledger
        await daemon.kill()
        firing = {f: a for f, a in ledger.alerts.items() if a.labels.get("pod") != "blinks"}
        return episodes(firing), ledger.entities

    always, entities = play(story(down=False))
    caught_up, entities_too = play(story(down=True))
    assert ("for-nine", "pending") in {(name, pod) for name, pod, *_ in always}
    assert caught_up == always
    assert entities_too == entities


def test_after_downtime_each_is_told_once_what_is_true_now() -> None:
    async def story() -> None:
        site = Site(LIMITS[0])
        downtime(site)
        daemon = await live(site, down=True)
        await daemon.kill()
        before = [c for c in site.hook.calls if c.at < T0 + 400]
        later = [c for c in site.hook.calls if T0 + 1_000 <= c.at < T0 + 1_075]
        pods = {
            pod: ["firing" if c.delivery.firing else "resolved" for c in calls if of(c) == pod]
            for calls in (later,)
            for pod in {of(c) for c in calls}
        }
        assert {of(c) for c in before} == {"goes-on", "pending", "ends", "blinks"}
        # What came and went is told to nobody, nor is it told that "blinks" had ended.
        assert pods == {"begins": ["firing"], "ends": ["resolved"]}
        begun = next(c for c in later if of(c) == "begins")
        assert T0 + 600 <= min(begun.starts_at.values()) <= T0 + 660
        assert begun.at < T0 + 1_005
        (kept,) = [a for a in site.disk.alerts.values() if a.labels.get("pod") == "came-and-went"]
        assert kept.ends_at is not None
        assert T0 + 480 <= kept.starts_at < kept.ends_at <= T0 + 900

    def of(call: Any) -> str:
        return str(call.delivery.group).partition('pod="')[2].partition('"')[0]

    play(story())


@pytest.mark.parametrize("seed", range(3))
def test_a_kill_and_a_start_from_disk_change_no_state_of_any_rule(
    seed: int, tmp_path: Path
) -> None:
    """Like never having stopped, wherever it is killed; the disk is SQLite's."""
    rules = (*LIMITS, busy("kept", keep_firing_for=120.0))

    async def story(kills: list[float], path: Path) -> Mapping[str, Mapping[str, EntityState]]:
        opened: list[SqliteStore] = []

        def store() -> Store:
            for one in opened:
                one.close()
            opened.append(SqliteStore(path, timer=lambda: 0.0))
            return opened[-1]

        site = Site(*rules, store=store)
        downtime(site)
        daemon = await site.start()
        for kill in kills:
            await site.at(kill)
            await daemon.kill()
            await site.at(kill + random.Random(kill).uniform(1, 200))
            daemon = await site.start()
        await site.at(1_400)
        daemon.check()
        await daemon.kill()
        opened[-1].close()
        return daemon.engine.ledger.entities

    chance = random.Random(seed)
    kills = sorted(chance.uniform(50, 1_100) for _ in range(3))
    kills = [k for n, k in enumerate(kills) if n == 0 or k - kills[n - 1] > 210]
    never = play(story([], tmp_path / "never.db"))
    assert play(story(kills, tmp_path / "killed.db")) == never


# The source fails


def test_an_outage_holds_alerts_pages_after_its_patience_and_ends_when_it_is_over() -> None:
    async def story() -> None:
        site = Site(busy())
        site.sample(-60, 900, pod="a", cpu=1.0)
        site.sample(900, 2_000, pod="a", cpu=0.1)
        daemon = await site.start()
        ledger = daemon.engine.ledger
        progress = daemon.evaluations.progress["default"]
        await site.at(200)
        (alert,) = ledger.alerts.values()
        site.fail(DOWN)
        await site.at(200 + PATIENCE)
        assert identity("default") not in ledger.alerts
        assert progress.failing_since is not None
        assert "refused" in progress.error
        await site.at(200 + PATIENCE + 130)
        blind = ledger.alerts[identity("default")]
        assert blind.firing(site.clock.now())
        assert "refused" in blind.annotations["description"]
        assert ledger.runs["app/busy"].outcome is Outcome.STALE
        held = ledger.alerts[alert.fingerprint]
        assert held.ended is None
        assert held.stale_since is not None
        # It is back at 1000; the pod is fine since 900, which nobody could see.
        await site.at(1_000)
        assert ledger.alerts[alert.fingerprint].ended is None
        site.fail(None)
        await site.at(1_200)
        assert progress.failing_since is None
        assert progress.error == ""
        assert not any(a.firing(site.clock.now()) for a in ledger.alerts.values())
        await daemon.kill()
        told = site.hook.told
        assert told[:2] == [(("busy",), ()), (("engine-blind",), ())]
        assert sorted(told[2:]) == [((), ("busy",)), ((), ("engine-blind",))]

    play(story())


@pytest.mark.parametrize("blame", [Blame.REQUEST, Blame.ACCESS, Blame.BUSY, Blame.GARBLED])
def test_one_bad_rule_of_ten_blinds_itself_alone(blame: Blame) -> None:
    async def story() -> None:
        good = [busy(f"good-{n}") for n in range(9)]
        bad = busy("bad", index=("metrics-bad-default",), interval=30.0)
        site = Site(*good, bad)
        site.sample(-60, 2_000, pod="a", cpu=1.0)
        site.fail(SourceError("Elasticsearch: no", blame, status=400), "metrics-bad-default")
        daemon = await site.start()
        await site.at(1_500)
        daemon.check()
        ledger = daemon.engine.ledger
        outcomes = {id_.rpartition("/")[2]: run.outcome for id_, run in ledger.runs.items()}
        wrong = Outcome.MISCONFIGURED if blame is Blame.REQUEST else Outcome.STALE
        assert outcomes == {"bad": wrong, **{f"good-{n}": Outcome.FIRING for n in range(9)}}
        assert ledger.runs["app/bad"].error == "Elasticsearch: no"
        assert identity("default") not in ledger.alerts
        assert len([a for a in ledger.alerts.values() if a.firing(site.clock.now())]) == 9
        await daemon.kill()

    play(story())


def test_a_bad_rule_that_runs_more_often_than_the_others_pages_nobody() -> None:
    async def story() -> None:
        good = busy("good", interval=600.0)
        bad = busy("bad", index=("metrics-bad-default",), interval=10.0)
        site = Site(good, bad)
        site.sample(-60, 4_000, pod="a", cpu=0.1)
        site.fail(SourceError("no privilege", Blame.ACCESS, status=403), "metrics-bad-default")
        daemon = await site.start()
        await site.at(3_000)
        assert identity("default") not in daemon.engine.ledger.alerts
        # A real outage is still told, though the bad rule failed all the time.
        site.fail(DOWN)
        await site.at(3_000 + 600 + PATIENCE + 30)
        assert daemon.engine.ledger.alerts[identity("default")].firing(site.clock.now())
        await daemon.kill()

    play(story())


def test_a_rule_that_is_wrong_does_not_hide_an_outage() -> None:
    async def story() -> None:
        wrong = busy("wrong", index=(LOGS,), interval=10.0, group_by=("nobody",))
        site = Site(busy(), wrong)
        site.sample(-60, 2_000, pod="a", cpu=0.1)
        site.source.add(LOGS, {"@timestamp": T0 - 10, "pod": "a"})
        daemon = await site.start()
        await site.at(100)
        assert daemon.engine.ledger.runs["app/wrong"].outcome is Outcome.MISCONFIGURED
        site.fail(DOWN)
        await site.at(100 + PATIENCE + 130)
        assert daemon.engine.ledger.alerts[identity("default")].firing(site.clock.now())
        await daemon.kill()

    play(story())


def test_a_rule_that_breaks_us_costs_itself_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    async def story() -> None:
        site = Site(busy("good"), busy("poison", labels={"team": "x"}), busy("fine"))
        site.sample(-60, 2_000, pod="a", cpu=1.0)
        poison = Evaluations._search

        async def search(self: Evaluations, name: str, rules: Any, at: float) -> Any:
            return await poison(self, name, [_Broken.of(r) for r in rules], at)

        monkeypatch.setattr(Evaluations, "_search", search)
        with capture_logs() as logged:
            daemon = await site.start()
            await site.at(200)
        daemon.check()
        assert {"app/poison"} in [set(line.get("rules", ())) for line in logged]
        runs = daemon.engine.ledger.runs
        assert runs["app/good"].outcome is runs["app/fine"].outcome is Outcome.FIRING
        assert runs["app/poison"].outcome is Outcome.MISCONFIGURED
        assert "please report" in runs["app/poison"].error
        await daemon.kill()

    play(story())


class _Broken(dict[str, str]):
    """Labels that explode when they are read, as a bug of ours would."""

    @staticmethod
    def of(one: Rule) -> Rule:
        return replace(one, labels=_Broken()) if one.slug == "poison" else one

    def __iter__(self) -> Any:
        raise ZeroDivisionError


def test_fields_that_can_not_be_checked_on_one_stream_are_checked_on_the_others() -> None:
    class Picky(FakeSource):
        def field_types(self, indices: Any) -> Any:
            if "metrics-bad-default" in indices:
                raise SourceError("no privilege", Blame.ACCESS, status=403)
            return super().field_types(indices)

    async def story() -> None:
        bad = busy("bad", index=("metrics-bad-default",))
        wrong = busy("wrong", index=(METRICS,), group_by=("nobody",))
        site = Site(bad, wrong)
        site.source = Picky(types=TYPES)
        site.sample(-60, 500, pod="a", cpu=1.0)
        daemon = await site.start()
        await site.at(100)
        unknown = daemon.evaluations.progress["default"].unknown_fields
        assert unknown == {"app/wrong": {(METRICS,): ["nobody"]}}
        await daemon.kill()

    play(story())


def test_a_rule_of_a_missing_field_is_misconfigured_and_loud_from_the_reload_that_brings_it() -> (
    None
):
    async def story() -> None:
        elsewhere = Measure("most", Function.MAX, "gone", index=("metrics-other-default",))
        wrong = busy("wrong", measures=(Measure("used", Function.MAX, "cpu"), elsewhere))
        site = Site(busy())
        site.sample(-60, 1_000, pod="a", cpu=0.1)
        site.source.add("metrics-other-default", {"@timestamp": T0, "pod": "a"})
        daemon = await site.start()
        await site.at(100)
        with capture_logs() as logged:
            daemon.evaluations.reload([busy(), wrong])
            await daemon.evaluations.check_fields("default")
            await site.at(200)
        daemon.check()
        run = daemon.engine.ledger.runs["app/wrong"]
        assert run.outcome is Outcome.MISCONFIGURED
        assert run.error == "metrics-other-default has no field gone"
        assert [line["error"] for line in logged if line["event"] == "rule is misconfigured"] == [
            run.error
        ]
        daemon.evaluations.reload([busy()])
        await site.at(300)
        assert daemon.evaluations.progress["default"].unknown_fields == {}
        await daemon.kill()

    play(story())


def test_fields_are_asked_for_again_after_a_reload_before_any_rule_runs() -> None:
    async def story() -> None:
        site = Site(busy())
        site.sample(-60, 1_000, pod="a", cpu=1.0)
        daemon = await site.start()
        await site.at(100)
        daemon.evaluations.reload([busy(threshold=replace(BUSY, field="nobody"))])
        await site.at(200)
        (alert,) = daemon.engine.ledger.alerts.values()
        assert alert.ended is None, "a mistake in a rule resolves nothing"
        assert daemon.engine.ledger.runs["app/busy"].outcome is Outcome.MISCONFIGURED
        assert all("nobody" not in str(request) for request in site.source.asked)
        await daemon.kill()

    play(story())


def test_a_template_that_breaks_costs_the_words_and_not_the_alert() -> None:
    async def story() -> None:
        site = Site(busy(annotations={"summary": "{{ broken }}", "action": "look at {{ value }}"}))
        site.sample(-60, 500, pod="a", cpu=1.0)
        daemon = await site.start()
        await site.at(100)
        (alert,) = daemon.engine.ledger.alerts.values()
        assert "'broken' is undefined" in alert.annotations["summary"]
        assert alert.annotations["action"] == "look at 1"
        assert "annotation summary" in daemon.engine.ledger.runs["app/busy"].error
        assert site.hook.told == [(("busy",), ())]
        await daemon.kill()

    play(story())


def test_a_disk_without_room_keeps_every_word_until_there_is() -> None:
    async def story() -> None:
        site = Site(busy())
        site.sample(-60, 1_000, pod="a", cpu=1.0)
        daemon = await site.start()
        site.fake.failing = StoreFull("no room")
        await site.at(300)
        daemon.check()
        assert site.hook.calls == []
        assert site.disk.alerts == {}
        assert "no room" in site.fake.health().error
        site.fake.failing = None
        site.fake.retry()
        await site.at(400)
        assert site.hook.told == [(("busy",), ())]
        (kept,) = site.disk.alerts.values()
        assert kept.starts_at < T0 + 61
        await daemon.kill()

    play(story())


# The clock, and reloads


def test_a_clock_that_jumps_ahead_and_is_set_right_resolves_nothing() -> None:
    async def story() -> None:
        site = Site(busy(), busy("ends-with-its-stream", no_data=NoData.HOLD, for_=60.0))
        site.sample(-60, 8_000, pod="a", cpu=1.0)
        daemon = await site.start()
        await site.at(200)
        told = list(site.hook.told)
        assert len(told) == 2
        for step in (3_600.0, -3_600.0, -3_600.0, 3_600.0):
            site.clock.step(step)
            await site.clock.sleep(200)
            daemon.check()
        assert site.hook.told == told
        assert all(a.ended is None for a in daemon.engine.ledger.alerts.values())
        await daemon.kill()

    play(story())


def test_what_is_pending_when_the_clock_is_set_back_fires_in_time() -> None:
    async def story() -> None:
        site = Site(busy(for_=300.0))
        site.sample(-7_200, 2_000, pod="a", cpu=1.0)
        daemon = await site.start()
        await site.at(200)
        (state,) = daemon.engine.ledger.entities_of("app/busy").values()
        assert state.fired_at is None
        site.clock.step(-3_600.0)
        await site.clock.sleep(430)
        assert len(site.hook.calls) == 1
        await daemon.kill()

    play(story())


def test_what_is_kept_firing_when_the_clock_is_set_back_ends_in_time() -> None:
    async def story() -> None:
        site = Site(busy(keep_firing_for=120.0))
        site.sample(-7_200, 100, pod="a", cpu=0.1)
        site.sample(0, 100, pod="b", cpu=1.0)
        site.sample(100, 2_000, pod="b", cpu=0.1)
        daemon = await site.start()
        await site.at(200)
        (alert,) = daemon.engine.ledger.alerts.values()
        assert alert.ended is None
        site.clock.step(-3_600.0)
        await site.clock.sleep(360)
        assert site.hook.told == [(("busy",), ()), ((), ("busy",))]
        await daemon.kill()

    play(story())


def test_an_outage_that_began_before_the_clock_was_set_back_is_told_in_time() -> None:
    async def story() -> None:
        site = Site(busy())
        site.sample(-60, 100, pod="a", cpu=0.1)
        daemon = await site.start()
        await site.at(100)
        site.fail(DOWN)
        await site.at(170)
        site.clock.step(-3_600.0)
        await site.clock.sleep(PATIENCE + 180)
        assert site.hook.told == [(("engine-blind",), ())]
        await daemon.kill()

    play(story())


def test_a_rule_that_a_reload_takes_away_while_it_runs_leaves_nothing_behind() -> None:
    async def story() -> None:
        site = Site(busy("stays"), busy("goes"))
        site.sample(-1_000, 2_000, pod="a", cpu=1.0)
        daemon = await site.start()
        await site.at(200)
        stays = site.rules[0]
        engine, evaluations = daemon.engine, daemon.evaluations
        inner = site.source.search

        def search(requests: Any) -> Any:
            # The reload comes in while the search is on its way.
            evaluations.reload([stays])
            gone = retire(
                {stays.id}, engine.ledger.entities, engine.ledger.alerts.values(), T0 + 240
            )
            engine.conclude(gone, site.clock.now())
            return inner(requests)

        monkeypatched = pytest.MonkeyPatch()
        monkeypatched.setattr(site.source, "search", search)
        await site.at(260)
        monkeypatched.undo()
        await site.at(600)
        firing = [a.name for a in engine.ledger.alerts.values() if a.ended is None]
        assert firing == ["stays"]
        assert "app/goes" not in {
            s.rule for m in engine.ledger.entities.values() for s in m.values()
        }
        await daemon.kill()

    play(story())


def test_an_alert_on_a_source_that_no_rule_reads_any_more_ends() -> None:
    blind = Alert(
        identity("west"),
        {"alertname": "engine-blind", "severity": "critical", "source": "west"},
        {},
        *(T0, T0, T0),
    )
    sent = replace(blind, ends_at=T0 + 300)
    assert unwatched([blind], {"west"}, T0) == ()
    assert unwatched([sent], (), T0) == ()
    (over,) = unwatched([blind], {"default"}, T0 + 5)
    assert (over.ends_at, over.ended) == (T0 + 5, EndReason.REMOVED)


def test_two_who_ask_for_a_round_at_once_run_it_once() -> None:
    async def story() -> None:
        site = Site(busy())
        site.sample(-60, 100, pod="a", cpu=1.0)
        daemon = await site.start()
        await site.at(10)
        site.source.calls.clear()
        await site.at(59.99)
        ran = [await daemon.evaluations.round("default") for _ in range(2)]
        assert ran.count(True) <= 1
        await daemon.kill()

    play(story())


def test_absence_is_told_through_downtime() -> None:
    async def story(down: bool) -> Any:
        site = Site(rule(id="app/gone", kind=RuleKind.ABSENCE, window=120.0, for_=60.0))
        site.sample(-300, 2_000, pod="lives")
        site.sample(-300, 500, pod="dies", cpu=0.1)
        daemon = await live(site, down=down)
        await daemon.kill()
        return episodes(daemon.engine.ledger.alerts)

    always = play(story(down=False))
    assert {pod for _, pod, *_ in always} == {"dies"}
    assert play(story(down=True)) == always
