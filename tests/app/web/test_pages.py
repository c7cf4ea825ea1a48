"""What each page says, over a desk in memory."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from sre_obs.app.daemon.evaluations import Progress
from sre_obs.app.daemon.web.rules import facts
from sre_obs.model.errors import StoreError
from sre_obs.model.evaluation import Outcome
from sre_obs.model.expression import Binary, Name, Number
from sre_obs.model.problem import Location
from sre_obs.model.rule import (
    Flapping,
    Function,
    Level,
    Measure,
    Query,
    RuleKind,
    Runs,
    Threshold,
    Tuned,
)
from tests.app.web.night import (
    BUSY,
    IDLE,
    NOW,
    OOM,
    READY,
    World,
    disk,
    ended,
    idle,
    night,
    oom,
    run,
)
from tests.app.web.reading import said, words
from tests.evaluate.world import rule as a_rule

PAGES = (
    *("/", "/history", "/rules", "/silences", "/silences/new", "/receivers", "/deliveries"),
    *("/about", "/alerts/d15c000000000000", "/rules/postgresql/idle"),
)
TWINS = ("/index", "/history", "/rules", "/silences", "/receivers", "/deliveries")


def quiet() -> World:
    """Rules run, and nothing is wrong."""
    world = World(IDLE, OOM)
    world.fire(ended(idle(starts_at=NOW - 900, fired_at=NOW - 890), NOW - 600))
    world.fire(idle(starts_at=NOW - 400, fired_at=NOW - 390))
    world.until(NOW + 60)
    world.fire(ended(idle(starts_at=NOW - 400, fired_at=NOW - 390), NOW + 60))
    world.until(NOW + 400)
    world.clock.at = NOW + 480
    world.ran(*(run(rule, at=NOW + 476, newest=NOW + 469) for rule in (IDLE, OOM)))
    return world


USED = Measure("used", Function.AVG, "mem.used")
MOST = Measure("most", Function.LATEST, "mem.limit", index=("metrics-state-*",), window=120.0)
SHARE = a_rule(
    measures=(USED, MOST),
    value=Binary("/", Name("used"), Name("most")),
    when=Binary(">", Name("most"), Number(0.0)),
    threshold=Threshold(limit=0.8, unit="of its limit", clear=0.75),
    levels=(Level("critical", limit=0.95, for_=120.0), Level("fatal", limit=0.99)),
    for_=600.0,
    runs=Runs(3, 5),
    flapping=Flapping(),
    variables={"share": 0.8},
    tuned=(
        Tuned({"pod": "batch-*"}, limit=0.9, severity="info"),
        Tuned({"pod": "test-*"}, exclude=True),
    ),
    origins={"threshold.limit": Location("overrides.yml", 7, 3)},
)


class TestRuleInWords:
    def test_a_rule_is_told_with_its_measures_levels_and_what_damps_it(self) -> None:
        told = facts(SHARE)
        assert ("fires", "when used / most >= 80 % of its limit") in told
        assert ("when", "most > 0") in told
        assert ("used", "avg of mem.used") in told
        assert ("most", "latest of mem.limit, in metrics-state-*, over 2m") in told
        assert ("clears", "below 75 % of its limit") in told
        assert ("critical", ">= 95 % of its limit, for 2m") in told
        assert ("fatal", ">= 99 % of its limit") in told
        assert ("runs", "3 of 5") in told
        assert ("flapping", "4 changes in 20 runs: kept until 4 are calm") in told
        assert ("variables", "share 0.8") in told
        batch = "pod=batch-*: limit 0.9, severity info"
        assert ("entities", f"{batch}; pod=test-*: excluded") in told
        assert ("overridden", "threshold.limit in overrides.yml:7:3") in told

    def test_a_state_is_told_as_one(self) -> None:
        assert ("fires", "when the newest document matches") in facts(a_rule(kind=RuleKind.STATE))

    def test_a_measure_says_what_differs_from_its_rule(self) -> None:
        before = Measure(
            "before", window=86_400.0, ends=600.0, by=(), series=("uid",), missing=0.0,
            query=Query("kql", "a: b", {}),
        )  # fmt: skip
        told = dict(facts(replace(SHARE, measures=(before,), value=None)))
        assert told["before"] == (
            "count, where a: b, from 1d to 10m ago, by nothing: one for all, "
            "sum of each uid, 0 where there is none"
        )


class TestFiring:
    def test_a_story_shows_measures_flapping_and_where_to_look_first(self) -> None:
        world = World(IDLE)
        alert = idle(flapping=True, level=1)
        evidence = replace(alert.evidence, measures={"used": 912.0, "most": None})
        words_ = {**alert.annotations, "look": "pg_stat_activity"}
        world.fire(replace(alert, evidence=evidence, annotations=words_))
        text = said(world, f"/alerts/{alert.fingerprint}")
        assert "used 912 most unknown" in text
        assert "Flapping: it fired and ended again and again" in text
        assert "Look: pg_stat_activity" in text
        assert "flapping, kept until calm" in said(world, "/")

    def test_what_fires_comes_worst_first_then_oldest(self) -> None:
        world = World(IDLE, OOM)
        world.fire(oom(1), idle("b", starts_at=NOW - 50), idle("a", starts_at=NOW - 90))
        listed = [card["entity"] for card in world.json("/index.json")["firing"]]
        assert listed == ["a@pg-main", "b@pg-main", "web-1@shop"]

    def test_a_card_says_state_thing_value_limit_and_age(self) -> None:
        world = World(IDLE)
        world.fire(idle())
        text = said(world, "/")
        assert "CRITICAL PostgreSQL session idle in transaction 4 min" in text
        assert "orders-api@pg-main 1,140 s, limit 900 s since 03:12:12 UTC · team-payments" in text

    def test_a_stale_alert_is_apart_and_never_looks_resolved(self) -> None:
        text = said(night(), "/")
        assert "Stale: no data, held, not resolved" in text
        assert "no data since 03:00:00 UTC, last 93 %" in text

    def test_a_silenced_alert_is_counted_and_folded_away(self) -> None:
        view = night().json("/index.json")
        assert view["counts"]["silenced"] == 1
        assert view["silenced"][0]["silenced"] == "ana until 05:00:00 UTC"
        assert "billing-api@pg-main" not in [card["entity"] for card in view["firing"]]

    def test_a_filter_shows_what_matches_and_counts_the_rest(self) -> None:
        text = said(night(), "/", q="team=team-shop")
        assert "4 firing" in text
        assert "others not shown" in text
        assert "orders-api" not in text

    def test_a_filter_that_hits_nothing_does_not_claim_that_nothing_fires(self) -> None:
        text = said(night(), "/", q="team=other")
        assert "Nothing that fires matches this filter" in text
        assert "Nothing fires" not in text

    def test_a_wrong_filter_is_explained_and_everything_is_shown(self) -> None:
        text = said(night(), "/", q="team=")
        assert "Not filtered:" in text
        assert "at character" in text
        assert "7 firing" in text

    def test_more_than_a_page_is_counted(self) -> None:
        world = World(OOM)
        world.fire(*(oom(n) for n in range(130)))
        assert "and 30 more: filter to see them" in said(world, "/")

    def test_a_link_to_an_alert_outlives_it(self) -> None:
        world = quiet()
        text = said(world, f"/alerts/{idle().fingerprint}")
        assert "RESOLVED" in text
        assert "ended 03:17:12 UTC, 7 min ago: under limit" in text


class TestEmpty:
    def test_an_empty_page_proves_itself(self) -> None:
        assert (
            "Nothing fires. 2 rules ran, newest 4 s ago; newest document 11 s old; Slack ok "
            in said(quiet(), "/")
        )

    def test_a_blind_one_says_so_with_cause_age_and_remedy(self) -> None:
        world = quiet()
        world.evaluations.progress["default"] = Progress(
            failing_since=world.clock.at - 240,
            error="can't reach es:9200 (refused)",
            remedy="check the address",
        )
        text = said(world, "/")
        assert (
            "Nothing fires, but we can't see: can't reach es:9200 (refused), 4 min, "
            "since 03:20:12 UTC. More do: check the address" in text
        )
        assert "Nothing fires. " not in text

    def test_blind_looks_different(self) -> None:
        world = quiet()
        assert 'class="quiet empty' in world.get("/")
        world.evaluations.progress["default"].failing_since = NOW
        assert 'class="blind empty' in world.get("/")

    def test_every_page_says_that_we_are_blind(self) -> None:
        world = night()
        world.evaluations.progress["default"] = Progress(failing_since=NOW - 60, error="refused")
        for path in PAGES:
            assert "We can't see: refused, for 1 min" in said(world, path), path

    def test_rules_that_stopped_running_are_blindness_too(self) -> None:
        world = quiet()
        world.clock.at += 3_600
        assert "we can't see: no rule has looked at the present, 1 h, since" in said(world, "/")

    def test_rules_that_never_ran_prove_nothing(self) -> None:
        assert "no rule has run yet" in said(World(IDLE), "/")

    def test_a_stale_or_misconfigured_rule_keeps_the_page_from_claiming_that_all_is_seen(
        self,
    ) -> None:
        world = quiet()
        world.ran(run(IDLE, Outcome.STALE, at=world.clock.at))
        text = said(world, "/")
        assert "Nothing fires, but not everything is seen: 1 without data. Which rules" in text

    def test_a_router_proves_itself_by_what_it_received(self) -> None:
        world = World(sources=False)
        assert "Nothing fires. 0 alerts received since the start, 3 d ago." in said(world, "/")

    def test_a_receiver_that_can_not_be_told_is_said_on_the_front_page(self) -> None:
        text = said(night(), "/")
        assert "Trouble: #platform can't be told: not_in_channel; do: /invite @sre-obs" in text
        assert "xoxb" not in text

    def test_a_store_that_can_not_be_written_is_said(self) -> None:
        world = night()
        world.fake.failing = StoreError("no room on the disk")
        world.fire(oom(77))
        assert "the store can't be written: no room on the disk" in said(world, "/")

    def test_a_refused_reload_is_said(self) -> None:
        world = night()
        world.desk.reload_ok = False
        assert "a reload was refused; the old configuration runs on" in said(world, "/")


class TestStory:
    @pytest.fixture
    def text(self) -> str:
        return said(night(), f"/alerts/{idle().fingerprint}")

    def test_its_head_says_state_thing_value_limit_and_since(self, text: str) -> None:
        assert "CRITICAL PostgreSQL session idle in transaction orders-api@pg-main" in text
        assert "1,140 s, limit 900 s, 10 min, since 03:05:32 UTC" in text
        assert "First: terminate pid 13643, then fix the client" in text

    def test_why_names_rule_limit_last_run_and_documents(self, text: str) -> None:
        assert "WHY rules/postgresql/idle.yml:9 critical: max >= 900 s" in text
        assert "last run 4 s ago, 12 ms" in text
        assert "3 documents of 41" in text
        assert "postgresql.activity.pid 13643" in text

    def test_told_has_each_delivery_with_its_route(self, text: str) -> None:
        assert re.search(
            r"03:06:12 UTC #pay-alerts delivered 412 ms new alerts \(update\); "
            r"route payments, routes.yml:6; payments/slack\[0\]",
            text,
        )

    def test_told_has_what_is_retried_and_when_next(self, text: str) -> None:
        assert re.search(r'payments RETRY \d+ "450 mailbox busy", next 03:16:\d\d UTC', text), text

    def test_life_and_before(self, text: str) -> None:
        assert "LIFE 03:05:32 UTC began 03:05:34 UTC fired, CRITICAL" in text
        assert "BEFORE 3 times in 21 d, median 19 min" in text

    def test_who_was_not_told_and_why(self) -> None:
        text = said(night(), f"/alerts/{idle('billing-api').fingerprint}")
        assert "#pay-alerts not sent: silenced by ana until 05:00:00 UTC (5f0c0000): " in text
        assert "02:16:12 UTC silenced by ana" in text

    def test_an_alert_in_shadow_is_told_to_nobody_and_says_so(self) -> None:
        world = World(READY)
        world.fire(oom(9, rule=READY.id, shadow=True))
        text = said(world, "/alerts/0000000000000009")
        assert "#shop not sent: its rule is in shadow" in text
        assert "In shadow: shown here, told to nobody." in text

    def test_a_receiver_that_tells_nobody_is_named(self) -> None:
        text = said(night(), "/alerts/a000000000000001")
        assert "nobody not sent: this receiver tells nobody" in text
        assert "WHY from the API" in text

    def test_a_group_that_waits_says_until_when(self) -> None:
        world = World(OOM)
        world.fire(oom(1, starts_at=NOW - 5, fired_at=NOW))
        text = said(world, "/alerts/0000000000000001")
        assert "#shop not yet: its group is looked at in 30 s" in text

    def test_each_route_that_was_tried_says_why_not(self, text: str) -> None:
        assert "(everything) matches, and goes on below routes.yml:2" in text
        assert 'team="team-payments" tells payments routes.yml:6' in text

    def test_a_silent_source_does_not_look_resolved(self) -> None:
        text = said(night(), f"/alerts/{disk().fingerprint}")
        assert "STALE Disk is nearly full" in text
        assert "its stream fell silent: held, not resolved" in text
        assert "The rule can't see: no document for 16 min" in text

    def test_an_alert_without_documents_says_so(self) -> None:
        world = World(IDLE)
        world.fire(idle(evidence=replace(idle().evidence, documents=())))
        assert "No document was kept." in said(world, f"/alerts/{idle().fingerprint}")

    def test_an_unknown_alert_is_a_404_with_a_way_on(self) -> None:
        answer = World().client.get("/alerts/ffff")
        assert answer.status_code == 404
        assert "What fires now" in answer.text


class TestLists:
    def test_rules_misconfigured_and_stale_first_with_their_reason_and_place(self) -> None:
        text = said(night(), "/rules")
        order = [text.index(t) for t in ("Checkout is slow", "Disk is nearly full", "PostgreSQL")]
        assert order == sorted(order)
        assert "rules/shop/checkout-latency.yml:8" in text
        assert "no such field in traces-apm-*: transaction.duration.ms do: write" in text
        assert "4 s ago 03:16:08 UTC, 12 ms" in text
        assert "Deployment has too few replicas shadow" in text

    def test_a_file_that_gave_no_rule_is_there_too(self) -> None:
        text = said(night(), "/rules")
        assert "rules/shop/cart.yml:8:9 error: no such field in metrics-shop-*" in text
        assert 'do: write "cart.items"' in text

    def test_rules_say_how_often_they_fired_in_a_week(self) -> None:
        fired = {rule["id"]: rule["fired"] for rule in night().json("/rules.json")["rules"]}
        assert fired["postgresql/idle"] == 4  # not those 9 and 21 days ago
        assert fired["shop/oom"] == 3

    def test_a_rule_has_its_query_its_last_request_and_answer(self) -> None:
        text = said(night(), "/rules/postgresql/idle")
        assert 'postgresql.activity.state: "idle in transaction"' in text
        assert "fires when max of idle.seconds >= 900 s" in text
        assert '"gte": "now-5m"' in text
        assert '"value": 41' in text

    def test_receivers_failing_first_with_the_receivers_last_word(self) -> None:
        rows = night().json("/receivers.json")
        assert [row["state"] for row in rows] == ["failing", "failing", "ok", "ok", "sink"]
        text = said(night(), "/receivers")
        assert "platform #platform platform/slack[0] routes.yml:22 failing not_in_channel" in text
        assert "since 01:19:32 UTC" in text

    def test_deliveries_link_to_the_story_they_tell(self) -> None:
        html = night().get("/deliveries")
        assert f'href="/alerts/{idle().fingerprint}#g-' in html

    def test_history_has_ended_episodes_with_how_long_and_why(self) -> None:
        text = said(night(), "/history")
        assert "RESOLVED PostgreSQL session idle in transaction" in text
        assert "lasted 41 min, peak 1,140 s" in text

    def test_about_masks_secrets_and_lists_who_did_what(self) -> None:
        world = World(
            IDLE, settings={"slack": {"token": "xoxb-hidden"}, "token": "swordfish-hidden"}
        )
        world.silence("team=x", 60)
        html = world.get("/about")
        assert "hidden" not in html.replace("hidden></p>", "")
        assert "xoxb" not in html
        assert "ana silence.add" in words(html)

    @pytest.mark.parametrize("path", TWINS)
    def test_lists_answer_json_too(self, path: str) -> None:
        answer = night().client.get(f"{path}.json")
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "application/json"
        assert answer.json()

    def test_an_empty_daemon_has_every_page(self) -> None:
        world = World(sources=False)
        for path in PAGES[:8]:
            assert world.client.get(path).status_code == 200, path
        for path in TWINS:
            assert world.client.get(f"{path}.json").status_code == 200, path


def test_a_store_that_can_not_be_read_leaves_the_front_page_and_explains_the_others() -> None:
    world = night()
    world.store.close()
    assert "7 firing" in said(world, "/")
    answer = world.client.get("/history")
    assert answer.status_code == 503
    assert "The store did not do it: the store is closed" in words(answer.text)


def test_times_of_another_day_have_their_date() -> None:
    world = World(IDLE)
    world.fire(idle(starts_at=NOW - 90_000, fired_at=NOW - 90_000))
    assert "1 d 1 h, since 2026-11-24 02:16:12 UTC" in said(world, f"/alerts/{idle().fingerprint}")


def test_a_delivery_whose_answer_was_lost_is_being_asked_for() -> None:
    world = World(IDLE)
    world.answers["payments/webhook[0]"] = BUSY
    world.fire(idle())
    outcomes = {row["integration"]: row["outcome"] for row in world.json("/deliveries.json")}
    assert outcomes == {"payments/slack[0]": "delivered", "payments/webhook[0]": "RETRY 1"}


def test_pages_are_compressed_for_those_who_can_read_it() -> None:
    client = night().client
    assert client.get("/").headers["content-encoding"] == "gzip"
    plain = client.get("/", headers={"accept-encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert "7 firing" in words(plain.text)


def test_pages_are_kept_by_nobody_and_files_until_they_change() -> None:
    client = World().client
    assert client.get("/").headers["cache-control"] == "no-store"
    address = re.search(r"/static/style.css\?v=\w+", client.get("/").text)
    assert address is not None
    assert "immutable" in client.get(address[0]).headers["cache-control"]
    assert client.get("/static/..%2Fpages.py").status_code == 404
