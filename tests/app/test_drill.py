"""`alert-test`: every hop with its proof, every failure with its hop and its remedy."""

from __future__ import annotations

import asyncio
import json
import re
import socket
import time
from collections.abc import Callable, Iterator
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from pytest_httpserver import HTTPServer

from sre_obs.app.demo.slack_standin import Fault, StandIn
from sre_obs.app.settings import Settings
from sre_obs.app.usecases.drill import Hop, Order, Walk, drill
from sre_obs.model.errors import ContentError, UsageError
from tests.cli.typed import type_there
from tests.receiver import Receiver

Golden = Callable[[str, str, str, str], None]

ROUTES = """\
route:
  receiver: platform
  routes:
    - matchers: [team="payments"]
      receiver: pay-slack
      repeat_interval: 1h
    - matchers: [team="nobody"]
      receiver: sink
    - matchers: [team="hook"]
      receiver: hook
    - matchers: [team="both"]
      receiver: both
    - matchers: [alertname="pg-deadlocks"]
      receiver: pay-slack
receivers:
  - name: platform
    slack_configs: [{channel: "#platform"}]
  - name: pay-slack
    slack_configs: [{channel: "#pay-alerts"}]
  - name: sink
  - name: hook
    webhook_configs: [{url: "HOOK"}]
  - name: both
    slack_configs: [{channel: "#platform"}]
    webhook_configs: [{url: "HOOK"}]
"""
PAYMENTS = {"team": "payments"}


class Site:
    """Settings that lead to a Slack stand-in and a webhook."""

    def __init__(self, folder: Path, slack: StandIn, hook: str) -> None:
        self.folder, self.slack = folder, slack
        self.hook = hook
        self.values: dict[str, Any] = {
            "data": folder / "data",
            "routes": folder / "routes.yml",
            "slack": {"token": "xoxb-stand-in", "api_url": slack.api_url},
        }
        self.told: list[Hop] = []

    def walk(self, labels: dict[str, str] | None = None, **order: Any) -> Walk:
        self.routes.write_text(ROUTES.replace("HOOK", self.hook))
        given = {"by": "ana", "patience": 10.0, **order}
        self.told.clear()
        return asyncio.run(
            drill(
                Settings.model_validate(self.values),
                Order(labels=labels or {}, **given),
                terminal=StringIO(),
                told=self.told.append,
            )
        )

    @property
    def routes(self) -> Path:
        return self.folder / "routes.yml"

    def source(self, *hosts: str, **more: Any) -> None:
        self.values["sources"] = {"default": {"hosts": hosts, "timeout": "5s", **more}}


@pytest.fixture
def slack() -> Iterator[StandIn]:
    with StandIn(("platform", "pay-alerts")) as standin:
        yield standin


@pytest.fixture
def site(tmp_path: Path, slack: StandIn) -> Site:
    return Site(tmp_path, slack, "http://127.0.0.1:1/hook")


def names(walk: Walk) -> list[tuple[str, bool]]:
    return [(hop.name, hop.ok) for hop in walk.hops]


def failure(walk: Walk) -> Hop:
    (hop,) = (hop for hop in walk.hops if not hop.ok)
    return hop


def test_without_a_cluster_it_goes_from_route_to_slack_and_is_read_back(
    site: Site, slack: StandIn
) -> None:
    walk = site.walk(PAYMENTS)
    assert names(walk) == [("route", True), ("outbox", True), ("slack", True)]
    assert walk.hops[0].detail == f"pay-slack, {site.routes}:4"
    assert walk.hops[2].detail == "#pay-alerts, read back"
    assert tuple(site.told) == walk.hops
    assert walk.planned == 3


def test_the_message_says_drill_mentions_nobody_and_is_edited_to_over(
    site: Site, slack: StandIn
) -> None:
    site.walk(PAYMENTS)
    posts = [call for call in slack.calls if call.method == "chat.postMessage"]
    (post,) = (call for call in posts if "thread_ts" not in call.args)
    first = json.dumps(post.args)
    said = "DRILL, no action alert test by ana: Sent by sre-obs alert-test; nothing is wrong."
    assert post.args["text"] == said
    for mention in ("<!channel", "<!here", "<!everyone", "<@", "<!subteam"):
        assert mention not in first
    updates = [c for c in slack.calls if c.method == "chat.update"]
    assert updates
    parents = [m for m in slack.messages("pay-alerts") if not m.thread_ts]
    assert len(parents) == 1
    assert parents[0].text != post.args["text"]
    assert parents[0].text.startswith("DRILL, no action alert test by ana: lasted ")


