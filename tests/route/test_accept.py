"""Alerts as they come: merged with what is known, and put into groups."""

from __future__ import annotations

from dataclasses import replace

from sre_obs.model.alert import Alert, EndReason, Evidence
from sre_obs.model.changes import Changes
from sre_obs.model.ledger import Ledger
from sre_obs.model.notification import Told
from sre_obs.route.accept import Accepted, accept
from sre_obs.route.tree import Router
from tests.route.parts import alert, ended, route, routing

DISK = {"alertname": "Disk", "host": "a"}
ROUTER = Router(routing(route("", route('host="a"', id="a", continues=True), route(id="rest"))))
NOW = 1000.0


class Book:
    """A ledger that takes what is accepted."""

    def __init__(self) -> None:
        self.ledger = Ledger()

    def take(self, *alerts: Alert, now: float = NOW) -> Accepted:
        accepted = accept(alerts, self.ledger, ROUTER, now)
        self.ledger.apply(Changes(alerts=accepted.refreshed))
        self.ledger.apply(accepted.changes)
        return accepted

    def only(self) -> Alert:
        (only,) = self.ledger.alerts.values()
        return only

    def tell(self, firing: str = "", resolved: str = "") -> None:
        """All groups were told so."""
        known = frozenset(self.ledger.alerts)
        told = Told(NOW, known if firing else frozenset(), known if resolved else frozenset())
        groups = [replace(g, told={"hook/webhook[0]": told}) for g in self.ledger.groups.values()]
        self.ledger.apply(Changes(groups=tuple(groups)))


def test_a_new_alert_joins_a_group_of_each_route_that_it_takes() -> None:
    book = Book()
    accepted = book.take(alert(DISK))
    assert (accepted.new, accepted.resent, accepted.ended) == (1, 0, 0)
    assert list(book.ledger.groups) == ['a:{alertname="Disk"}', 'rest:{alertname="Disk"}']
    assert [g.flush_at for g in book.ledger.groups.values()] == [NOW + 30, NOW + 30]
    assert book.ledger.groups_of(book.only().fingerprint) == tuple(book.ledger.groups)


def test_a_re_sent_alert_with_a_later_start_is_the_same_alert() -> None:
    book = Book()
    book.take(alert(DISK, at=NOW, ends_at=NOW + 60))
    accepted = book.take(alert(DISK, at=NOW + 30, ends_at=NOW + 90), now=NOW + 30)
    assert (accepted.new, accepted.resent) == (0, 1)
    only = book.only()
    assert (only.starts_at, only.fired_at, only.ends_at) == (NOW, NOW, NOW + 90)
    assert only.updated_at == NOW + 30


def test_an_earlier_start_is_believed_without_moving_the_episode() -> None:
    book = Book()
    book.take(alert(DISK))
    accepted = book.take(alert(DISK, at=NOW - 500), now=NOW + 30)
    assert (book.only().starts_at, book.only().fired_at) == (NOW - 500, NOW)
    assert accepted.changes.alerts, "the disk must know"


def test_a_promise_that_is_only_pushed_further_is_for_memory_alone() -> None:
    book = Book()
    book.take(alert(DISK, ends_at=NOW + 60))
    accepted = book.take(alert(DISK, ends_at=NOW + 90), now=NOW + 30)
    assert not accepted.changes
    assert [a.ends_at for a in accepted.refreshed] == [NOW + 90]


def test_whatever_else_changes_is_for_the_disk() -> None:
    changes = {
        "annotations": {"summary": "It is worse"},
        "generator_url": "http://127.0.0.1/",
        "stale_since": NOW,
        "drill": True,
        "ends_at": None,
        "shadow": True,
    }
    for name, value in changes.items():
        book = Book()
        first = alert(DISK, ends_at=NOW + 60)
        book.take(first)
        accepted = book.take(replace(first, **{name: value}), now=NOW + 1)
        assert len(accepted.changes.alerts) == 1, name
        assert not accepted.refreshed
        assert getattr(book.only(), name) == value


def test_new_evidence_of_a_rule_is_for_the_disk() -> None:
    book = Book()
    first = alert(DISK, rule="db/disk", evidence=Evidence(value=1.0))
    book.take(first)
    assert not book.take(replace(first, updated_at=NOW + 1)).changes
    assert book.take(replace(first, evidence=Evidence(value=2.0))).changes
    assert book.only().evidence.value == 2.0


