"""Kibana's alert documents become alerts that begin, change and end as ours do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_obs.evaluate.kibana import ask
from sre_obs.evaluate.kibana.alert import UUID
from sre_obs.evaluate.kibana.document import read
from sre_obs.evaluate.kibana.follow import Memory, follow, held_of, orphaned, uuids_of
from sre_obs.evaluate.kibana.standing import Options
from sre_obs.model.alert import Alert, EndReason
from tests.evaluate.kibana_documents import hit, iso

T0 = 1_700_000_040.0
OPTIONS = Options("kib", url="https://kibana.example.org")


class Site:
    """Looks one after the other, with what they left behind."""

    def __init__(self, options: Options = OPTIONS) -> None:
        self.options = options
        self.alerts: dict[str, Alert] = {}
        self.memory = Memory()
        self.silent_since: float | None = None

    def look(self, at: float, *hits: Mapping[str, Any], whole: bool = False) -> tuple[Alert, ...]:
        held = held_of(self.alerts.values(), self.options.source)
        found = follow(hits, held, self.memory, self.options, at, whole=whole)
        self.memory, self.silent_since = found.memory, found.silent_since
        self.alerts.update({alert.fingerprint: alert for alert in found.alerts})
        return found.alerts


def one(alerts: Iterable[Alert]) -> Alert:
    (alert,) = alerts
    return alert


def test_an_active_alert_fires_with_the_rule_s_name_grouping_tags_and_links() -> None:
    alert = one(Site().look(T0 + 5, hit(T0)))
    assert alert.labels == {
        "alertname": "CPU of hosts",
        "rule_uuid": "r-1",
        "rule_type": "observability.rules.custom_threshold",
        "space": "default",
        "severity": "warning",
        "instance": "host-a",
        "source": "kib",
        "host_name": "host-a",
        "team": "payments",
        "tag_shop": "true",
    }
    assert alert.annotations["summary"] == "CPU is 0.97, above the threshold of 0.9"
    assert (alert.annotations["value"], alert.annotations["threshold"]) == ("0.97", "0.9")
    url = "https://kibana.example.org/app/observability/alerts/u-1"
    assert (alert.generator_url, alert.annotations["url"]) == (url, url)
    assert alert.annotations["rule_url"].endswith("/triggersActions/rule/r-1")
    assert (alert.starts_at, alert.fired_at, alert.ends_at) == (T0, T0, None)


def test_a_run_that_only_moves_the_value_is_no_news() -> None:
    site = Site()
    site.look(T0, hit(T0))
    again = hit(T0 + 60, start=iso(T0), reason="CPU is 0.99", evaluation__value=0.99)
    assert site.look(T0 + 60, again) == ()


@pytest.mark.parametrize(
    "change",
    [
        {"severity": "critical"},
        {"flapping": True},
        {"muted": True},
        {"snoozed": True},
        {"maintenance_window_ids": ["w-1"]},
        {"workflow_status": "acknowledged"},
        {"action_group": "metrics.threshold.nodata", "severity": "low"},
    ],
)
def test_what_a_person_would_want_to_know_is_news(change: dict[str, Any]) -> None:
    site = Site()
    site.look(T0, hit(T0))
    alert = one(site.look(T0 + 60, hit(T0 + 60, start=iso(T0), **change)))
    assert (alert.fingerprint, alert.fired_at) == (one(site.alerts.values()).fingerprint, T0)


def test_a_severity_that_rises_is_a_level_that_rises() -> None:
    site = Site()
    levels = []
    for minute, severity in enumerate(("low", "warning", "high", "critical", "medium")):
        at = T0 + 60 * minute
        found = site.look(at, hit(at, start=iso(T0), severity=severity))
        levels.append(one(found).level)
    assert levels == [0, 1, 2, 3, 1]


def test_a_recovered_alert_ends_when_kibana_says_it_did() -> None:
    site = Site()
    site.look(T0, hit(T0))
    over = hit(T0 + 120, start=iso(T0), status="recovered", end=iso(T0 + 119))
    ended = one(site.look(T0 + 125, over))
    assert (ended.ended, ended.ends_at) == (EndReason.RECOVERED, T0 + 119)
    # Kibana writes recovered documents anew for some twenty runs.
    assert site.look(T0 + 185, over) == ()


def test_what_came_and_went_between_two_looks_is_told_to_nobody() -> None:
    assert Site().look(T0, hit(T0, status="recovered", end=iso(T0)), whole=True) == ()


def test_the_same_thing_fires_again_with_a_new_id_and_a_new_start() -> None:
    site = Site()
    site.look(T0, hit(T0))
    site.look(T0 + 60, hit(T0 + 60, start=iso(T0), status="recovered", end=iso(T0 + 60)))
    again = one(site.look(T0 + 120, hit(T0 + 120, uuid="u-2")))
    assert (again.ended, again.fired_at) == (None, T0 + 120)
    assert len(site.alerts) == 1


def test_of_two_active_lifetimes_the_newer_counts_and_the_orphan_ends_nothing() -> None:
    site = Site()
    old, new = hit(T0), hit(T0 + 60, uuid="u-2")
    site.look(T0 + 61, old, new)
    assert one(site.alerts.values()).annotations[UUID] == "u-2"
    gone = hit(T0 + 120, start=iso(T0), status="recovered", end=iso(T0 + 120))
    assert site.look(T0 + 121, gone) == ()


def test_untracked_closed_and_deleted_say_that_nobody_mended_anything() -> None:
    site = Site()
    site.look(T0, hit(T0))
    untracked = hit(T0, status="untracked", end=iso(T0 + 50))
    assert one(site.look(T0 + 60, untracked)).ended is EndReason.UNTRACKED
    site = Site()
    site.look(T0, hit(T0))
    assert site.look(T0 + 60) == ()  # a look at what moved says nothing of the rest
    assert one(site.look(T0 + 90, whole=True)).ended is EndReason.DELETED
    site = Site()
    security = {"rule__rule_type_id": "siem.queryRule", "severity": "high"}
    assert one(site.look(T0, hit(T0, **security))).labels["severity"] == "high"
    closed = hit(T0, **security, workflow_status="closed")
    assert one(site.look(T0 + 60, closed)).ended is EndReason.CLOSED


def test_a_security_alert_ends_after_its_time_and_its_building_blocks_are_none() -> None:
    site = Site()
    security = {"rule__rule_type_id": "siem.eqlRule"}
    block = hit(T0, **security, uuid="b", instance__id=None, building_block_type="default")
    assert site.look(T0, block) == ()
    site.look(T0, hit(T0, **security))
    assert one(site.look(T0 + 86_400, hit(T0, **security), whole=True)).ended is EndReason.EXPIRED


def test_delayed_and_unknown_statuses_and_times_to_come_are_not_believed() -> None:
    site = Site()
    strange = (hit(T0, status="delayed"), hit(T0, status="odd"), hit(T0 + 400))
    for one_of in strange:
        assert site.look(T0, one_of, whole=True) == ()
    site.look(T0, hit(T0))
    assert site.look(T0 + 60, hit(T0, status="odd"), whole=True) == ()
    assert one(site.alerts.values()).ended is None


def test_muted_alerts_are_kept_and_told_to_nobody_until_they_are_not() -> None:
    site = Site()
    muted = one(site.look(T0, hit(T0, muted=True)))
    assert (muted.shadow, muted.annotations["held"]) == (True, "muted in Kibana")
    assert one(site.look(T0 + 60, hit(T0 + 60, start=iso(T0)))).shadow is False


def test_only_the_spaces_that_are_followed_are_told() -> None:
    site = Site(replace(OPTIONS, spaces=("team-a",)))
    assert site.look(T0, hit(T0)) == ()
    everywhere = hit(T0, uuid="u-9", kibana__space_ids=["*"])
    assert one(site.look(T0, everywhere)).labels["space"] == "default"
    other = hit(T0, uuid="u-3", instance__id="x", kibana__space_ids=["team-a"])
    alert = one(site.look(T0, other))
    assert alert.annotations["url"].startswith("https://kibana.example.org/s/team-a/app/")


def test_a_disabled_rule_s_alert_is_over_once_its_rule_has_stopped() -> None:
    site = Site()
    busy = {"rule__uuid": "r-2", "uuid": "u-2"}
    for minute in range(3):
        at = T0 + 60 * minute
        site.look(at, hit(at, start=iso(T0)), hit(at, start=iso(T0), **busy))
    # r-1 is disabled now; r-2 runs on.
    for minute in range(3, 18):
        at = T0 + 60 * minute
        site.look(at, hit(at, start=iso(T0), **busy))
    at = T0 + 120 + 900
    stopped = hit(T0 + 120, start=iso(T0))
    found = site.look(at, stopped, hit(at, start=iso(T0), **busy), whole=True)
    assert one(found).ended is EndReason.STOPPED
    assert one(held_of(site.alerts.values(), "kib").values()).labels["rule_uuid"] == "r-2"


def test_an_alert_that_nobody_wrote_for_a_day_never_begins() -> None:
    assert Site().look(T0 + 86_400, hit(T0), whole=True) == ()


def test_a_kibana_that_stops_ends_nothing_and_is_noticed() -> None:
    site = Site()
    for minute in range(3):
        site.look(T0 + 60 * minute, hit(T0 + 60 * minute, start=iso(T0)))
    last = hit(T0 + 120, start=iso(T0))
    held = one(site.look(T0 + 120 + 900, last, whole=True))
    assert (held.ended, held.stale_since) == (None, T0 + 120)
    assert site.silent_since == T0 + 120
    back = T0 + 2_000
    live = one(site.look(back, hit(back, start=iso(T0)), whole=True))
    assert (live.stale_since, live.fired_at) == (None, T0)
    assert one(site.alerts.values()).ended is None


def test_after_a_restart_the_first_look_repeats_nothing_and_ends_what_is_over() -> None:
    site = Site()
    site.look(T0, hit(T0), hit(T0, uuid="u-2", instance__id="host-b"))
    site.memory = Memory()
    assert uuids_of(held_of(site.alerts.values(), "kib").values()) == ["u-1", "u-2"]
    over = hit(T0 + 60, uuid="u-2", instance__id="host-b", status="recovered", end=iso(T0 + 30))
    found = site.look(T0 + 90, hit(T0 + 60, start=iso(T0)), over, whole=True)
    assert [(a.annotations[UUID], a.ended) for a in found] == [("u-2", EndReason.RECOVERED)]


def test_alerts_of_a_source_that_was_taken_away_end() -> None:
    site = Site()
    site.look(T0, hit(T0))
    assert orphaned(site.alerts.values(), ["kib"], T0 + 9) == ()
    assert one(orphaned(site.alerts.values(), ["other"], T0 + 9)).ended is EndReason.REMOVED


def test_an_alert_from_the_api_is_never_taken_for_kibana_s() -> None:
    site = Site()
    mine = one(site.look(T0, hit(T0)))
    sent = replace(mine, fingerprint="other", ends_at=T0 + 300)
    assert held_of([sent], "kib") == {}
    assert orphaned([sent], [], T0) == ()


@pytest.mark.parametrize(
    "odd",
    [
        {"status": None},
        {"rule__uuid": {}},
        {"@timestamp": "soon", "rule__execution__timestamp": None},
        {"rule__execution__timestamp": -(10**15), "@timestamp": -(10**15)},
    ],
)
def test_a_document_that_cant_be_read_holds_its_alert(odd: dict[str, Any]) -> None:
    site = Site()
    site.look(T0, hit(T0))
    held = held_of(site.alerts.values(), "kib")
    found = follow([hit(T0, **odd)], held, Memory(), OPTIONS, T0 + 60, whole=True)
    assert (found.alerts, found.unreadable) == ((), 1)


def test_hits_that_are_none_are_left_out() -> None:
    found = follow([None, 7, {}, {"_id": "x"}], {}, Memory(), OPTIONS, T0, whole=True)
    assert (found.alerts, found.unreadable) == ((), 4)


def test_a_time_beyond_the_calendar_is_no_time() -> None:
    security = {"rule__rule_type_id": "siem.queryRule"}
    strange = hit(T0, **security, rule__execution__timestamp=-(10**15))
    assert one(Site().look(T0, strange)).annotations["url"].startswith("https://")


def test_older_kibanas_write_groups_as_pairs_or_not_at_all() -> None:
    pairs = hit(T0, group=[{"field": "service.name", "value": "shop"}])
    pairs["_source"].pop("kibana")
    assert one(Site().look(T0, pairs)).labels["service_name"] == "shop"
    root = hit(T0)
    root["_source"].pop("kibana")
    root["_source"]["host"] = {"name": "vm-7"}
    assert one(Site().look(T0, root)).labels["host_name"] == "vm-7"


@pytest.mark.parametrize(
    ("change", "severity"),
    [
        ({"action_group": "slo.burnRate.alert"}, "critical"),
        ({"action_group": "slo.burnRate.high"}, "high"),
        ({"action_group": "metrics.threshold.warning"}, "warning"),
        ({"action_group": "metrics.inventory_threshold.nodata"}, "warning"),
        ({"action_group": "anything"}, "info"),
        ({"severity": "Critical"}, "critical"),
    ],
)
def test_severity_is_its_own_or_its_action_group_s_or_the_source_s(
    change: dict[str, Any], severity: str
) -> None:
    site = Site(replace(OPTIONS, severity="info"))
    assert one(site.look(T0, hit(T0, **change))).labels["severity"] == severity


def test_what_moved_is_asked_for_with_an_overlap_and_ids_in_batches() -> None:
    moved = ask.moved(T0)["bool"]["should"]
    assert {next(iter(each["range"])) for each in moved} >= {"@timestamp", "kibana.alert.end"}
    assert moved[0]["range"]["@timestamp"]["gte"] == round((T0 - 360) * 1000)
    batches = ask.these([f"u-{n}" for n in range(2_001)])
    assert [len(b["terms"]["kibana.alert.uuid"]) for b in batches] == [1_000, 1_000, 1]


@given(
    st.recursive(
        st.none() | st.booleans() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["kibana", "alert", "kibana.alert.rule", "uuid", "@timestamp", "status"]
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=20,
    )
)
def test_no_document_whatever_breaks_a_look(source: Any) -> None:
    mixed = hit(T0)["_source"] | (source if isinstance(source, dict) else {"x": source})
    site = Site()
    site.look(T0, {"_id": "x", "_source": source}, {"_id": "y", "_source": mixed}, whole=True)
    read({"_source": mixed})
