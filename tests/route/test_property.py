"""Whatever comes, in whatever order, with receivers down, silences and kills: nothing
accepted is lost, and what people read in the end is what is true.

The routing and a small engine (of the stories) are held against a model that knows only
which alerts fire and which silences are in force.
"""

from __future__ import annotations

from collections import defaultdict
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from sre_obs.model.notification import DeliveryKind, DeliveryState
from tests.acceptance.story import Received, Story, alert, between

ROUTES = """
global: {slack_app_token: xoxb-1}
route:
  receiver: ops
  group_by: [alertname]
  group_wait: 10s
  group_interval: 30s
  repeat_interval: 200s
receivers:
  - name: ops
    slack_configs: [{channel: "#ops"}]
    webhook_configs: [{url: "http://127.0.0.1:1/"}]
"""
SLACK, WEBHOOK = "ops/slack[0]", "ops/webhook[0]"
ALERTS = [alert("Disk", host="a"), alert("Disk", host="b"), alert("Load", host="a")]

some_alerts = st.sets(st.sampled_from(range(len(ALERTS))), min_size=1)
# Within group_wait, within and beyond group_interval, beyond repeat_interval.
seconds = st.sampled_from([0, 1, 11, 31, 33, 65, 130, 210])


class Telling(RuleBasedStateMachine):
    """Without silences: each alert's own last word is its true state."""

    def __init__(self) -> None:
        super().__init__()
        self.story = Story(ROUTES)
        self.now = 0.0
        self.firing: set[str] = set()
        self.levels: dict[str, int] = {}  # of what has risen
        self.fired: set[str] = set()

    @rule(which=some_alerts, then=seconds)
    def push(self, which: set[int], then: int) -> None:
        self.story.at(self.now).push(*(ALERTS[n] for n in which))
        self.story.play(self.now)
        self.firing |= self.prints(which)
        self.fired |= self.prints(which)
        for fingerprint in self.prints(which):
            self.levels.pop(fingerprint, None)
        self.pass_time(then)

    @rule(which=some_alerts, level=st.integers(0, 2), then=seconds)
    def turn(self, which: set[int], level: int, then: int) -> None:
        """What fires gets worse, or better."""
        turned = {n for n in which if ALERTS[n].fingerprint in self.firing}
        severity = ("warning", "critical", "fatal")[level]
        alerts = [ALERTS[n] for n in sorted(turned)]
        self.story.at(self.now).push(*alerts, severity=severity, level=level)
        self.story.play(self.now)
        for fingerprint in self.prints(turned):
            self.levels[fingerprint] = level
        self.pass_time(then)

    @rule(which=some_alerts, then=seconds)
    def resolve(self, which: set[int], then: int) -> None:
        self.story.at(self.now).resolve(*(ALERTS[n] for n in which))
        self.story.play(self.now)
        self.firing -= self.prints(which)
        self.pass_time(then)

    @rule(by=seconds)
    def pass_time(self, by: int) -> None:
        self.now += by
        self.story.play(self.now)

    @rule(who=st.sampled_from([SLACK, WEBHOOK]), span=seconds)
    def break_down(self, who: str, span: int) -> None:
        self.story.fails(who, between(self.now, self.now + span))

    @rule(span=seconds, after=seconds)
    def limit(self, span: int, after: int) -> None:
        self.story.limits(SLACK, between(self.now, self.now + span), retry_after=after)

    @rule(who=st.sampled_from([SLACK, WEBHOOK]), span=seconds, long=seconds)
    def grow_slow(self, who: str, span: int, long: int) -> None:
        self.story.takes_long(who, between(self.now, self.now + span), seconds=long)

    @rule(who=st.sampled_from([SLACK, WEBHOOK]), span=seconds, long=seconds)
    def hang(self, who: str, span: int, long: int) -> None:
        self.story.hangs(who, between(self.now, self.now + span), seconds=long)

    @rule()
    def kill(self) -> None:
        self.story.at(self.now).restart()
        self.story.play(self.now)

    @invariant()
    def one_message_at_a_time(self) -> None:
        """A group's next post comes when its last message says that all is resolved."""
        shown: dict[str, set[str]] = {}
        for each in self.story.received:
            if each.delivery.integration == SLACK and each.message.kind is not DeliveryKind.REPLY:
                if each.message.kind is DeliveryKind.POST:
                    assert not shown.get(each.delivery.group)
                shown[each.delivery.group] = set(each.message.firing)

    @invariant()
    def nothing_twice_and_in_order(self) -> None:
        numbers = defaultdict(list)
        for each in self.story.received:
            numbers[each.delivery.conversation].append(each.delivery.number)
        for sent in numbers.values():
            assert sent == sorted(set(sent))

    @invariant()
    def no_end_before_its_beginning(self) -> None:
        told: dict[str, set[str]] = defaultdict(set)
        for each in self.story.received:
            known = told[each.delivery.integration]
            if each.delivery.integration == SLACK:
                assert each.message.resolved <= self.fired  # what went out late says both
            else:
                assert each.message.resolved <= known
            known |= each.message.firing | each.message.resolved

    @invariant()
    def a_reply_or_an_edit_has_its_message(self) -> None:
        posted: set[tuple[str, int]] = set()
        for each in self.story.received:
            place = (each.delivery.group, each.delivery.generation)
            if each.delivery.integration != SLACK:
                continue
            if each.message.kind is DeliveryKind.POST:
                posted.add(place)
            assert place in posted

    @invariant()
    def rows_that_wait_stay_few(self) -> None:
        """One of a kind; and one that was under way meanwhile and failed."""
        waiting = defaultdict(list)
        for row in self.story.ledger.deliveries.values():
            if row.integration == SLACK and row.state is DeliveryState.READY:
                waiting[row.conversation, row.generation, row.kind].append(row)
        for rows in waiting.values():
            assert len(rows) <= 2
            assert sum(1 for row in rows if row.attempts == 0) <= 1

    def teardown(self) -> None:
        """Long after the last trouble everybody knows what is true."""
        self.now += 3000
        self.story.play(self.now)
        for name in ("Disk", "Load"):
            prints = {a.fingerprint for a in ALERTS if a.name == name}
            for who in (SLACK, WEBHOOK):
                shown = self.last_shown(name, who)
                if self.firing & prints or shown:
                    assert shown is not None, f"{who} was never told of {name}"
                    assert shown.message.firing == self.firing & prints
        self.each_alert_ends_as_told()
        self.severities_are_those_told()
        assert set(self.story.ledger.alerts) == self.firing, "what ended is forgotten"
        assert set(self.story.disk.alerts) == self.firing
        assert not self.story.ledger.deliveries
        assert self.story.ledger.groups.keys() == self.story.disk.groups.keys()

    def last_shown(self, name: str, who: str) -> Received | None:
        """What is to be read now; a reply changes no message."""
        shown = [
            each
            for each in self.story.received
            if each.delivery.integration == who
            and f'alertname="{name}"' in each.delivery.group
            and each.message.kind is not DeliveryKind.REPLY
        ]
        return shown[-1] if shown else None

    def each_alert_ends_as_told(self) -> None:
        words: dict[str, str] = {}
        for each in self.story.received:
            if each.delivery.integration == WEBHOOK:
                words |= dict.fromkeys(each.message.firing, "firing")
                words |= dict.fromkeys(each.message.resolved, "resolved")
        assert {f for f, word in words.items() if word == "firing"} == self.firing

    def severities_are_those_told(self) -> None:
        """By who can edit; who can't was told of no fall, and of each rise."""
        for group in self.story.ledger.groups.values():
            for who, told in group.told.items():
                for fingerprint in told.firing:
                    said, true = told.levels.get(fingerprint, 0), self.levels.get(fingerprint, 0)
                    assert said == true if who == SLACK else said >= true

    @staticmethod
    def prints(which: set[int]) -> set[str]:
        return {ALERTS[n].fingerprint for n in which}


