"""A document in a real Elasticsearch, through the daemon as a process, to its receivers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from sre_obs.app.demo.slack_standin import StandIn
from tests.cli.typed import type_there
from tests.crash.waiting import until
from tests.daemon import Daemon, message
from tests.receiver import Receiver

MAPPING = {
    "properties": {
        "@timestamp": {"type": "date"},
        "level": {"type": "keyword"},
        "pod": {"type": "keyword"},
        "message": {"type": "text"},
    }
}

RULE = """\
title: Errors in the log
kind: query
index: {index}
query: 'level: error'
from: now-5m
interval: 1s
query_delay: 0s
severity: warning
owner: shop
group_by: [pod]
evidence: [message]
"""

ROUTES = """\
route: {{receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s}}
receivers:
  - name: hook
    webhook_configs: [{{url: "{url}"}}]
    slack_configs: [{{channel: "#alerts"}}]
"""


class Site:
    """A folder of rules, an index, receivers, and the daemon between them."""

    def __init__(self, folder: Path, url: str, prefix: str, slack: StandIn, hook: Receiver) -> None:
        self.folder, self.url, self.prefix = folder, url, prefix
        self.slack, self.hook = slack, hook
        self.index = f"{prefix}-app"
        self.client = Elasticsearch(url)
        self.make(self.index)

    def make(self, index: str) -> None:
        self.client.indices.create(
            index=index, mappings=MAPPING, settings={"number_of_replicas": 0}
        )

    def write(self, index: str, **fields: Any) -> None:
        # A little while ago: a run looks back from its planned time, not from now.
        at = datetime.fromtimestamp(time.time() - 5.0, UTC).isoformat()
        self.client.index(index=index, document={"@timestamp": at, **fields}, refresh=True)

    def rule(self, slug: str, index: str, extra: str = "") -> None:
        path = self.folder / "rules" / "app" / f"{slug}.yml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(RULE.format(index=index) + extra)

    def daemon(self, *arguments: str) -> Daemon:
        token = self.folder / "token"
        token.write_text("xoxb-stand-in")
        return Daemon(
            self.folder,
            ROUTES.format(url=self.hook.url),
            arguments=[
                *("--rules", "rules", "--slack-token-file", str(token)),
                *("--set", f"slack.api_url={self.slack.api_url}"),
                *("--set", f"sources.default.hosts={self.url}"),
                *("--set", f"sources.default.allow={self.prefix}*"),
                *arguments,
            ],
        )


@pytest.fixture
def site(tmp_path: Path, elasticsearch_url: str, es_prefix: str) -> Iterator[Site]:
    with StandIn(("alerts",)) as slack, Receiver() as hook:
        made = Site(tmp_path, elasticsearch_url, es_prefix, slack, hook)
        yield made
        made.client.close()


def rules(daemon: Daemon) -> dict[str, dict[str, Any]]:
    return {rule["id"]: rule for rule in daemon.get("/rules.json")["rules"]}


def test_a_document_becomes_an_alert_at_every_receiver_of_its_route(site: Site) -> None:
    site.rule("errors", site.index)
    with site.daemon() as daemon:
        assert message(daemon.log[1]).startswith(f"source  {site.url}: Elasticsearch 9.")
        site.write(site.index, level="info", pod="quiet", message="fine")
        site.write(site.index, level="error", pod="shop-1", message="it broke")
        (alert,) = site.hook.wait(1, 40)[0].body["alerts"]
        assert alert["labels"]["alertname"] == "errors"
        assert alert["labels"]["pod"] == "shop-1"
        assert alert["labels"]["severity"] == "warning"
        until(lambda: site.slack.messages("alerts"))
        (posted,) = site.slack.messages("alerts")
        assert posted.text.startswith("WARNING Errors in the log shop-1")
        assert "it broke" in str(posted.blocks)
        (found,) = daemon.get("/api/v2/alerts")
        assert found["labels"]["pod"] == "shop-1"
        assert daemon.stop() == 0
    assert len(site.hook.calls) == 1


def test_a_restart_tells_nothing_twice(site: Site) -> None:
    site.rule("errors", site.index)
    site.write(site.index, level="error", pod="shop-1", message="it broke")
    with site.daemon() as daemon:
        site.hook.wait(1, 40)
        until(lambda: site.slack.messages("alerts"))
    with daemon.start():
        site.write(site.index, level="error", pod="shop-2", message="it too")
        calls = site.hook.wait(2, 40)
    pods = [a["labels"]["pod"] for a in calls[1].body["alerts"]]
    assert sorted(pods) == ["shop-1", "shop-2"]
    assert len([m for m in site.slack.messages("alerts") if not m.thread_ts]) == 1


def test_each_source_is_read_by_its_own_rules_and_fails_alone(site: Site) -> None:
    other = f"{site.prefix}-other"
    site.make(other)
    site.rule("errors", site.index)
    site.rule("others", other, "source: second\n")
    site.rule("away", site.index, "source: third\n")
    more = [
        *("--set", f"sources.second.hosts={site.url}"),
        *("--set", f"sources.second.allow={site.prefix}*"),
        *("--set", "sources.third.hosts=http://127.0.0.1:1"),
        *("--set", f"sources.third.allow={site.prefix}*"),
    ]
    with site.daemon(*more) as daemon:
        site.write(site.index, level="error", pod="one", message="x")
        site.write(other, level="error", pod="two", message="x")
        until(lambda: len(daemon.get("/api/v2/alerts")) == 2)
        labels = {a["labels"]["alertname"]: a["labels"] for a in daemon.get("/api/v2/alerts")}
        # One cluster is the common case and looks like one.
        assert labels["errors"]["pod"] == "one"
        assert "source" not in labels["errors"]
        assert (labels["others"]["pod"], labels["others"]["source"]) == ("two", "second")
        until(lambda: "refused" in str(rules(daemon)["app/away"]))
        metrics = daemon.request("GET", "/metrics")[1]
        assert 'sre_obs_source_up{source="second"} 1.0' in metrics
        assert 'sre_obs_source_up{source="third"} 0.0' in metrics
        assert daemon.request("GET", "/-/ready")[0] == 200


def test_a_rule_on_an_index_that_is_not_there_blinds_itself_alone(site: Site) -> None:
    site.rule("errors", site.index)
    site.rule("nowhere", f"{site.prefix}-nowhere")
    site.write(site.index, level="error", pod="one", message="x")
    with site.daemon() as daemon:
        assert site.hook.wait(1, 40)[0].names == ["errors"]
        # Each stream has a time of its own: the other rule may have yet to run.
        until(lambda: rules(daemon)["app/nowhere"]["outcome"] == "stale")
        assert rules(daemon)["app/errors"]["outcome"] == "firing"
    assert {name for call in site.hook.calls for name in call.names} == {"errors"}


def test_a_reload_keeps_what_fires_by_the_identity_of_its_rule(site: Site) -> None:
    site.rule("errors", site.index)
    file = site.folder / "rules" / "app" / "errors.yml"
    text = file.read_text()
    site.write(site.index, level="error", pod="shop-1", message="it broke")
    with site.daemon() as daemon:
        site.hook.wait(1, 40)
        (before,) = daemon.get("/api/v2/alerts")
        # Another title, owner and window: the alert goes on.
        changed = text.replace("owner: shop", "owner: checkout").replace("now-5m", "now-10m")
        file.write_text(changed)
        assert daemon.request("POST", "/-/reload")[0] == 200
        until(lambda: owners(daemon) == ["checkout"])
        (after,) = daemon.get("/api/v2/alerts")
        assert (after["startsAt"], after["fingerprint"]) == (
            before["startsAt"],
            before["fingerprint"],
        )
        # Broken, its old rule goes on and finds more.
        file.write_text(changed.replace("kind: query", "kind: qury"))
        status, words = daemon.request("POST", "/-/reload")
        assert (status, "errors.yml:2:7" in words) == (500, True)
        site.write(site.index, level="error", pod="shop-2", message="it too")
        until(lambda: owners(daemon) == ["checkout", "checkout"])
        # Taken away, what it had ends and says why.
        file.unlink()
        assert daemon.request("POST", "/-/reload")[0] == 200
        until(lambda: daemon.get("/api/v2/alerts") == [])
        until(lambda: site.hook.calls[-1].body["status"] == "resolved")
    told = [c.body["status"] for c in site.hook.calls]
    assert told.count("resolved") == 1


def owners(daemon: Daemon) -> list[str]:
    return [alert["labels"]["owner"] for alert in daemon.get("/api/v2/alerts")]


def test_a_shadow_rule_is_shown_and_tells_nobody(site: Site) -> None:
    site.rule("shadowed", site.index, "state: shadow\n")
    site.rule("errors", site.index)
    site.write(site.index, level="error", pod="one", message="x")
    with site.daemon() as daemon:
        assert site.hook.wait(1, 40)[0].names == ["errors"]
        until(lambda: rules(daemon)["app/shadowed"]["outcome"] == "firing")
        assert rules(daemon)["app/shadowed"]["state"] == "shadow"
        daemon.alert({"labels": {"alertname": "later"}})
        site.hook.wait(2, 40)
    assert {name for call in site.hook.calls for name in call.names} == {"errors", "later"}


def test_once_tells_and_ends(site: Site) -> None:
    site.rule("errors", site.index)
    site.write(site.index, level="error", pod="one", message="x")
    (site.folder / "routes.yml").write_text(
        ROUTES.format(url=site.hook.url).replace('    slack_configs: [{channel: "#alerts"}]\n', "")
    )
    done = type_there(
        "sre-obs run --once -o json --rules rules --routes routes.yml --data d "
        f"--listen 127.0.0.1:0 --set sources.default.hosts={site.url} "
        f"--set sources.default.allow={site.prefix}*",
        site.folder,
    )
    assert done.code == 0, done.err
    told = json.loads(done.out)
    assert (told["firing"], told["waiting"]) == (1, 0)
    assert told["outcomes"][0]["outcome"] == "firing"
    assert [call.names for call in site.hook.calls] == [["errors"]]


def test_a_dry_run_prints_what_would_be_told(site: Site) -> None:
    site.rule("errors", site.index)
    site.write(site.index, level="error", pod="one", message="x")
    # Whoever looks once does not wait for a group's company.
    text = ROUTES.format(url=site.hook.url).replace("group_wait: 0s", "group_wait: 30s")
    (site.folder / "routes.yml").write_text(text)
    done = type_there(
        "sre-obs run --once --dry-run --rules rules --routes routes.yml --data d "
        f"--set sources.default.hosts={site.url} --set sources.default.allow={site.prefix}*",
        site.folder,
        {"SRE_OBS_SLACK_TOKEN": "xoxb-stand-in"},
    )
    assert done.code == 0, done.err
    assert "WARNING Errors in the log one" in done.out
    assert "firing        app/errors  1 alert\n" in done.out
    assert "Ran 1 rule: 1 alert firing, 0 messages waiting.\n" in done.out
    assert site.hook.calls == []
    assert not (site.folder / "d").exists()


def test_once_says_of_each_rule_how_it_stands(site: Site) -> None:
    site.rule("quiet", site.index)
    site.rule("nowhere", f"{site.prefix}-nowhere")
    site.rule("blind", site.index, "state: shadow\n")
    wrong = site.folder / "rules" / "app" / "blind.yml"
    wrong.write_text(wrong.read_text().replace("level: error", "levl: error"))
    site.write(site.index, level="info", pod="one", message="x")
    done = type_there(
        "sre-obs run --once --dry-run --rules rules "
        f"--set sources.default.hosts={site.url} --set sources.default.allow={site.prefix}*",
        site.folder,
    )
    assert done.code == 2, done.err
    lines = done.out.splitlines()
    assert "ok            app/quiet" in lines
    assert f"stale         app/nowhere  there is no index {site.prefix}-nowhere yet" in lines
    (blind,) = (line for line in lines if "app/blind" in line)
    assert blind.startswith("misconfigured app/blind    shadow, ")
    assert "levl" in blind
    assert lines[-1] == "Ran 3 rules: 0 alerts firing, 0 messages waiting."