def test_it_leaves_no_trace_where_the_daemon_keeps_its_state(site: Site) -> None:
    site.walk(PAYMENTS)
    assert not (site.folder / "data").exists()


def test_a_receiver_is_reached_straight(site: Site, slack: StandIn) -> None:
    site.source("http://127.0.0.1:1")
    walk = site.walk(receiver="pay-slack")
    assert names(walk) == [("route", True), ("outbox", True), ("slack", True)]
    assert len(slack.messages("pay-alerts")) >= 1


def test_the_alerts_own_name_takes_its_route(site: Site) -> None:
    walk = site.walk({"alertname": "pg-deadlocks"})
    assert walk.hops[0].detail.startswith("pay-slack, ")


def test_every_integration_of_a_receiver_is_a_hop(site: Site) -> None:
    with Receiver() as hook:
        site.hook = hook.url
        walk = site.walk({"team": "both"})
        assert names(walk)[2:] == [("slack", True), ("webhook", True)]
        assert walk.planned == 4
        calls = hook.wait(2)
    assert [call.body["status"] for call in calls] == ["firing", "resolved"]
    assert calls[0].body["alerts"][0]["labels"]["sre_obs_drill"] == "true"


def test_one_receiver_that_fails_does_not_leave_the_drill_open_at_the_other(
    site: Site, slack: StandIn
) -> None:
    walk = site.walk({"team": "both"})
    assert names(walk)[2:] == [("slack", True), ("webhook", False)]
    (parent,) = (m for m in slack.messages("platform") if not m.thread_ts)
    assert [c for c in slack.calls if c.method == "chat.update"]
    assert "DRILL" in parent.text


def test_times_are_those_of_the_hops(site: Site, slack: StandIn) -> None:
    slack.fail_next("chat.postMessage", Fault.slow(1.0))
    began = time.monotonic()
    walk = site.walk(PAYMENTS)
    took = time.monotonic() - began
    assert 1.0 <= walk.hops[2].seconds < took
    assert sum(hop.seconds for hop in walk.hops) <= walk.seconds + 0.5
    assert all(hop.seconds >= 0 for hop in walk.hops)
    assert walk.seconds < took


@pytest.mark.parametrize(
    ("error", "words", "remedy"),
    [
        ("invalid_auth", "invalid_auth", "token"),
        ("token_revoked", "token_revoked", "new bot token"),
        ("missing_scope", "missing_scope", "add the scope"),
        ("not_in_channel", "not_in_channel: @sre-obs is not in #pay-alerts", "/invite"),
        ("channel_not_found", 'channel_not_found: no "#pay-alerts"', "check the channel's name"),
        ("is_archived", "is_archived", "unarchive"),
    ],
)
def test_what_slack_refuses_is_told_with_its_remedy(
    site: Site, slack: StandIn, error: str, words: str, remedy: str
) -> None:
    slack.fail_next("chat.postMessage", Fault.refused(error), times=5)
    began = time.monotonic()
    hop = failure(site.walk(PAYMENTS))
    assert time.monotonic() - began < 5.0
    assert hop.name == "slack"
    assert hop.detail.startswith("pay-slack: ")
    assert words in hop.detail
    assert remedy in hop.remedy


def test_a_scope_that_is_missing_is_named(site: Site, slack: StandIn) -> None:
    slack.workspace.scopes.discard("chat:write")
    assert "chat:write" in failure(site.walk(PAYMENTS)).remedy


def test_without_the_history_scope_it_is_answered_and_says_what_is_missing(
    site: Site, slack: StandIn
) -> None:
    slack.workspace.scopes.discard("channels:history")
    hop = site.walk(PAYMENTS).hops[-1]
    assert hop.ok
    assert "answered; can't be read back" in hop.detail
    assert "channels:history" in hop.remedy


def test_a_channel_that_is_not_there_is_named(site: Site, slack: StandIn) -> None:
    with StandIn(("other",)) as other:
        site.values["slack"]["api_url"] = other.api_url
        hop = failure(site.walk(PAYMENTS))
    assert "#pay-alerts" in hop.detail
    assert "channel_not_found" in hop.detail


def test_what_passes_is_waited_for(site: Site, slack: StandIn) -> None:
    slack.fail_next("chat.postMessage", Fault.rate_limited(1))
    walk = site.walk(PAYMENTS)
    assert all(hop.ok for hop in walk.hops)
    slack.fail_next("chat.postMessage", Fault.drop(after=True))
    assert all(hop.ok for hop in site.walk(PAYMENTS).hops)