class TellingUnderSilences(Telling):
    """With silences: nobody is told of what is silenced, and afterwards all is true again."""

    def __init__(self) -> None:
        super().__init__()
        self.silences: list[tuple[str, float, float]] = []  # host, from, until

    @rule(host=st.sampled_from("ab"), span=seconds.filter(bool))
    def silence(self, host: str, span: int) -> None:
        id_ = f"s{len(self.silences)}"
        self.silences.append((host, self.now, self.now + span))
        self.story.at(self.now).silence(f'host="{host}"', seconds=span, id_=id_)
        self.story.play(self.now)

    @rule(data=st.data())
    def expire(self, data: st.DataObject) -> None:
        if self.silences:
            self.expire_one(data.draw(st.integers(0, len(self.silences) - 1)))

    def expire_one(self, n: int) -> None:
        host, begin, end = self.silences[n]
        self.silences[n] = (host, begin, min(end, self.now))
        self.story.at(self.now).expire_silence(f"s{n}")
        self.story.play(self.now)

    @invariant()
    def nothing_silenced_is_told(self) -> None:
        """A row that was queued before is not called back: what replaces it may name its ends."""
        replaced: dict[tuple[float, str], set[str]] = defaultdict(set)
        for at, row in self.story.rows:
            if row.state is DeliveryState.SUPERSEDED:
                replaced[at, row.integration].update(row.resolved)
                continue
            for fingerprint in {*row.firing, *row.resolved} - replaced[at, row.integration]:
                assert not self.silenced(fingerprint, at), row

    def silenced(self, fingerprint: str, at: float) -> bool:
        host = next(a for a in ALERTS if a.fingerprint == fingerprint).labels["host"]
        return any(h == host and begin < at < end for h, begin, end in self.silences)


