"""The daemon as a process, and an Elasticsearch that fails it in every way."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.daemon import Daemon, fire
from tests.faults.liar import Liar, lying, refused
from tests.receiver import Receiver

pytestmark = pytest.mark.crash

RULE = """\
title: Pod is busy
kind: threshold
index: {index}
group_by: [pod]
from: now-1h
query_delay: 0s
interval: 1s
stale_after: 1h
threshold: {{function: max, field: cpu, limit: 0.9}}
severity: warning
annotations:
  summary: {summary}
"""
SHARDS = {
    "total": 5,
    "successful": 4,
    "failed": 1,
    "failures": [{"reason": {"type": "node_disconnected", "reason": "node left"}}],
}


def says(status: int, body: Any) -> Callable[[Liar], None]:
    """Every search is answered so."""
    return lambda liar: setattr(liar, "error", (status, body))


def mixes(**part: Any) -> Callable[[Liar], None]:
    """Every answer has this in it."""
    return lambda liar: setattr(liar, "part", part)


# What it answers, the outcome of the rule, and what people are told.
FAULTS: list[tuple[Callable[[Liar], None], str, str]] = [
    (says(*refused("parsing_exception", "unknown [x]", 400)), "misconfigured", "unknown [x]"),
    (says(*refused("security_exception", "bad key", 401)), "stale", "refuses the credentials"),
    (says(*refused("security_exception", "no right", 403)), "stale", "lacks a privilege"),
    (says(404, "<html>nobody here</html>"), "stale", "is not Elasticsearch"),
    (says(*refused("circuit_breaking_exception", "too large", 429)), "stale", "too large"),
    (says(*refused("cluster_block_exception", "no master", 503)), "stale", "no master"),
    (says(200, '{"took": 1, "respon'), "stale", "malformed JSON"),
    (says(200, {"took": 1, "responses": []}), "stale", "an answer a search is missing"),
    (mixes(_shards=SHARDS), "stale", "1 of 5 shards failed: node left"),
    (mixes(timed_out=True), "stale", "the search ran out of time"),
    (lambda liar: setattr(liar, "hang", 5.0), "stale", "it did not answer in time"),
]


def routes(receiver: Receiver) -> str:
    return f"""
route: {{receiver: hook, group_by: [alertname, pod], group_wait: 0s, group_interval: 1s}}
receivers:
  - name: hook
    webhook_configs: [{{url: "{receiver.url}"}}]
"""


def daemon(folder: Path, hook: Receiver, url: str, rules: dict[str, str]) -> Daemon:
    for name, text in rules.items():
        file = folder / "rules" / "app" / f"{name}.yml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    arguments = ["--rules", str(folder / "rules"), "--set", f"sources.default.hosts={url}"]
    return Daemon(
        folder, routes(hook), arguments=[*arguments, "--set", "sources.default.timeout=1s"]
    )


def rule(index: str = "metrics-app-*", summary: str = "busy") -> str:
    return RULE.format(index=index, summary=summary)


def outcomes(daemon: Daemon) -> dict[str, int]:
    """Rules by outcome."""
    text = daemon.request("GET", "/metrics")[1]
    lines = [line for line in text.splitlines() if line.startswith("sre_obs_rules{")]
    return {line.split('"')[1]: int(float(line.rsplit(" ", 1)[1])) for line in lines}


def until(daemon: Daemon, holds: Callable[[], bool], seconds: float = 20.0) -> None:
    """Wait for it, and fail with what there is instead."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise AssertionError(f"{outcomes(daemon)}\n" + "\n".join(daemon.log[-20:]))
        time.sleep(0.05)


