"""Kibana's alerts in a real Elasticsearch, followed by the daemon to its receivers."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from elasticsearch import Elasticsearch

from sre_obs.adapters.elasticsearch import ElasticsearchOptions
from sre_obs.adapters.elasticsearch.kibana import PAGE, KibanaAlerts
from sre_obs.evaluate.kibana import ask
from sre_obs.model.errors import SourceError
from sre_obs.model.problem import Wrong
from tests.cli.typed import type_there
from tests.crash.waiting import until
from tests.daemon import Daemon, message
from tests.evaluate.kibana_documents import hit, iso
from tests.receiver import Receiver

KEYWORDS = ("uuid", "status", "instance.id", "rule.uuid")
MAPPING = {
    "dynamic": False,
    "properties": {
        "@timestamp": {"type": "date"},
        "kibana.space_ids": {"type": "keyword"},
        "kibana.alert.end": {"type": "date"},
        "kibana.alert.last_detected": {"type": "date"},
        "kibana.alert.workflow_status_updated_at": {"type": "date"},
        "kibana.alert.rule.execution.timestamp": {"type": "date"},
        **{f"kibana.alert.{name}": {"type": "keyword"} for name in KEYWORDS},
    },
}

ROUTES = """\
route: {{receiver: hook, group_by: [alertname, instance], group_wait: 0s, group_interval: 1s}}
receivers:
  - name: hook
    webhook_configs: [{{url: "{url}"}}]
"""


class Kibana:
    """Writes the alerts of one space as Kibana does: hidden indices behind an alias."""

    def __init__(self, url: str, prefix: str) -> None:
        self.client = Elasticsearch(url)
        self.url, self.space = url, prefix
        self.alias = f".alerts-{prefix}.alerts-default"
        self.index = f".internal.alerts-{prefix}.alerts-default-000001"
        self.client.indices.create(
            index=self.index,
            mappings=MAPPING,
            settings={"number_of_replicas": 0, "hidden": True},
            aliases={self.alias: {"is_hidden": True}},
        )

    def write(self, *hits: dict[str, Any]) -> None:
        lines: list[Any] = []
        for one in hits:
            source = {**one["_source"], "kibana.space_ids": [self.space]}
            lines += [{"index": {"_index": self.index, "_id": one["_id"]}}, source]
        assert not self.client.bulk(operations=lines, refresh=True)["errors"]

    def daemon(self, folder: Path, hook: Receiver) -> Daemon:
        (folder / "sre-obs.yml").write_text(
            "sources:\n"
            "  kibana-prod:\n"
            "    from: kibana\n"
            f"    hosts: [{self.url}]\n"
            f"    spaces: [{self.space}]\n"
            "    poll: 1s\n"
        )
        return Daemon(folder, ROUTES.format(url=hook.url))


@pytest.fixture
def kibana(elasticsearch_url: str, es_prefix: str) -> Iterator[Kibana]:
    made = Kibana(elasticsearch_url, es_prefix)
    yield made
    made.client.indices.delete(index=made.index, expand_wildcards="all")
    made.client.close()


def sent(daemon: Daemon) -> int:
    return sum(row["state"] == "sent" for row in daemon.get("/deliveries.json"))


def test_one_block_of_settings_tells_what_kibana_may_not(tmp_path: Path, kibana: Kibana) -> None:
    now = time.time()
    kibana.write(hit(now - 5))
    with Receiver() as hook, kibana.daemon(tmp_path, hook) as daemon:
        assert any("alerts of Kibana" in message(line) for line in daemon.log)
        (alert,) = hook.wait(1, 40)[0].body["alerts"]
        assert alert["labels"]["alertname"] == "CPU of hosts"
        assert (alert["labels"]["team"], alert["labels"]["source"]) == ("payments", "kibana-prod")
        assert alert["annotations"]["summary"] == "CPU is 0.97, above the threshold of 0.9"
        kibana.write(hit(now, start=iso(now - 5), status="recovered", end=iso(now)))
        ended = hook.wait(2, 40)[1].body
        assert (ended["status"], ended["alerts"][0]["status"]) == ("resolved", "resolved")


def test_a_restart_repeats_nothing_and_loses_nothing(tmp_path: Path, kibana: Kibana) -> None:
    now = time.time()
    hosts = ("host-a", "host-b", "host-c")
    for number, host in enumerate(hosts):
        kibana.write(hit(now - 9, uuid=f"u-{number}", instance__id=host))
    with Receiver() as hook, kibana.daemon(tmp_path, hook) as daemon:
        told = {c.body["alerts"][0]["labels"]["instance"] for c in hook.wait(3, 40)}
        assert told == set(hosts)
        # A webhook can't be asked whether it has a message whose answer we did not keep.
        until(lambda: sent(daemon) == 3)
        daemon.kill()
        # While nobody looks: one is over, one is deleted, one goes on, a new one begins.
        later = time.time()
        over = {"start": iso(now - 9), "status": "recovered", "end": iso(later)}
        kibana.write(hit(later, uuid="u-0", instance__id="host-a", **over))
        kibana.client.delete(index=kibana.index, id="u-1", refresh=True)
        kibana.write(hit(later, uuid="u-2", instance__id="host-c", start=iso(now - 9)))
        kibana.write(hit(later, uuid="u-3", instance__id="host-d"))
        with daemon.start():
            news = hook.wait(6, 40)[3:]
            said = {
                (c.body["alerts"][0]["labels"]["instance"], c.body["alerts"][0]["status"])
                for c in news
            }
            expected = {("host-a", "resolved"), ("host-b", "resolved"), ("host-d", "firing")}
            assert said == expected
            active = daemon.get("/api/v2/alerts")
            assert {a["labels"]["instance"] for a in active} == {"host-c", "host-d"}
    assert len(hook.calls) == 6


def test_more_alerts_than_a_page_are_all_read(kibana: Kibana) -> None:
    count = 2 * PAGE + 7
    now = time.time()
    kibana.write(*(hit(now, uuid=f"u-{n}", instance__id=f"host-{n}") for n in range(count)))
    reader = KibanaAlerts("kib", ElasticsearchOptions((kibana.url,)))
    mine = {"term": {"kibana.space_ids": kibana.space}}
    queries = [{"bool": {"filter": [mine, query]}} for query in (ask.active(), ask.moved(now))]
    hits = reader.fetch(queries)
    reader.close()
    assert len(hits) == 2 * count
    assert {h["_id"] for h in hits} == {f"u-{n}" for n in range(count)}
    assert "kibana.alert.reason" in hits[0]["_source"]


def test_a_server_that_is_away_is_an_error_in_words() -> None:
    reader = KibanaAlerts("kib", ElasticsearchOptions(("http://127.0.0.1:1",)))
    with pytest.raises(SourceError):
        reader.fetch([ask.active()])
    assert isinstance(reader.describe(), Wrong)
    reader.close()


def test_the_role_that_reads_kibana_s_alerts_is_printed(tmp_path: Path) -> None:
    (tmp_path / "sre-obs.yml").write_text(
        "sources: {kib: {from: kibana, hosts: [http://127.0.0.1:1]}}"
    )
    done = type_there("sre-obs run --print-role", tmp_path)
    role = json.loads(done.out)
    privileges = ["read", "view_index_metadata"]
    assert role["indices"] == [{"names": [".alerts-*"], "privileges": privileges}]