@pytest.mark.parametrize("kind", [Telling, TellingUnderSilences])
@pytest.mark.parametrize("seed", range(60))
def test_long_histories_end_well(kind: type[Telling], seed: int) -> None:
    """Hypothesis finds short ones; trouble upon trouble needs length."""
    random = Random(seed)
    machine = kind()
    for _ in range(50):
        step(machine, random)
    machine.one_message_at_a_time()
    machine.nothing_twice_and_in_order()
    machine.no_end_before_its_beginning()
    machine.a_reply_or_an_edit_has_its_message()
    if isinstance(machine, TellingUnderSilences):
        machine.nothing_silenced_is_told()
    machine.teardown()


def step(machine: Telling, random: Random) -> None:
    """Something happens, then some time passes."""
    which = set(random.sample(range(len(ALERTS)), random.choice([1, 1, 2, 3])))
    then = random.choice([0, 1, 7, 11, 31, 40, 65, 130])
    span = random.choice([20, 60, 150, 400])
    who = random.choice([SLACK, WEBHOOK])
    match random.choice("ppprrrbslkhtt" + "qqe" * isinstance(machine, TellingUnderSilences)):
        case "p":
            machine.push(which, then)
        case "r":
            machine.resolve(which, then)
        case "t":
            machine.turn(which, random.randrange(3), then)
        case "b":
            machine.break_down(who, span)
        case "s":
            machine.grow_slow(who, span, then)
        case "l":
            machine.limit(then, span)
        case "h":
            machine.hang(who, span, then)
        case "k":
            machine.kill()
        case "q" if isinstance(machine, TellingUnderSilences):
            machine.silence(random.choice("ab"), span)
        case "e" if isinstance(machine, TellingUnderSilences) and machine.silences:
            machine.expire_one(random.randrange(len(machine.silences)))
    machine.pass_time(random.choice([0, 0, then]))


TestTelling = Telling.TestCase
TestTelling.settings = settings(stateful_step_count=30)
TestTellingUnderSilences = TellingUnderSilences.TestCase
TestTellingUnderSilences.settings = settings(stateful_step_count=30)