def test_whatever_elasticsearch_answers_alerts_are_held_and_others_are_told(
    tmp_path: Path,
) -> None:
    with lying() as (liar, url), Receiver() as hook:
        liar.add("metrics-app-default", {"pod": "a", "cpu": 1.0})
        with daemon(tmp_path, hook, url, {"busy": rule()}) as it:
            hook.wait(1)
            for number, (fault, outcome, words) in enumerate(FAULTS):
                liar.error, liar.part, liar.hang = None, {}, 0.0
                fault(liar)
                until(it, lambda o=outcome: outcomes(it) == {o: 1})  # type: ignore[misc]
                until(it, lambda w=words: w in it.request("GET", "/rules")[1])  # type: ignore[misc]
                assert it.alert(fire(f"other-{number}")) == 200
                hook.wait(2 + number)
                assert it.request("GET", "/-/ready")[0] == 200
            assert 'sre_obs_source_up{source="default"} 0.0' in it.request("GET", "/metrics")[1]
            liar.error, liar.part, liar.hang = None, {}, 0.0
            until(it, lambda: outcomes(it) == {"firing": 1})
            (alert,) = [a for a in it.get("/api/v2/alerts") if a["labels"]["alertname"] == "busy"]
            assert alert["status"]["state"] == "active"
        told = [name for call in hook.calls for name in call.names]
    # It fired once, and nothing of all that told anybody that it was over.
    assert sorted(told) == sorted(["busy", *(f"other-{n}" for n in range(len(FAULTS)))])
    assert {call.body["status"] for call in hook.calls} == {"firing"}


def test_a_server_that_goes_and_comes_back_ends_what_ended_meanwhile(tmp_path: Path) -> None:
    with Receiver() as hook:
        with lying() as (liar, url):
            liar.add("logs-app-default", {"pod": "a", "cpu": 1.0})
            it = daemon(tmp_path, hook, url, {"busy": rule("logs-app-*")}).start()
            hook.wait(1)
        with it:
            until(it, lambda: outcomes(it) == {"stale": 1})
            until(it, lambda: "refused" in it.request("GET", "/about")[1])
            assert len(hook.calls) == 1
            with lying(int(url.rpartition(":")[2])) as (liar, _):
                liar.add("logs-app-default", {"pod": "a", "cpu": 0.1})
                calls = hook.wait(2)
    assert [call.body["status"] for call in calls] == ["firing", "resolved"]


def test_one_bad_rule_of_ten_blinds_itself_alone(tmp_path: Path) -> None:
    with lying() as (liar, url), Receiver() as hook:
        liar.add("metrics-app-default", {"pod": "a", "cpu": 1.0})
        liar.wrong["metrics-bad-*"] = refused("query_shard_exception", "no [cpu]", 400)
        rules = {f"good-{n}": rule() for n in range(9)} | {"bad": rule("metrics-bad-*")}
        with daemon(tmp_path, hook, url, rules) as it:
            hook.wait(9)
            until(it, lambda: outcomes(it) == {"firing": 9, "misconfigured": 1})
            assert "no [cpu]" in it.request("GET", "/rules")[1]


def test_a_template_that_explodes_costs_the_words_and_not_the_alert(tmp_path: Path) -> None:
    bomb = "\"{{ 'a' * 300000000 }}\""
    with lying() as (liar, url), Receiver() as hook:
        liar.add("metrics-app-default", {"pod": "a", "cpu": 1.0})
        rules = {"bomb": rule(summary=bomb), "good": rule(summary='"{{ value }} of {{ limit }}"')}
        with daemon(tmp_path, hook, url, rules) as it:
            calls = hook.wait(2)
            assert "annotation summary" in it.request("GET", "/rules")[1]
    words = {
        alert["labels"]["alertname"]: alert["annotations"]["summary"]
        for call in calls
        for alert in call.body["alerts"]
    }
    assert words["good"] == "1 of 0.9"
    assert words["bomb"].startswith("(annotation summary: ")


def test_a_thousand_rules_start_and_run(tmp_path: Path) -> None:
    rules = {f"rule-{n}": rule(f"metrics-app{n % 20}-*") for n in range(1_000)}
    slow = {name: text.replace("interval: 1s", "interval: 30s") for name, text in rules.items()}
    with lying() as (liar, url), Receiver() as hook:
        minute_ago = round(time.time() * 1000) - 60_000
        liar.add("metrics-app3-default", {"@timestamp": minute_ago, "pod": "a", "cpu": 1.0})
        with daemon(tmp_path, hook, url, slow) as it:
            until(it, lambda: sum(outcomes(it).values()) == 1_000, 60.0)
            until(it, lambda: outcomes(it).get("firing") == 50)
            assert it.request("GET", "/rules")[0] == 200
            # Identical requests went once: 20 streams, each by its rules and for its life.
            assert liar.searched < 100
