"""What every Store promises, tried on each kind of store."""

from __future__ import annotations

from concurrent.futures import Future, wait
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sre_obs.model.changes import Changes
from sre_obs.model.errors import StoreError, StoreFull
from sre_obs.model.ledger import Ledger
from sre_obs.model.notification import DeliveryState
from sre_obs.model.store import Snapshot, Store
from tests.adapters.store.conftest import PLACES, Place
from tests.model import nouns
from tests.model.nouns import (
    make_alert,
    make_delivery,
    make_entity,
    make_entry,
    make_group,
    make_run,
    make_silence,
)

ONE_OF_EACH = Changes(
    alerts=(make_alert(),),
    groups=(make_group(),),
    deliveries=(make_delivery(),),
    silences=(make_silence(),),
    entities=(make_entity(),),
    runs=(make_run(),),
    audit=(make_entry(),),
)


def commit(store: Store, changes: Changes) -> None:
    store.commit(changes).result(timeout=30)


def reopen(store: Store, place: Place) -> Store:
    store.close()
    return place.open()


def test_a_new_store_is_empty(store: Store) -> None:
    assert store.load() == Snapshot()
    assert not store.deliveries() and not store.history() and not store.audit()
    assert store.health().waiting == 0


def test_what_was_committed_is_there_after_opening_anew(place: Place) -> None:
    store = place.open()
    commit(store, ONE_OF_EACH)
    store = reopen(store, place)

    assert store.load() == Snapshot(
        alerts=ONE_OF_EACH.alerts,
        groups=ONE_OF_EACH.groups,
        deliveries=ONE_OF_EACH.deliveries,
        silences=ONE_OF_EACH.silences,
        entities=ONE_OF_EACH.entities,
        runs=ONE_OF_EACH.runs,
        next_number=2,
    )
    assert tuple(store.audit()) == ONE_OF_EACH.audit
    store.close()


def test_the_last_value_of_one_identity_wins(store: Store) -> None:
    commit(store, Changes(groups=(make_group(), make_group(flush_at=140.0))))
    commit(store, Changes(groups=(make_group(flush_at=150.0), make_group(flush_at=None))))

    assert store.load().groups == (make_group(flush_at=None),)


def test_a_new_episode_takes_the_place_of_the_old_one_which_becomes_history(
    store: Store,
) -> None:
    first, second = make_alert(fired_at=100.0), make_alert(fired_at=500.0)
    commit(store, Changes(alerts=(first,)))
    commit(store, Changes(alerts=(second,)))

    assert store.load().alerts == (second,)
    assert tuple(store.history()) == (second, first)


def test_a_forgotten_alert_is_history_until_it_fires_again(store: Store) -> None:
    alert = make_alert()
    commit(store, Changes(alerts=(alert, make_alert("a2"))))
    commit(store, Changes(forgotten_alerts=("a1",)))
    assert store.load().alerts == (make_alert("a2"),)
    assert tuple(store.history(alert="a1")) == (alert,)

    commit(store, Changes(alerts=(alert,)))
    assert {a.fingerprint for a in store.load().alerts} == {"a1", "a2"}


def test_forgotten_groups_and_entities_are_gone(store: Store) -> None:
    commit(store, ONE_OF_EACH)
    commit(
        store,
        Changes(forgotten_groups=("g1",), forgotten_entities=(("shop/errors", '["a"]'),)),
    )

    assert store.load().groups == store.load().entities == ()


def test_a_finished_delivery_is_found_but_not_loaded(store: Store) -> None:
    sent = make_delivery(7, state=DeliveryState.SENT, finished_at=131.0)
    commit(store, Changes(deliveries=(make_delivery(3), make_delivery(7))))
    commit(store, Changes(deliveries=(sent,)))

    assert store.load().deliveries == (make_delivery(3),)
    assert store.load().next_number == 8
    assert tuple(store.deliveries()) == (sent, make_delivery(3))


def test_deliveries_are_found_by_group_and_by_alert_newest_first(store: Store) -> None:
    one = make_delivery(1, firing=("a1", "a2"))
    two = make_delivery(2, firing=("a2",), resolved=("a1",))
    three = make_delivery(3, group="g2", firing=("a1",))
    four = make_delivery(4, firing=("a2",))
    commit(store, Changes(deliveries=(one, two, three, four)))

    assert tuple(store.deliveries(group="g1")) == (four, two, one)
    assert tuple(store.deliveries(alert="a1")) == (three, two, one)
    assert tuple(store.deliveries(alert="a1", limit=2)) == (three, two)
    assert tuple(store.deliveries(group="g1", alert="a1")) == (two, one)
    assert tuple(store.deliveries(limit=1)) == (four,)
    assert tuple(store.deliveries(alert="nobody")) == ()