def test_what_does_not_pass_in_time_says_the_last_word(site: Site, slack: StandIn) -> None:
    slack.fail_next("chat.postMessage", Fault.rate_limited(60), times=9)
    hop = failure(site.walk(PAYMENTS, patience=2.0))
    assert "429" in hop.detail or "ratelimited" in hop.detail
    assert hop.remedy


def test_tls_to_a_plain_port_is_told_at_once(site: Site) -> None:
    site.values["slack"]["api_url"] = site.slack.api_url.replace("http:", "https:")
    began = time.monotonic()
    hop = failure(site.walk(PAYMENTS))
    assert time.monotonic() - began < 6.0
    assert "certificate" in hop.detail or "TLS" in hop.detail
    assert "certificate" in hop.remedy


def test_a_webhook_that_refuses_connections_is_told_at_once(site: Site) -> None:
    began = time.monotonic()
    hop = failure(site.walk({"team": "hook"}))
    assert time.monotonic() - began < 6.0
    assert (hop.name, hop.ok) == ("webhook", False)
    assert "127.0.0.1:1: can't be reached" in hop.detail
    assert hop.remedy


def test_a_receiver_that_tells_nobody_stops_at_the_route(site: Site) -> None:
    walk = site.walk({"team": "nobody"})
    hop = failure(walk)
    assert names(walk) == [("route", False)]
    assert walk.planned == 3
    assert "sink" in hop.detail
    assert "--match" in hop.remedy


def test_an_unknown_receiver_is_an_error_that_names_the_known(site: Site) -> None:
    with pytest.raises(UsageError, match="shp") as caught:
        site.walk(receiver="shp")
    assert "pay-slack" in caught.value.remedy


def test_an_unknown_source_is_an_error_that_names_the_known(site: Site) -> None:
    site.source("http://127.0.0.1:1")
    with pytest.raises(UsageError, match="eu") as caught:
        site.walk(source="eu")
    assert "default" in caught.value.remedy


def test_a_source_of_kibana_is_said_to_be_one(site: Site) -> None:
    site.values["sources"] = {"eu-kibana": {"hosts": ["http://127.0.0.1:1"], "from": "kibana"}}
    with pytest.raises(UsageError, match="eu-kibana is a Kibana source") as caught:
        site.walk(source="eu-kibana")
    assert caught.value.remedy == "set sources.default.hosts, the cluster itself"


def test_a_cluster_that_is_down_stops_at_the_document(site: Site, slack: StandIn) -> None:
    site.source("http://127.0.0.1:1")
    walk = site.walk(PAYMENTS)
    assert names(walk) == [("document", False)]
    assert walk.planned == 5
    hop = failure(walk)
    assert "Connection refused" in hop.detail
    assert "http://127.0.0.1:1" in hop.detail
    assert "sources.default.hosts" in hop.remedy
    assert slack.messages() == []


def test_a_cluster_that_does_not_answer_stops_at_the_document(site: Site) -> None:
    with socket.create_server(("127.0.0.1", 0)) as deaf:
        site.source(f"http://127.0.0.1:{deaf.getsockname()[1]}", timeout="1s")
        hop = failure(site.walk(PAYMENTS))
    assert "did not answer in time" in hop.detail


@pytest.mark.parametrize(
    ("status", "kind", "words", "remedy"),
    [
        (401, "security_exception", "refuses the credentials", "sources.default.api_key"),
        (403, "security_exception", "lacks a privilege", "create_doc"),
    ],
)
def test_a_key_that_is_wrong_or_too_weak_stops_at_the_document(
    site: Site, httpserver: HTTPServer, status: int, kind: str, words: str, remedy: str
) -> None:
    httpserver.expect_request(re.compile("/.*")).respond_with_json(
        {"error": {"type": kind, "reason": "no"}, "status": status},
        status,
        {"X-Elastic-Product": "Elasticsearch"},
    )
    site.source(httpserver.url_for("").rstrip("/"), api_key="canary-key")
    hop = failure(site.walk(PAYMENTS))
    assert hop.name == "document"
    assert words in hop.detail
    assert remedy in hop.remedy
    assert "canary" not in hop.detail + hop.remedy


