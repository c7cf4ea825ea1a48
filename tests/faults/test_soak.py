"""Hours of an unlucky night in seconds: everything fails at random, nothing is lost.

The daemon's own parts run on a virtual clock while the disk fills up, the receivers lose
answers, say 429 and 500, the source goes away, the clock is set, and the process is
killed and started. A seed that fails is a story to replay.
"""

from __future__ import annotations

import asyncio
import os
import random
from collections import Counter
from dataclasses import replace

import pytest

from sre_obs.model.alert import Alert, EndReason, fingerprint
from sre_obs.model.errors import Blame, SourceError, StoreError, StoreFull
from sre_obs.model.outcome import Answer, Failure, Verdict
from sre_obs.notify.notice import Notice
from tests.app.virtual import Clock, Daemon, Receiver, Settled, play, routing
from tests.evaluate.world import METRICS, T0, TYPES, every, rule
from tests.fakes.source import FakeSource
from tests.fakes.store import Disk, FakeStore

FULL = os.environ.get("SRE_OBS_TEST_FULL") == "1"
SEEDS = range(200 if FULL else 6)
HOURS = 4 if FULL else 1
ROUTES = """
global: {slack_app_token: xoxb-1}
route:
  receiver: chat
  group_by: [alertname]
  group_wait: 5s
  group_interval: 30s
  repeat_interval: 3h
  routes:
    - {receiver: hook, matchers: ['alertname =~ "a[0-4]"'], continue: true}
    - {receiver: chat, matchers: ['alertname =~ ".+"']}
receivers:
  - name: chat
    slack_configs: [{channel: "#alerts"}]
  - name: hook
    webhook_configs: [{url: "http://127.0.0.1:1/"}]
"""
CHAT, HOOK = "chat/slack[0]", "hook/webhook[0]"
TROUBLE = (
    Answer(Verdict.RETRY, Failure.SERVER),
    Answer(Verdict.RETRY, Failure.RATE_LIMITED, retry_after=20.0),
    Answer(Verdict.AMBIGUOUS, Failure.TIMEOUT),
    Answer(Verdict.RETRY, Failure.OTHER),
)


class Unlucky(Receiver):
    """Takes most messages, loses some answers, refuses some."""

    def send(self, notice: Notice) -> Answer:
        if self.chance.random() < self.trouble:
            self.answers.append(self.chance.choice(TROUBLE))
        return super().send(notice)

    chance = random.Random(0)
    trouble = 0.25