def test_an_end_keeps_the_start_and_says_why() -> None:
    book = Book()
    book.take(alert(DISK, ends_at=NOW + 60))
    accepted = book.take(ended(DISK, at=NOW + 30, ended=None, annotations={}), now=NOW + 30)
    assert (accepted.new, accepted.resent, accepted.ended) == (0, 0, 1)
    only = book.only()
    assert (only.starts_at, only.fired_at, only.ends_at) == (NOW, NOW, NOW + 30)
    assert only.ended is EndReason.SENDER
    assert only.annotations == {"summary": "It is bad"}, "what was said of it stays"
    again = book.take(ended(DISK, at=NOW + 40), now=NOW + 40)
    assert not again.changes
    assert again.ended == 0


def test_a_rule_says_itself_why_its_alert_ended() -> None:
    book = Book()
    book.take(alert(DISK, rule="db/disk"))
    book.take(ended(DISK, at=NOW + 30, ended=EndReason.UNDER_LIMIT), now=NOW + 30)
    assert book.only().ended is EndReason.UNDER_LIMIT


def test_an_end_of_what_is_not_known_means_nothing() -> None:
    accepted = Book().take(ended(DISK, at=NOW))
    assert accepted == Accepted(Changes())


def test_what_fires_again_before_its_end_was_told_is_the_same_episode() -> None:
    book = Book()
    book.take(alert(DISK))
    book.tell(firing="yes")
    book.take(ended(DISK, at=NOW + 30), now=NOW + 30)
    accepted = book.take(alert(DISK, at=NOW + 40), now=NOW + 40)
    assert (accepted.new, accepted.resent) == (0, 1)
    assert (book.only().fired_at, book.only().ended) == (NOW, None)


def test_what_fires_again_after_its_end_was_told_is_a_new_episode() -> None:
    book = Book()
    book.take(alert(DISK))
    book.take(ended(DISK, at=NOW + 30), now=NOW + 30)
    book.tell(resolved="yes")
    accepted = book.take(alert(DISK, at=NOW + 40), now=NOW + 40)
    assert (accepted.new, accepted.resent) == (1, 0)
    assert book.only().fired_at == NOW + 40


def test_an_alert_whose_promise_ran_out_fires_on_when_it_is_sent_again() -> None:
    book = Book()
    book.take(alert(DISK, ends_at=NOW + 60))
    book.take(alert(DISK, at=NOW + 70, ends_at=NOW + 130), now=NOW + 70)
    assert (book.only().fired_at, book.only().ends_at) == (NOW, NOW + 130)


def test_one_batch_is_taken_in_order() -> None:
    book = Book()
    accepted = book.take(
        alert(DISK), alert(DISK, at=NOW + 1), ended(DISK, at=NOW), alert(DISK, at=NOW + 2)
    )
    assert (accepted.new, accepted.resent, accepted.ended) == (1, 2, 1)
    assert len(accepted.changes.alerts) == 1
    assert (book.only().fired_at, book.only().ended) == (NOW, None)
    assert len(accepted.changes.joined) == 2


def test_a_new_alert_that_ends_in_the_same_batch_stays_to_be_looked_at() -> None:
    book = Book()
    book.take(alert(DISK), ended(DISK, at=NOW))
    assert book.only().ended
    assert book.ledger.groups_of(book.only().fingerprint)


def test_a_shadow_alert_is_kept_and_grouped_nowhere_and_forgotten_at_its_end() -> None:
    book = Book()
    book.take(alert(DISK, shadow=True))
    assert book.only().shadow
    assert not book.ledger.groups
    accepted = book.take(ended(DISK, at=NOW + 5, shadow=True), now=NOW + 5)
    assert not book.ledger.alerts
    assert accepted.changes.alerts[0].ended, "history knows its end"
    book.take(
        alert(DISK, shadow=True, at=NOW + 6), ended(DISK, at=NOW + 6, shadow=True), now=NOW + 6
    )
    assert not book.ledger.alerts


def test_a_group_takes_its_members_on_without_being_written_again() -> None:
    book = Book()
    book.take(alert(DISK))
    accepted = book.take(alert({**DISK, "host": "b"}), now=NOW + 1)
    assert accepted.changes.groups == ()
    assert len(accepted.changes.joined) == 1