def typed(site: Site, line: str) -> str:
    site.routes.write_text(ROUTES.replace("HOOK", site.hook))
    environ = {"SRE_OBS_SLACK_TOKEN": "xoxb-stand-in", "SRE_OBS_SLACK_API_URL": site.slack.api_url}
    done = type_there(f"sre-obs alert-test --routes routes.yml {line}", site.folder, environ)
    text = re.sub(r" {1,2}\d+\.\d\d s", " N.NN s", done.transcript())
    return re.sub(r'"seconds": [\d.]+', '"seconds": N', text)


@pytest.mark.parametrize("form", ["text", "json"])
def test_the_command_prints_each_hop(site: Site, slack: StandIn, golden: Golden, form: str) -> None:
    good = typed(site, f"--match team=payments -o {form}")
    golden("cli", "alert-test", f"arrived-{form}.txt", good)
    slack.fail_next("chat.postMessage", Fault.refused("not_in_channel"))
    golden("cli", "alert-test", f"failed-{form}.txt", typed(site, f"-m team=payments -o {form}"))


def test_without_routes_the_command_says_that_it_proves_nothing(tmp_path: Path) -> None:
    text = type_there("sre-obs alert-test", tmp_path)
    assert text.code == 0
    assert "Arrived" not in text.out
    assert "no routes file: the drill went to the built-in terminal" in text.err
    assert "do: give --routes FILE" in text.err
    told = json.loads(type_there("sre-obs alert-test -o json", tmp_path).out)
    assert told["arrived"] is False
    assert "no routes file" in told["warning"]


def test_on_a_real_cluster_every_hop_is_made_and_read_back(
    site: Site, slack: StandIn, elasticsearch_url: str, es_prefix: str
) -> None:
    site.source(elasticsearch_url)
    walk = site.walk(PAYMENTS, index=f"{es_prefix}-drill")
    assert names(walk) == [
        ("document", True),
        ("rule", True),
        ("route", True),
        ("outbox", True),
        ("slack", True),
    ]
    assert walk.hops[0].detail == f"indexed in {es_prefix}-drill"
    assert walk.hops[1].detail == "1 of 1 matched"
    assert walk.hops[4].detail == "#pay-alerts, read back"
    assert 0 < walk.seconds < 20
    (parent,) = (m for m in slack.messages("pay-alerts") if not m.thread_ts)
    assert "DRILL" in parent.text


def test_on_a_real_cluster_an_index_that_refuses_the_document_is_told(
    site: Site, elasticsearch_url: str, es_prefix: str
) -> None:
    site.source(elasticsearch_url)
    hop = failure(site.walk(PAYMENTS, index=f"{es_prefix}-UPPER"))
    assert hop.name == "document"
    assert hop.remedy


RULE = """\
title: Deadlocks
kind: threshold
index: logs-app.log-*
query: 'level: error'
from: now-5m
interval: 1m
group_by: [pod]
threshold: {limit: 5, unit: deadlocks}
severity: critical
owner: database
labels: {team: payments}
annotations:
  summary: '{{ value }} deadlocks in {{ entity["pod"] }}'
"""
TEST = """\
cases:
  - name: none fires
    documents: [{index: logs-app.log-default, fields: {level: info}}]
    expect: []
  - name: five fire
    documents:
      - {index: logs-app.log-default, count: 5, fields: {level: error, pod: web-1}}
    expect: [{fires: 2m}]
"""


def rules(site: Site, *, rule: str = RULE, test: str = TEST, overrides: str = "") -> None:
    """The rule pg-deadlocks of the site, its test, and overrides."""
    folder = site.folder / "rules" / "postgresql"
    folder.mkdir(parents=True)
    (folder / "pg-deadlocks.yml").write_text(rule)
    if test:
        (folder / "pg-deadlocks.test.yml").write_text(test)
    site.values["rules"] = site.folder / "rules"
    if overrides:
        (site.folder / "overrides.yml").write_text(overrides)
        site.values["overrides"] = site.folder / "overrides.yml"


