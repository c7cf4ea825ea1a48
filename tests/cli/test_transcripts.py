"""What each command prints in a pipe, word for word: tests/golden/cli."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from pytest_httpserver import HTTPServer

from tests.cli.typed import Typed, type_here, type_there

Golden = Callable[[str, str, str, str], None]

ROUTES = """\
route:
  receiver: platform
  group_by: [alertname]
  routes:
    - matchers: [team="shop"]
      receiver: shop
      routes:
        - matchers: [severity=~"critical|page"]
          receiver: oncall
    - matchers: ['team!=""']
      receiver: archive
      continue: true
receivers:
  - name: platform
    webhook_configs: [{url: "http://127.0.0.1:1/x"}]
  - name: shop
    slack_configs: [{channel: "#shop"}]
  - name: oncall
    slack_configs: [{channel: "#oncall"}]
  - name: archive
  - name: nobody
"""

SETTINGS = """\
data: /var/lib/sre-obs
rules: rules
external_url: https://alerts.example.com
sources:
  default:
    hosts: [https://es1.example.com:9200, https://ana:pw@es2.example.com:9200]
    api_key: c2VjcmV0
    timeout: 1m30s
slack:
  token_file: token
"""

MEMORY = """\
title: Memory is near its limit
kind: threshold
index: metrics-shop-*
query: 'team: ${team}'
group_by: [namespace, pod]
variables: {team: shop, floor: 10}
measures:
  used: {function: avg, field: used}
  most: {function: latest, field: most, index: metrics-limits-*, from: now-2m, missing: 0}
value: used / most
when: most > floor
threshold: {comparison: ">=", limit: 0.9, unit: of its limit, clear: 0.85}
levels:
  - {severity: critical, limit: 0.97, for: 2m}
for: 10m
severity: warning
owner: shop
runbook:
  means: A little more, and it is killed.
  act: Restart it.
annotations:
  summary: "{{ labels.pod }} at {{ value }}"
"""

OVERRIDES = """\
variables: {team: payments}
rules:
  shop/*: {interval: 30s}
  shop/memory:
    threshold: {limit: 0.95}
    labels: {tier: one}
    exclude: 'namespace: kube-*'
    entities:
      - {match: {namespace: batch-*}, limit: 0.99, for: 1h, severity: info}
      - {match: {namespace: test-*}, exclude: true}
  shop/gone: {exclude: 'host.name: test-*'}
environments:
  staging:
    rules: {shop/memory: {state: shadow}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder as an operator has it."""
    (tmp_path / "token").write_text("xoxb-token\n")
    (tmp_path / "routes.yml").write_text(ROUTES)
    (tmp_path / "settings.yml").write_text(SETTINGS)
    (tmp_path / "listen.yml").write_text("lisen: 127.0.0.1:1\nheartbeat: {interval: soon}\n")
    (tmp_path / "twice.yml").write_text("data: a\ndata: b\n")
    (tmp_path / "broken.yml").write_text("route:\n  receiver: nobody\n  group_by: alertname\n")
    (tmp_path / "hostile.yml").write_text('"\\e]0;owned\\a": 1\n')
    (tmp_path / "rules" / "shop").mkdir(parents=True)
    (tmp_path / "rules" / "shop" / "oom.yml").write_text(
        "title: Out of memory\nkind: query\nindex: metrics-kubernetes.*\n"
        "query: 'kubernetes.container.status.last_terminated_reason: OOMKilled'\n"
        "from: now-5m\ninterval: 1m\nseverity: warning\nowner: shop\n"
    )
    (tmp_path / "pack" / "shop").mkdir(parents=True)
    (tmp_path / "pack" / "shop" / "memory.yml").write_text(MEMORY)
    (tmp_path / "pack" / "shop" / "gone.yml").write_text(
        "title: Gone\nkind: absence\nindex: metrics-shop-*\nseverity: critical\n"
        "group_by: [host.name]\nentities: [{host.name: a}, {host.name: b}]\n"
    )
    (tmp_path / "pack" / "overrides.yml").write_text(OVERRIDES)
    (tmp_path / "overrides-wrong.yml").write_text("rules: {shop/memory: {limitt: 3}}\n")
    (tmp_path / "wrong" / "shop").mkdir(parents=True)
    (tmp_path / "wrong" / "shop" / "memory.yml").write_text(MEMORY.replace("used /", "usd /"))
    return tmp_path


COMMANDS = {
    "help": "sre-obs --help",
    "alone": "sre-obs",
    "help-demo": "sre-obs demo --help",
    "help-run": "sre-obs run --help",
    "help-alert-test": "sre-obs alert-test --help",
    "help-silence": "sre-obs silence",
    "help-silence-add": "sre-obs silence add --help",
    "help-silence-query": "sre-obs silence query --help",
    "help-silence-expire": "sre-obs silence expire --help",
    "help-routes": "sre-obs routes",
    "help-routes-show": "sre-obs routes show --help",
    "help-routes-explain": "sre-obs routes explain --help",
    "help-config": "sre-obs config",
    "help-config-show": "sre-obs config show --help",
    "help-config-describe": "sre-obs config describe --help",
    "unknown-command": "sre-obs dmeo",
    "unknown-subcommand": "sre-obs silence ad",
    "unknown-command-far": "sre-obs xyz",
    "unknown-option": "sre-obs demo --exit-aftr 20s",
    "unknown-option-json": "sre-obs demo --exit-aftr 20s --output json",
    "wrong-choice": "sre-obs demo --output yaml",
    "missing-argument": "sre-obs silence expire",
    "missing-option": "sre-obs silence add team=shop",
    "missing-value": "sre-obs demo --speed",
    "wrong-number": "sre-obs demo --speed fast",
    "wrong-speed": "sre-obs demo --speed 0",
    "wrong-duration": "sre-obs demo --exit-after 20",
    "help-rules": "sre-obs rules",
    "help-rules-list": "sre-obs rules list --help",
    "help-rules-show": "sre-obs rules show --help",
    "rules-list": "sre-obs rules list --rules pack --overrides pack/overrides.yml",
    "rules-list-json": "sre-obs rules list --rules pack --overrides pack/overrides.yml -o json",
    "rules-list-wrong": "sre-obs rules list --rules wrong",
    "rules-show": (
        "sre-obs rules show memory --rules pack --overrides pack/overrides.yml "
        "--environment staging"
    ),
    "rules-show-json": "sre-obs rules show shop/memory --rules pack -o json",
    "rules-show-absence": "sre-obs rules show gone --rules pack",
    "rules-show-excluded": "sre-obs rules show gone --rules pack --overrides pack/overrides.yml",
    "rules-show-wrong-overrides": (
        "sre-obs rules show shop/gone --rules pack --overrides overrides-wrong.yml"
    ),
    "rules-show-no-environment": (
        "sre-obs rules show gone --rules pack --overrides pack/overrides.yml --environment stagin "
        "-o json"
    ),
    "rules-show-unknown": "sre-obs rules show memry --rules pack",
    "rules-show-wrong": "sre-obs rules show memory --rules wrong",
    "config-show": "sre-obs config show --config settings.yml --listen 127.0.0.1:1",
    "config-show-json": "sre-obs config show --config settings.yml -o json",
    "config-wrong": "sre-obs config show --config listen.yml",
    "config-wrong-json": "sre-obs config show --config listen.yml --output=json",
    "config-twice": "sre-obs config show --config twice.yml",
    "config-missing": "sre-obs config show --config nowhere.yml",
    "config-folder": "sre-obs config show --config rules",
    "config-hostile": "sre-obs config show --config hostile.yml",
    "config-secret-flag": "sre-obs config show --set slack.token=xoxb-secret",
    "config-set-without-value": "sre-obs config show --set xoxb-secret",
    "config-set-unknown": "sre-obs config show --set lisen=x",
    "routes-show": "sre-obs routes show --routes routes.yml --slack-token-file token",
    "routes-show-json": "sre-obs routes show --config settings.yml --routes routes.yml -o json",
    "routes-explain": (
        "sre-obs routes explain --routes routes.yml --slack-token-file token team=shop "
        "severity=critical"
    ),
    "routes-explain-json": (
        "sre-obs routes explain --routes routes.yml --slack-token-file token team=x -ojson"
    ),
    "routes-explain-no-label": "sre-obs routes explain team",
    "routes-built-in": "sre-obs routes show",
    "routes-wrong": "sre-obs routes show --routes broken.yml",
    "routes-wrong-json": "sre-obs routes show --routes broken.yml --output json",
    "routes-missing": "sre-obs routes show --routes nowhere.yml",
    "run-role": "sre-obs run --rules rules --print-role",
    "run-exposed": "sre-obs run --listen 0.0.0.0:9093",
    "run-no-rules": "sre-obs run --rules nowhere",
    "run-no-token-file": "sre-obs run --token-file nowhere",
    "run-wrong-routes-json": "sre-obs run --routes broken.yml --output json",
    "alert-test-no-receiver": "sre-obs alert-test --routes routes.yml --slack-token-file token "
    "--receiver shp",
    "alert-test-no-label": "sre-obs alert-test --match team",
    "silence-wrong-matcher": "sre-obs silence add 'team=~\"(\"' -c x",
    "silence-wrong-duration": "sre-obs silence add team=shop -d 2 -c x",
    "silence-no-time": "sre-obs silence add team=shop -d 0s -c x",
}

# These set logging up for the whole process, or may one day.
APART = ("run-exposed", "run-no", "run-wrong", "alert-test-no-receiver")


@pytest.mark.parametrize("case", COMMANDS)
def test_a_command_prints_what_it_printed(folder: Path, case: str, golden: Golden) -> None:
    done = (type_there if case.startswith(APART) else type_here)(COMMANDS[case], folder)
    assert "\x1b" not in done.out + done.err
    golden("cli", case, "transcript.txt", done.transcript(FOLDER=str(folder)))


def test_the_settings_are_described_alike_as_text_and_as_json() -> None:
    """The text is a golden already: the README has it."""
    text = type_here("sre-obs config describe").out
    facts = json.loads(type_here("sre-obs config describe -o json").out)
    rows = [line for line in text.splitlines() if line.startswith("| `")]
    assert len(rows) == len(facts)
    for row, (path, fact) in zip(rows, facts.items(), strict=True):
        assert row.startswith(f"| `{path}` |")
        assert fact["help"] in row
        assert fact["default"] in row


def test_a_variable_that_no_setting_reads_is_warned_about(folder: Path, golden: Golden) -> None:
    done = type_here("sre-obs config show -o json", folder, {"SRE_OBS_LISTN": "127.0.0.1:1"})
    assert json.loads(done.out)["listen"]["origin"] == "default"
    golden("cli", "config-unknown-variable", "transcript.txt", Typed("", 0, "", done.err).err)


def silence(id_: str, state: str, **more: object) -> dict[str, object]:
    return {
        "id": id_,
        "status": {"state": state},
        "matchers": [
            {"name": "team", "value": "shop", "isRegex": False, "isEqual": True},
            {"name": "severity", "value": "crit.*", "isRegex": True, "isEqual": False},
        ],
        "startsAt": "2026-11-24T06:00:00.000Z",
        "endsAt": "2026-11-24T08:00:00.000Z",
        "updatedAt": "2026-11-24T06:00:00.000Z",
        "createdBy": "ana",
        "comment": "deploy\x1b[2J 4711",
        **more,
    }


def typed_to(server: HTTPServer, line: str) -> str:
    done = type_here(f"{line} --url {server.url_for('').rstrip('/')}")
    text = done.transcript(URL=server.url_for("").rstrip("/"))
    return re.sub(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\dZ)?(?= UTC|\")", "TIME", text)


@pytest.mark.parametrize("form", ["text", "json"])
def test_silences_are_added_listed_and_expired(
    httpserver: HTTPServer, golden: Golden, form: str
) -> None:
    alerts = [{"labels": {"alertname": f"a{n}\x07"}} for n in range(7)]
    httpserver.expect_request("/api/v2/silences", method="POST").respond_with_json(
        {"silenceID": "s-1"}
    )
    httpserver.expect_request("/api/v2/silences", method="GET").respond_with_json(
        [silence("s-1", "active"), silence("s-0", "expired")]
    )
    httpserver.expect_request("/api/v2/alerts").respond_with_json(alerts)
    httpserver.expect_request("/api/v2/silence/s-1", method="DELETE").respond_with_json({})
    for case, line in {
        "silence-add": "sre-obs silence add team=shop 'severity!~crit.*' -d 1h -c why -a ana",
        "silence-query": "sre-obs silence query team=shop",
        "silence-query-expired": "sre-obs silence query --expired",
        "silence-expire": "sre-obs silence expire s-1",
    }.items():
        text = typed_to(httpserver, f"{line} -o {form}")
        assert "\x1b" not in text
        golden("cli", case, f"{form}.txt", text)


def test_a_silence_by_a_fields_name_that_hides_nothing_gets_a_hint(
    httpserver: HTTPServer,
) -> None:
    httpserver.expect_request("/api/v2/silences").respond_with_json({"silenceID": "s-1"})
    httpserver.expect_request("/api/v2/alerts").respond_with_json([])
    text = typed_to(httpserver, "sre-obs silence add kubernetes.pod.name=a -c why")
    assert "underscores in labels: did you mean kubernetes_pod_name?" in text
    assert "hint" not in typed_to(httpserver, "sre-obs silence add team=a -c why")


@pytest.mark.parametrize(
    ("case", "status", "body"),
    [
        ("daemon-refuses", 400, '"bad matcher"'),
        ("daemon-wants-token", 401, '{"error": "a token is needed"}'),
        ("daemon-is-something-else", 200, "<html>hello</html>"),
        ("daemon-fails", 500, ""),
    ],
)
def test_what_a_daemon_refuses_is_told(
    httpserver: HTTPServer, golden: Golden, case: str, status: int, body: str
) -> None:
    httpserver.expect_request("/api/v2/silences").respond_with_data(body, status)
    golden("cli", case, "transcript.txt", typed_to(httpserver, "sre-obs silence query"))


def test_a_daemon_that_is_not_there_is_told(golden: Golden) -> None:
    done = type_here("sre-obs silence query --url http://127.0.0.1:1")
    golden("cli", "daemon-away", "transcript.txt", done.transcript())