def test_history_and_audit_come_newest_first_and_bounded(store: Store) -> None:
    alerts = tuple(make_alert(f"a{n}", fired_at=float(n)) for n in (2, 1, 3))
    entries = tuple(make_entry(float(n)) for n in range(3))
    commit(store, Changes(alerts=alerts, audit=entries[:1]))
    commit(store, Changes(audit=entries[1:]))

    assert [a.fired_at for a in store.history(limit=2)] == [3.0, 2.0]
    assert tuple(store.audit(limit=2)) == (entries[2], entries[1])


def test_changes_for_the_ledger_alone_are_done_without_a_write(store: Store, place: Place) -> None:
    with place.broken(store):
        commit(store, Changes(joined=(("g1", "a1"),)))
        store.flushed().result(timeout=30)

    assert store.health().error == ""


def test_commits_take_effect_in_the_order_asked_for(store: Store) -> None:
    order: list[int] = []
    futures: list[Future[None]] = []
    for n in range(300):
        future = store.commit(Changes(groups=(make_group(flush_at=float(n)),)))
        future.add_done_callback(lambda _, n=n: order.append(n))  # type: ignore[misc]
        futures.append(future)
    store.flushed().result(timeout=30)

    assert all(future.done() for future in futures)
    assert order == list(range(300))
    assert store.load().groups == (make_group(flush_at=299.0),)


def test_a_commit_cannot_be_cancelled(store: Store) -> None:
    future = store.commit(ONE_OF_EACH)

    assert not future.cancel()
    future.result(timeout=30)


def test_a_failed_commit_says_so_and_is_written_before_the_next(store: Store, place: Place) -> None:
    commit(store, Changes(groups=(make_group(flush_at=1.0),)))
    with place.broken(store):
        with pytest.raises(StoreFull):
            commit(store, Changes(groups=(make_group(flush_at=2.0), make_group("g2"))))
        with pytest.raises(StoreFull):
            commit(store, Changes(alerts=(make_alert(),)))
        health = store.health()
        assert health.waiting == 2
        assert "no room" in health.error
        assert store.load().groups == (make_group(flush_at=1.0),)
        with pytest.raises(StoreFull):
            store.flushed().result(timeout=30)

    commit(store, Changes(groups=(make_group(flush_at=3.0),)))

    assert store.health().waiting == 0
    assert store.health().error == ""
    groups = {group.key: group for group in store.load().groups}
    assert groups == {"g1": make_group(flush_at=3.0), "g2": make_group("g2")}
    assert store.load().alerts == (make_alert(),)


def test_what_failed_is_on_disk_once_flushed_without_a_new_commit(
    store: Store, place: Place
) -> None:
    with place.broken(store), pytest.raises(StoreFull):
        commit(store, ONE_OF_EACH)
    store.flushed().result(timeout=30)

    assert store.load().alerts == ONE_OF_EACH.alerts
    assert tuple(store.audit()) == ONE_OF_EACH.audit


def test_pruning_forgets_what_was_finished_before_and_nothing_else(store: Store) -> None:
    old, new = 1_000.0, 2_000.0
    sent = [
        make_delivery(n, state=DeliveryState.SENT, finished_at=at)
        for n, at in ((1, old), (2, new), (3, old))
    ]
    ended = make_alert("gone", fired_at=1.0, ends_at=old)
    later = make_alert("later", fired_at=2.0, ends_at=new)
    current = make_alert("fires", fired_at=3.0, updated_at=old)
    commit(
        store,
        Changes(
            alerts=(ended, later, current),
            forgotten_alerts=("gone", "later"),
            groups=(make_group(),),
            deliveries=(*sent, make_delivery(4, created_at=old)),
            silences=(make_silence("s1", ends_at=old), make_silence("s2", ends_at=new)),
            audit=(make_entry(old), make_entry(new)),
        ),
    )

    assert store.prune(1_500.0) == 5
    assert [d.number for d in store.deliveries()] == [4, 2]
    assert tuple(store.history()) == (current, later)
    assert store.load().silences == (make_silence("s2", ends_at=new),)
    assert tuple(store.audit()) == (make_entry(new),)
    assert store.load().groups == (make_group(),)
    assert store.prune(1_500.0) == 0