class Night:
    """One seed's night. Who sends alerts goes on until it is answered 200."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.clock = Clock(T0)
        self.disk = Disk()
        self.store = FakeStore(self.disk)
        self.source = FakeSource(types=TYPES)
        self.chat = Unlucky(self.clock)
        self.hook = Unlucky(self.clock, readable=False)
        self.chat.chance = self.hook.chance = random.Random(seed + 1)
        self.accepted: set[str] = set()  # names that were answered 200 at least once
        self.wanted: dict[str, bool] = {}  # name -> fires, as its sender sees it
        self.episodes: Counter[str] = Counter()
        self.daemon: Daemon | None = None
        self.source.add(
            METRICS,
            *({"@timestamp": at, "pod": "p", "cpu": 1.0} for at in every(30, T0 - 3e4, T0 + 9e4)),
        )

    async def start(self) -> None:
        self.store = FakeStore(self.disk)
        self.daemon = await Daemon(
            Settled(self.store),
            self.clock,
            routing(ROUTES),
            {CHAT: self.chat, HOOK: self.hook},
            rules=[rule(id="x/always-busy", window=60.0)],
            sources={"default": self.source},
        ).start()

    async def send(self, name: str, *, fires: bool) -> bool:
        """What Prometheus does each minute; whether it was answered 200."""
        assert self.daemon is not None
        now = self.clock.now()
        labels = {"alertname": name}
        alert = Alert(fingerprint(labels), labels, {}, now, now, now, ends_at=now + 240.0)
        if not fires:
            alert = replace(alert, ends_at=now, ended=EndReason.SENDER)
        try:
            await asyncio.wrap_future(self.daemon.engine.accept([alert], now))
        except StoreError:
            return False
        if fires:
            self.accepted.add(name)
        return True

    async def senders(self) -> None:
        while True:
            for name, fires in list(self.wanted.items()):
                taken = await self.send(name, fires=fires)
                if taken and not fires:
                    del self.wanted[name]
            await self.clock.sleep(60.0)

    async def fault(self) -> None:
        """One thing goes wrong, or ends to."""
        assert self.daemon is not None
        match self.chance.randrange(8):
            case 0:
                self.store.failing = StoreFull("no room")
                await self.clock.sleep(self.chance.uniform(0, 90))
                self.store.failing = None
                self.store.retry()
            case 1 | 2:
                await self.daemon.kill()
                await self.clock.sleep(self.chance.uniform(0, 60))
                await self.start()
            case 3:
                down = SourceError("gone", Blame.UNREACHABLE)
                self.source.failing = lambda _: down
                await self.clock.sleep(self.chance.uniform(0, 400))
                self.source.failing = lambda _: None
            case 4:
                self.clock.step(self.chance.choice([-3_600.0, 3_600.0, -5.0, 5.0]))
            case 5:
                trouble = self.chance.choice([0.0, 0.5, 1.0])
                self.chat.trouble = trouble
                self.hook.trouble = self.chance.choice([0.0, 0.5, 1.0])
                await self.clock.sleep(self.chance.uniform(0, 300))
                self.chat.trouble = self.hook.trouble = 0.25
            case _:
                name = f"a{self.chance.randrange(10)}"
                if name not in self.wanted or not self.wanted[name]:
                    self.episodes[name] += 1
                    self.wanted[name] = True
                elif name in self.accepted:
                    self.wanted[name] = False

    async def pass_(self) -> None:
        await self.start()
        senders = asyncio.create_task(self.senders())
        end = self.clock.timer() + HOURS * 3_600
        while self.clock.timer() < end:
            await self.fault()
            await self.clock.sleep(self.chance.uniform(0, 60))
            assert self.daemon is not None
            self.daemon.check()
        # The morning: all works, and everybody finishes.
        self.store.failing = None
        self.store.retry()
        self.chat.trouble = self.hook.trouble = 0.0
        await self.clock.sleep(1_500)
        senders.cancel()
        assert self.daemon is not None
        self.daemon.check()
        self.check()
        await self.daemon.kill()

    def check(self) -> None:
        assert self.daemon is not None
        ledger, now = self.daemon.engine.ledger, self.clock.now()
        assert not self.daemon.engine.busy
        assert not ledger.deliveries, "deliveries are left"
        # Memory and disk say the same.
        assert {d.id for d in self.disk.deliveries.values() if not d.state.final} == set()
        assert set(self.disk.current) == set(ledger.alerts)
        fires = {a.name for a in ledger.alerts.values() if a.firing(now)}
        wanted = {name for name, on in self.wanted.items() if on}
        assert fires == {"always-busy"} | wanted
        # What was accepted was told, unless it ended before its group was looked at.
        for integration, receiver in ((CHAT, self.chat), (HOOK, self.hook)):
            last: dict[str, str] = {}
            for call in receiver.calls:
                last.update(dict.fromkeys(call.firing, "firing"))
                last.update(dict.fromkeys(call.resolved, "resolved"))
            hears = {n for n in fires if integration == CHAT or n in {f"a{i}" for i in range(5)}}
            assert hears <= {n for n, word in last.items() if word == "firing"}
            assert {n for n, word in last.items() if word == "firing"} <= hears
        # Who can be asked got each row once (an edit does no harm twice), and no second
        # message on a group before it was told that all of the first had ended.
        rows = Counter(c.delivery.id for c in self.chat.calls if c.delivery.kind != "update")
        assert max(rows.values()) == 1
        open_: dict[str, bool] = {}
        for call in self.chat.calls:
            group = call.delivery.group
            assert not (call.delivery.kind == "post" and open_.get(group)), group
            open_[group] = bool(call.firing)
        # Who can't be asked got twice only what may have been lost, and that says so.
        repeated = [i for i, n in Counter(c.delivery.id for c in self.hook.calls).items() if n > 1]
        for id_ in repeated:
            assert [c.delivery.may_repeat for c in self.hook.calls if c.delivery.id == id_][1:]


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_is_lost_and_nothing_told_twice(seed: int) -> None:
    play(Night(seed).pass_())