def test_a_rule_s_own_case_goes_through_evaluation_words_route_and_receiver(
    site: Site, slack: StandIn
) -> None:
    rules(site)
    walk = site.walk(rule="pg-deadlocks")
    test = site.folder / "rules" / "postgresql" / "pg-deadlocks.test.yml"
    assert [(hop.name, hop.ok, hop.detail) for hop in walk.hops] == [
        ("document", True, f"5 of {test}:5"),
        ("rule", True, "postgresql/pg-deadlocks fires after 2m, value 5"),
        ("render", True, "5 deadlocks in web-1"),
        ("route", True, f"pay-slack, {site.routes}:4"),
        ("outbox", True, "committed"),
        ("slack", True, "#pay-alerts, read back"),
    ]
    assert walk.planned == 6
    (post,) = (
        call
        for call in slack.calls
        if call.method == "chat.postMessage" and "thread_ts" not in call.args
    )
    said = "DRILL, no action Deadlocks web-1: 5 deadlocks in 5 min, limit 5 deadlocks"
    assert post.args["text"] == said
    by = "alert test by ana. Sent by sre-obs alert-test; nothing is wrong."
    assert by in json.dumps(post.args)
    for mention in ("<!channel", "<!here", "<!everyone", "<@", "<!subteam"):
        assert mention not in json.dumps(post.args)


def test_it_is_routed_as_overrides_say_and_evaluated_as_its_test_says(
    site: Site, slack: StandIn
) -> None:
    overrides = (
        "rules:\n  postgresql/pg-deadlocks:\n    threshold: {limit: 50}\n    labels: {team: hook}\n"
    )
    rules(site, overrides=overrides)
    walk = site.walk(rule="postgresql/pg-deadlocks")
    assert walk.hops[1].detail == (
        "postgresql/pg-deadlocks fires after 2m, value 5; with the overrides its case does not"
    )
    assert walk.hops[3].detail == f"hook, {site.routes}:9"


def test_it_says_the_overrides_numbers_where_its_case_fires_with_them(
    site: Site, slack: StandIn
) -> None:
    rules(site, overrides="rules: {postgresql/*: {threshold: {limit: 3}}}\n")
    walk = site.walk(rule="pg-deadlocks")
    assert walk.hops[1].detail == "postgresql/pg-deadlocks fires after 1m, value 3"
    texts = [c.args["text"] for c in slack.calls if c.method == "chat.postMessage"]
    assert any("limit 3 deadlocks" in text for text in texts)
    assert walk.warning == ""


def test_broken_overrides_are_not_drilled_around(site: Site) -> None:
    rules(site, overrides="rules: {postgresql/*: {threshold: {limitt: 3}}}\n")
    with pytest.raises(ContentError) as caught:
        site.walk(rule="pg-deadlocks")
    assert [p.slug for p in caught.value.problems] == ["overrides/unknown-key"]


@pytest.mark.parametrize(
    ("changes", "hop", "words"),
    [
        ({"rule": RULE.replace("limit: 5", "limit: 6")}, "rule", "its case does not fire"),
        (
            {"rule": RULE.replace("{{ value }}", "{{ value / nothing }}")},
            "render",
            '(annotation summary: no variable "nothing"',
        ),
    ],
)
def test_a_rule_drill_ends_where_the_rule_does(
    site: Site, changes: dict[str, str], hop: str, words: str
) -> None:
    rules(site, **changes)
    failed = failure(site.walk(rule="pg-deadlocks"))
    assert failed.name == hop
    assert words in failed.detail
    assert failed.remedy.endswith("pg-deadlocks.test.yml")


@pytest.mark.parametrize(
    ("name", "test", "message", "remedy"),
    [
        ("pg-deadlock", TEST, 'no rule is called "pg-deadlock"', "write pg-deadlocks"),
        (
            "pg-dead-tuples",
            TEST,
            'no rule is called "pg-dead-tuples"',
            "see: sre-obs rules list --rules FOLDER",
        ),
        ("pg-deadlocks", "", "this rule has no test", "write pg-deadlocks.test.yml"),
        (
            "pg-deadlocks",
            TEST[: TEST.index("  - name: five")],
            "no case of its test expects an alert",
            "write one that fires",
        ),
    ],
)
def test_what_cannot_be_drilled_is_refused(
    site: Site, name: str, test: str, message: str, remedy: str
) -> None:
    rules(site, test=test)
    with pytest.raises(UsageError) as caught:
        site.walk(rule=name)
    told = caught.value.remedy.replace(str(site.folder / "rules"), "FOLDER")
    assert (caught.value.message, told) == (message, remedy)


def test_the_command_drills_a_rule(site: Site, slack: StandIn, golden: Golden) -> None:
    rules(site)
    line = "--rules rules --rule pg-deadlocks"
    golden("cli", "alert-test", "rule.txt", typed(site, line))
    (site.folder / "overrides.yml").write_text("rules: {postgresql/*: {state: disabled}}\n")
    off = typed(site, f"{line} --overrides overrides.yml")
    golden("cli", "alert-test", "rule-disabled.txt", off)