def test_pruning_never_lets_a_number_be_given_twice(store: Store, place: Place) -> None:
    sent = make_delivery(9, state=DeliveryState.SENT, finished_at=10.0)
    commit(store, Changes(deliveries=(sent,)))
    store.prune(1_000.0)

    assert store.load().next_number == 10


def test_a_backup_is_a_store_of_its_own(store: Store, place: Place) -> None:
    commit(store, ONE_OF_EACH)
    store.backup(place.copy)
    commit(store, Changes(forgotten_alerts=("a1",)))

    copy = place.open_copy(place.copy)
    assert copy.load().alerts == ONE_OF_EACH.alerts
    assert tuple(copy.audit()) == ONE_OF_EACH.audit
    copy.close()
    assert store.load().alerts == ()


def test_a_backup_into_a_missing_folder_is_refused(store: Store, place: Place) -> None:
    with pytest.raises(StoreError):
        store.backup(str(Path(place.copy).parent / "missing" / "copy"))


def test_closing_writes_what_waits(place: Place) -> None:
    store = place.open()
    futures = [store.commit(replace(ONE_OF_EACH, alerts=(make_alert(f"a{n}"),))) for n in range(50)]
    store = reopen(store, place)

    assert not wait(futures, timeout=30).not_done
    assert len(store.load().alerts) == 50
    store.close()


def test_closing_says_when_something_could_not_be_written(place: Place) -> None:
    store = place.open()
    with place.broken(store):
        with pytest.raises(StoreFull):
            commit(store, ONE_OF_EACH)
        with pytest.raises(StoreError, match="1 changes could not be written"):
            store.close()

    again = place.open()
    assert again.load() == Snapshot()
    again.close()


def test_a_closed_store_refuses(place: Place) -> None:
    store = place.open()
    store.close()
    store.close()

    with pytest.raises(StoreError, match="closed"):
        commit(store, ONE_OF_EACH)
    with pytest.raises(StoreError, match="closed"):
        store.load()


def test_hostile_text_is_kept_as_it_is(place: Place) -> None:
    nasty = 'a\x00b"\\\ud800\u2028é\U0001f525'
    alert = make_alert(nasty, labels={nasty: nasty}, annotations={"null": "null"})
    changes = Changes(
        alerts=(alert,),
        groups=(make_group(nasty, labels={nasty: nasty}),),
        deliveries=(make_delivery(group=nasty, firing=(nasty,), detail=nasty),),
        silences=(make_silence(nasty, comment=nasty),),
        entities=(make_entity(nasty, nasty),),
        runs=(make_run(nasty, error=nasty),),
        audit=(make_entry(who=nasty),),
    )
    store = place.open()
    commit(store, changes)
    store = reopen(store, place)

    assert store.load().alerts == changes.alerts
    assert store.load().groups == changes.groups
    assert store.load().entities == changes.entities
    assert store.load().runs == changes.runs
    assert tuple(store.deliveries(group=nasty, alert=nasty)) == changes.deliveries
    assert tuple(store.history(alert=nasty)) == changes.alerts
    store.close()


def test_numbers_that_are_not_finite_are_kept_as_they_are(store: Store) -> None:
    endless = make_silence(ends_at=float("inf"))
    alert = make_alert(fired_at=float("-inf"), ends_at=float("inf"))
    commit(store, Changes(silences=(endless,), alerts=(alert,)))

    assert store.load().silences == (endless,)
    assert store.load().alerts == (alert,)


@pytest.mark.parametrize("kind", PLACES)
@settings(max_examples=settings.default.max_examples // 2)
@given(history=st.lists(nouns.changes, max_size=6), wait_each=st.booleans())
def test_any_sequence_of_changes_loads_as_the_ledger_of_them(
    kind: str, history: list[Changes], wait_each: bool
) -> None:
    ledger = Ledger()
    with TemporaryDirectory() as folder:
        place = PLACES[kind](Path(folder))
        store = place.open()
        for changes in history:
            ledger.apply(changes)
            future = store.commit(changes)
            if wait_each:
                future.result(timeout=30)
        store = reopen(store, place)
        loaded = Ledger(store.load())
        store.close()

    assert loaded.alerts == ledger.alerts
    assert loaded.groups == ledger.groups
    assert loaded.deliveries == ledger.deliveries
    assert loaded.silences == ledger.silences
    assert loaded.runs == ledger.runs
    assert loaded.next_number == ledger.next_number
    for rule in ("r1", "r2"):
        assert loaded.entities_of(rule) == ledger.entities_of(rule)
