"""From an alert that fires to its document, its route and its delivery, by links alone.

A real Elasticsearch holds the documents, a real daemon evaluates, routes and delivers, and
a real Chromium follows the links. Then each of the three is taken out of the store that
the daemon left, and the same walk must miss that one and no other.
"""

from __future__ import annotations

import shutil
import sqlite3
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from elasticsearch import Elasticsearch
from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from sre_obs.adapters.store.sqlite import SqliteStore
from sre_obs.app.demo.slack_standin import StandIn
from sre_obs.model.changes import Changes
from tests.app.web.night import World
from tests.browser.chromium import PHONE, Served, size
from tests.daemon import Daemon

ROUTES = """\
route:
  receiver: everybody
  group_by: [alertname]
  group_wait: 0s
  routes:
    - matchers: [team="team-shop"]
      receiver: shop
receivers:
  - name: everybody
  - name: shop
    slack_configs:
      - channel: "#shop"
"""

RULE = """\
title: Container out of memory
kind: threshold
index: {index}
query: 'event.reason: OOMKilling'
from: now-10m
interval: 1s
query_delay: 0s
stale_after: 10m
group_by: [kubernetes.pod.name]
threshold:
  limit: 2
  unit: kills
severity: critical
owner: team-shop
labels:
  team: team-shop
annotations:
  action: Raise the limit, or find the leak.
evidence:
  - event.reason
  - process.name
"""

POD = "web-6c5f"


@dataclass(frozen=True)
class Walk:
    """What was found on the way; empty for what was not."""

    document: str = ""
    route: str = ""
    delivery: str = ""

    @property
    def missing(self) -> set[str]:
        """The names of what was not found."""
        return {name for name in ("document", "route", "delivery") if not getattr(self, name)}


def walk(driver: Chrome, url: str) -> Walk:
    """Open the front page, then follow links only."""
    driver.get(url + "/")
    _follow(driver, "a.card")
    assert POD in _texts(driver, "main")[0]
    documents = [text for text in _texts(driver, ".document") if "OOMKilling" in text]
    told = [text for text in _texts(driver, ".tell") if "#shop" in text and "delivered" in text]
    route = ""
    if _follow(driver, ".tell a[href*='#g-']"):
        anchor = driver.current_url.partition("#")[2]
        route = "".join(_texts(driver, f"[id='{anchor}']"))
    return Walk("".join(documents[:1]), route, "".join(told[:1]))


def _follow(driver: Chrome, css: str) -> bool:
    """Click on the first such link; whether there was one."""

    def click(_: Chrome) -> list[bool]:
        links = driver.find_elements(By.CSS_SELECTOR, css)
        if links:
            links[0].click()
        return [bool(links)]

    return _patiently(driver, click)[0]


def _texts(driver: Chrome, css: str) -> list[str]:
    def read(_: Chrome) -> list[list[str]]:
        return [[element.text for element in driver.find_elements(By.CSS_SELECTOR, css)]]

    return _patiently(driver, read)[0]


def _patiently(driver: Chrome, act):  # type: ignore[no-untyped-def]
    wait = WebDriverWait(driver, 20, 0.05, ignored_exceptions=[StaleElementReferenceException])
    return wait.until(act)


@pytest.fixture
def incident(tmp_path: Path, elasticsearch_url: str, es_prefix: str) -> Iterator[Daemon]:
    """A daemon that has told of containers killed in a real Elasticsearch."""
    index = f"{es_prefix}-events"
    with Elasticsearch(elasticsearch_url) as client:
        client.indices.create(
            index=index,
            mappings={
                "properties": {
                    "@timestamp": {"type": "date"},
                    "event.reason": {"type": "keyword"},
                    "process.name": {"type": "keyword"},
                    "kubernetes.pod.name": {"type": "keyword"},
                }
            },
        )
        for second in range(3):
            document = {
                "@timestamp": (datetime.now(UTC) - timedelta(seconds=second)).isoformat(),
                "event.reason": "OOMKilling",
                "process.name": "java",
                "kubernetes.pod.name": POD,
            }
            client.index(index=index, document=document, refresh=True)
    rules = tmp_path / "rules" / "shop"
    rules.mkdir(parents=True)
    (rules / "oom.yml").write_text(RULE.format(index=f"{es_prefix}-*"))
    environ = {
        "SRE_OBS_RULES": str(tmp_path / "rules"),
        "SRE_OBS_SOURCES_DEFAULT_HOSTS": elasticsearch_url,
        "SRE_OBS_SOURCES_DEFAULT_ALLOW": f"{es_prefix}-*",
        "SRE_OBS_SLACK_TOKEN": "xoxb-stand-in",
    }
    with StandIn(channels=("shop",)) as slack:
        environ["SRE_OBS_SLACK_API_URL"] = slack.api_url
        with Daemon(tmp_path, ROUTES, environ=environ) as daemon:
            assert slack.wait_calls(1, 60.0, method="chat.postMessage"), daemon.log
            yield daemon


def test_a_firing_alert_leads_to_its_document_its_route_and_its_delivery(
    browser: Chrome, incident: Daemon, tmp_path: Path
) -> None:
    size(browser, PHONE)
    WebDriverWait(browser, 20).until(
        lambda _: any(row["state"] == "sent" for row in incident.get("/deliveries.json"))
    )
    found = walk(browser, incident.url)
    assert found.missing == set()
    assert "java" in found.document
    assert 'shop, routes.yml:6 -> shop\nteam="team-shop"' in found.route
    assert "first notification" in found.delivery

    incident.stop()
    left = tmp_path / "data" / "state.db"
    kept = {"nothing": left_over(browser, left, "nothing").missing}
    assert kept == {"nothing": set()}, "the pages over the store that was left"
    for taken in ("document", "route", "delivery"):
        assert left_over(browser, left, taken).missing == {taken}


def left_over(driver: Chrome, left: Path, taken: str) -> Walk:
    """The walk over a copy of the store without what is `taken`."""
    copy = left.parent.with_name(f"without-{taken}") / left.name
    shutil.copytree(left.parent, copy.parent)
    if taken == "delivery":
        with sqlite3.connect(copy) as database:
            database.execute("DELETE FROM deliveries")
        database.close()
    store = SqliteStore(copy, timer=time.monotonic)
    try:
        snapshot = store.load()
        changes = Changes()
        if taken == "document":
            without = (
                replace(a, evidence=replace(a.evidence, documents=())) for a in snapshot.alerts
            )
            changes = Changes(alerts=tuple(without))
        if taken == "route":
            changes = Changes(forgotten_groups=tuple(group.key for group in snapshot.groups))
        store.commit(changes).result(30)
        # No daemon runs on it: that one would look and tell anew.
        world = World(store=store, routes=ROUTES)
        world.clock.at = time.time()
        world.rejoin()
        with Served(world.app) as served:
            return walk(driver, served.url)
    finally:
        store.close()
