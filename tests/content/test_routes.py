"""Routes files: a strict subset of alertmanager.yml, each mistake at its place, no secret shown."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml as reference
from hypothesis import given
from hypothesis import strategies as st

from sre_obs.content.routes.load import SlackDefaults, load_routes, parse_routes
from sre_obs.model.matcher import Matcher, MatchOp
from sre_obs.model.problem import Problem
from sre_obs.model.routing import (
    Routing,
    SlackIntegration,
    TerminalIntegration,
    WebhookIntegration,
)
from sre_obs.model.secret import Secret
from tests.content.problems import line, lines, pointed

BOT = SlackDefaults(Secret("xoxb-default"), "https://slack.example/api/")
SHORT = """\
route:
  receiver: all
receivers:
  - name: all
    terminal_configs: [{}]
"""
TREE = """\
global:
  resolve_timeout: 10m
  slack_app_token: xoxb-SECRET-1
route:
  receiver: all
  group_by: [alertname]
  group_wait: 10s
  routes:
    - matchers: ['team="payments"', severity=~"critical|warning"]
      receiver: pay
      continue: true
      group_by: ['...']
      repeat_interval: 1h
      routes:
        - matchers: [severity="critical"]
          group_by: []
          group_wait: 0s
    - matchers: ['team="payments"']
    - matchers: ['team="payments"']
receivers:
  - name: all
    slack_configs:
      - channel: '#all'
        send_resolved: false
        rise_to_channel: false
  - name: pay
    webhook_configs:
      - url: https://user:SECRET-2@hooks.example/x?t=SECRET-3
        max_alerts: 10
        timeout: 3s
        http_config: {authorization: {credentials: SECRET-4}}
      - url: http://127.0.0.1:9000/
        http_config: {basic_auth: {username: ana, password: SECRET-5}}
"""


def good(text: str, **options: object) -> Routing:
    routing, problems = parse_routes(text, **options)  # type: ignore[arg-type]
    assert lines(problems) == []
    assert routing is not None
    return routing


def found(text: str, **options: object) -> list[Problem]:
    routing, problems = parse_routes(text, **options)  # type: ignore[arg-type]
    assert "SECRET" not in repr(problems)
    if any(p.severity == "error" for p in problems):
        assert routing is None
    return problems


def wrong(text: str, **options: object) -> str:
    (problem,) = [p for p in found(text, **options) if p.severity == "error"]
    return line(problem)


def test_the_smallest_file_has_alertmanager_s_defaults() -> None:
    routing = good(SHORT)
    root = routing.root
    assert (root.id, root.receiver, root.matchers, root.group_by) == ("{}", "all", (), ())
    assert (root.group_wait, root.group_interval, root.repeat_interval) == (30.0, 300.0, 14_400.0)
    assert routing.resolve_timeout == 300.0
    assert routing.receivers[0].integrations == (TerminalIntegration("all/terminal[0]"),)


def test_a_child_inherits_what_it_does_not_set() -> None:
    root = good(TREE).root
    payments, second, third = root.routes
    (critical,) = payments.routes
    assert (root.group_by, root.group_wait) == (("alertname",), 10.0)
    assert (payments.receiver, payments.group_by, payments.continues) == ("pay", None, True)
    assert (payments.group_wait, payments.repeat_interval) == (10.0, 3_600.0)
    assert (critical.receiver, critical.group_by, critical.continues) == ("pay", (), False)
    assert (critical.group_wait, critical.repeat_interval) == (0.0, 3_600.0)
    assert (second.receiver, second.group_by, third.receiver) == ("all", ("alertname",), "all")


def test_an_id_is_the_path_of_matchers_and_twins_differ() -> None:
    root = good(TREE).root
    payments, second, third = root.routes
    assert payments.id == '{}/{team="payments",severity=~"critical|warning"}'
    assert payments.routes[0].id == payments.id + '/{severity="critical"}'
    assert (second.id, third.id) == ('{}/{team="payments"}', '{}/{team="payments"}#2')
    assert str(second.location) == "routes.yml:18:7"


def test_twins_differ_however_their_matchers_are_written() -> None:
    text = """
route:
  receiver: a
  routes:
    - {matchers: [team=db], continue: true}
    - {matchers: ['{team="db"}']}
receivers: [{name: a}]
"""
    ids = [child.id for child in good(text).root.routes]
    assert ids == ['{}/{team="db"}', '{}/{team="db"}#2']


def test_matchers_are_of_the_strict_utf_8_grammar() -> None:
    text = SHORT.replace(
        "receiver: all\n",
        'receiver: all\n  routes:\n    - matchers: [\'"größe"!="x y"\', \'a!~b, c=""\']\n',
        1,
    )
    assert good(text).root.routes[0].matchers == (
        Matcher("größe", MatchOp.NOT_EQUAL, "x y"),
        Matcher("a", MatchOp.NOT_REGEX, "b"),
        Matcher("c", MatchOp.EQUAL, ""),
    )


def test_receivers_become_integrations_with_their_secrets() -> None:
    routing = good(TREE)
    assert routing.integration("all/slack[0]") == SlackIntegration(
        "all/slack[0]", "#all", Secret("xoxb-SECRET-1"), send_resolved=False, rise_to_channel=False
    )
    assert routing.integration("pay/webhook[0]") == WebhookIntegration(
        "pay/webhook[0]",
        Secret("https://user:SECRET-2@hooks.example/x?t=SECRET-3"),
        max_alerts=10,
        timeout=3.0,
        bearer=Secret("SECRET-4"),
    )
    assert routing.integration("pay/webhook[1]") == WebhookIntegration(
        "pay/webhook[1]",
        Secret("http://127.0.0.1:9000/"),
        user="ana",
        password=Secret("SECRET-5"),
    )


def test_a_slack_receiver_takes_its_own_token_then_the_file_s_then_the_settings() -> None:
    text = SHORT.replace("terminal_configs: [{}]", "slack_configs: [{channel: '#x'}]")
    own = text.replace("{channel: '#x'}", "{channel: '#x', app_token: 012}")
    common = "global: {slack_app_token: xoxb-common, slack_app_url: https://gov.example/api/}\n"

    def slack(text: str) -> tuple[str, str]:
        (integration,) = good(text, slack=BOT).receivers[0].integrations
        assert isinstance(integration, SlackIntegration)
        return integration.token.reveal(), integration.api_url

    assert slack(text) == ("xoxb-default", "https://slack.example/api/")
    assert slack(common + text) == ("xoxb-common", "https://gov.example/api/")
    assert slack(common + own) == ("012", "https://gov.example/api/")


@pytest.mark.parametrize("key", ["slack_app_url", "slack_api_url"])
def test_alertmanager_s_address_of_the_method_is_read_as_the_base(key: str) -> None:
    text = f"global: {{{key}: https://slack.com/api/chat.postMessage}}\n" + SHORT.replace(
        "terminal_configs: [{}]", "slack_configs: [{channel: '#x', app_token: t}]"
    )
    (integration,) = good(text).receivers[0].integrations
    assert isinstance(integration, SlackIntegration)
    assert integration.api_url == "https://slack.com/api/"


def test_secrets_are_read_from_files_beside_the_routes(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("xoxb-of-a-file\n", encoding="utf-8")
    (tmp_path / "url").write_text(" https://hooks.example/x \n", encoding="utf-8")
    routes = tmp_path / "routes.yml"
    routes.write_text(
        SHORT.replace(
            "terminal_configs: [{}]",
            "slack_configs: [{channel: '#x', app_token_file: token}]\n"
            "    webhook_configs: [{url_file: url}]",
        ),
        encoding="utf-8",
    )
    routing, problems = load_routes(routes, read_file=lambda path: path.read_text("utf-8"))
    assert problems == []
    assert routing is not None
    slack, webhook = routing.receivers[0].integrations
    assert isinstance(slack, SlackIntegration)
    assert isinstance(webhook, WebhookIntegration)
    assert slack.token.reveal() == "xoxb-of-a-file"
    assert webhook.url.reveal() == "https://hooks.example/x"


def test_no_file_is_opened_but_through_the_reader_that_was_given() -> None:
    text = SHORT.replace("terminal_configs: [{}]", "webhook_configs: [{url_file: /etc/hostname}]")
    assert wrong(text) == (
        "5:34+13 routes/secret-file: can't read the file: files are not read here"
        " | check path and mode"
    )


def test_what_a_secret_s_file_holds_is_checked_and_not_shown() -> None:
    text = SHORT.replace("terminal_configs: [{}]", "webhook_configs: [{url_file: url}]")
    assert wrong(text, read_file=lambda _: "ftp://SECRET") == (
        "5:34+3 routes/wrong-value: what is in the file is no address:"
        " an address begins with http:// or https://"
    )
    assert wrong(text, read_file=lambda _: "  ") == "5:34+3 routes/secret-file: the file is empty"


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("  receiver: all\n", "  group_by: [a]\n",
         '1:1+5 routes/missing-key: the root route has no "receiver"'
         " | add the receiver of all other alerts"),
        ("route:\n  receiver: all\n", "", '1:1+1 routes/missing-key: "route" is missing | add it'),
        ("route:\n  receiver: all\n", "route: all\n",
         '1:8+3 routes/wrong-value: "route" must be name: value pairs, not a text'),
        ("receiver: all", "receiver: al",
         '2:13+2 routes/unknown-receiver: no receiver is called "al" | write all'),
        ("receiver: all", "receiver: mail",
         '2:13+4 routes/unknown-receiver: no receiver is called "mail" | add it below receivers:'),
        ("receiver: all\n", "receiver: all\n  matchers: [a=b]\n",
         '3:3+8 routes/root: the root route takes every alert and has no "matchers"'
         " | write it into a route below routes:"),
        ("receiver: all\n", "receiver: all\n  continue: true\n",
         '3:3+8 routes/root: the root route takes every alert and has no "continue"'
         " | write it into a route below routes:"),
        ("receiver: all\n", "receiver: all\n  match: {a: b}\n",
         '3:3+5 routes/unknown-key: no such key: "match" | write matchers: [\'name="value"\']'),
        ("receiver: all\n", "receiver: all\n  group_wiat: 5s\n",
         '3:3+10 routes/unknown-key: no such key: "group_wiat" | write group_wait'),
        ("receiver: all\n", "receiver: all\n  mute_time_intervals: [a]\n",
         '3:3+19 routes/unsupported-key: "mute_time_intervals" is not supported yet | remove it'),
        ("receiver: all\n", "receiver: all\n  group_interval: 0s\n",
         '3:19+2 routes/wrong-value: "group_interval" must be more than 0s'),
        ("receiver: all\n", "receiver: all\n  group_wait: 30\n",
         '3:15+2 routes/wrong-value: "group_wait": "30" is no duration'
         " | it lacks a unit, write 30s or 30m"),
        ("receiver: all\n", "receiver: all\n  group_by: [a, '...']\n",
         "3:17+5 routes/group-by: '...' is every label and stands alone"
         " | write group_by: ['...']"),
        ("receiver: all\n", "receiver: all\n  group_by: [a, a]\n",
         '3:17+1 routes/group-by: "a" twice | remove one'),
        ("receiver: all\n", "receiver: all\n  group_by: a\n",
         '3:13+1 routes/wrong-value: "group_by" must be a list'
         " | write [ ... ], or a line that begins with - for each"),
        ("receiver: all\n", "receiver: all\n  routes:\n    - matchers: ['team=']\n",
         "4:23+1 routes/matcher-syntax: the text ends where a value should be"
         ' | an empty value is written ""'),
        ("receiver: all\n", "receiver: all\n  routes:\n    - matchers: ['a=~\"(\"']\n",
         "4:22+3 routes/matcher-syntax: '(' is not a regular expression: missing ): ("
         " | RE2 syntax: no look-around, no back references"),
        ("receiver: all\n", "receiver: all\n  routes:\n    - matchers: ['']\n",
         "4:18+2 routes/matcher-syntax: an empty matcher matches every alert | remove it"),
        ("receiver: all\n", "receiver: all\n  routes:\n    - continue: yes\n",
         '4:17+3 routes/wrong-value: "continue" must be true or false'),
        ("route:\n", "inhibit_rules: []\nroute:\n",
         '1:1+13 routes/unsupported-key: "inhibit_rules" is not supported yet | remove it'),
        ("    terminal_configs: [{}]\n", "  - name: all\n",
         '5:11+3 routes/duplicate-receiver: a second receiver is called "all"'
         " | the first is in line 4"),
        ("terminal_configs: [{}]", "email_configs: [{to: a}]",
         '5:5+13 routes/unsupported-key: "email_configs" is not supported yet | remove it'),
        ("terminal_configs: [{}]", "slack_config: [{}]",
         '5:5+12 routes/unknown-key: no such key: "slack_config" | write slack_configs'),
        ("terminal_configs: [{}]", "slack_configs: [{channel: '#x'}]",
         '5:31+4 routes/slack-token: the Slack channel "#x" has no bot token'
         " | add app_token_file, or slack.token_file to the settings"),
        ("terminal_configs: [{}]", "slack_configs: [{channel: '#x', title: hi, app_token: t}]",
         '5:37+5 routes/unsupported-key: "title" is not supported yet | remove it'),
        ("terminal_configs: [{}]", "slack_configs: [{channel: a, app_token: t,"
         " app_url: https://hooks.slack.com/services/SECRET}]",
         "5:57+39 routes/slack-webhook: an incoming webhook can't edit its messages or answer in "
         "a thread | add app_token_file, or slack.token_file to the settings"),
        ("terminal_configs: [{}]", "webhook_configs: [{}]",
         '5:23+1 routes/missing-key: "url" is missing | add url or url_file'),
        ("terminal_configs: [{}]", "webhook_configs: [{url: hooks.example/SECRET}]",
         '5:29+20 routes/wrong-value: "url": an address begins with http:// or https://'),
        ("terminal_configs: [{}]", "webhook_configs: [{url: http://a, url_file: b}]",
         "5:24+3 routes/wrong-value: url and url_file exclude each other | remove one"),
        ("terminal_configs: [{}]", "webhook_configs: [{url: http://a, timeout: 1h}]",
         '5:48+2 routes/wrong-value: "timeout" must be at most 5m'),
        ("terminal_configs: [{}]", "webhook_configs: [{url: http://a, max_alerts: 1.5}]",
         '5:51+3 routes/wrong-value: "max_alerts" must be a whole number'),
        ("terminal_configs: [{}]", "webhook_configs: [{url: http://a, http_config: "
         "{authorization: {type: Digest, credentials: SECRET}}}]",
         "5:75+6 routes/unsupported-value: only the type Bearer is supported"),
        ("terminal_configs: [{}]", "webhook_configs: [{url: http://a, http_config: "
         "{authorization: {}}}]",
         '5:68+1 routes/missing-key: "credentials" is missing'
         " | add credentials or credentials_file"),
        ("terminal_configs: [{}]", "webhook_configs: [{url: http://a, http_config: "
         "{authorization: {credentials: SECRET}, basic_auth: {username: a, password: SECRET}}}]",
         "5:91+10 routes/wrong-value: authorization and basic_auth exclude each other"),
        ("terminal_configs: [{}]", "webhook_configs: [{url: http://a, http_config: "
         "{tls_config: {}}}]",
         '5:53+10 routes/unsupported-key: "tls_config" is not supported yet | remove it'),
    ],
)  # fmt: skip
def test_a_mistake_is_told_at_its_character(old: str, new: str, problem: str) -> None:
    assert wrong(SHORT.replace(old, new, 1)) == problem


def test_an_unused_receiver_is_a_warning_and_the_file_is_used() -> None:
    routing, problems = parse_routes(SHORT + "  - name: nobody\n")
    assert routing is not None
    assert lines(problems) == [
        '6:11+6 routes/unused-receiver (warning): no route uses the receiver "nobody"'
        " | remove it, or name it in a route"
    ]


def test_a_token_that_many_receivers_inherit_is_missed_once() -> None:
    text = "global: {slack_app_token_file: gone}\n" + SHORT.replace(
        "terminal_configs: [{}]", "slack_configs: [{channel: a}, {channel: b}]"
    )
    assert wrong(text) == (
        "1:32+4 routes/secret-file: can't read the file: files are not read here"
        " | check path and mode"
    )


def test_the_text_for_the_api_has_no_secret_and_is_still_yaml() -> None:
    text = good(TREE + "# xoxb-SECRET-9 was the old one\n").text
    assert "SECRET" not in text
    tree = reference.safe_load(text)
    assert tree["global"]["slack_app_token"] == "<secret>"
    assert tree["route"]["routes"][0]["receiver"] == "pay"
    assert tree["receivers"][1]["webhook_configs"][0]["max_alerts"] == 10


@pytest.mark.parametrize(
    "broken",
    [
        TREE.replace("slack_app_token:", "slack_app_tokn:"),
        TREE.replace("credentials:", "credential:"),
        TREE.replace("xoxb-SECRET-1", "a: SECRET-1"),
        TREE.replace("xoxb-SECRET-1", "'SECRET-1"),
        TREE.replace("xoxb-SECRET-1", "\n    SECRET-1: x: y"),
        TREE.replace("xoxb-SECRET-1", "|\n    SECRET-1\n  x: [y"),
        TREE.replace("xoxb-SECRET-1", "[SECRET-1]"),
        TREE.replace("xoxb-SECRET-1", "SECRET-1\n  slack_app_token: SECRET-8"),
        TREE.replace("{credentials: SECRET-4}", "{credentials: SECRET-4"),
        TREE.replace("{credentials: SECRET-4}", "[SECRET-4]"),
        TREE.replace("hooks.example", "hooks.example:port"),
        TREE.replace("https://user", "user"),
        TREE.replace("username: ana", "usrname: ana"),
        TREE.replace("credentials: SECRET-4", "SECRET-4"),
        TREE.replace("{basic_auth", "{basic"),
    ],
)
def test_no_problem_shows_a_secret(broken: str) -> None:
    assert [p for p in found(broken) if p.severity == "error"]


def test_the_caret_still_points_at_the_word() -> None:
    (problem,) = found(TREE.replace("slack_app_token:", "slack_app_tokn:"))
    assert pointed(problem) == "slack_app_tokn"
    assert problem.source == "  slack_app_tokn: <secret>"
    text = SHORT.replace("receiver: all", "receiver: al")
    (problem, _) = found(text)
    assert pointed(problem) == "al"


_SECRET = re.compile(r"SECRET-\d")


@given(
    st.integers(0, len(TREE)), st.integers(1, 12), st.sampled_from(["", " ", "\n", "\n    ", "["])
)
def test_a_file_with_a_piece_torn_out_still_keeps_its_secrets(
    start: int, size: int, instead: str
) -> None:
    routing, problems = parse_routes(TREE[:start] + instead + TREE[start + size :])
    assert routing is not None or problems
    assert not _SECRET.search(repr(problems))
    assert routing is None or not _SECRET.search(routing.text)


_PIECES = st.sampled_from(
    [
        *("route:", "receivers:", "receiver: all", "- name: all", "matchers:", "['a=\"b\"']"),
        *("slack_configs:", "webhook_configs:", "url:", "app_token:", "- channel: x", "{", "}"),
        *("\n", "\n  ", "\n    ", " ", "[", "]", ":", "'", "continue: true", "routes:", "~"),
    ]
)


@given(st.lists(_PIECES, max_size=30).map("".join), st.booleans())
def test_any_text_gives_routes_or_problems(text: str, base: bool) -> None:
    routing, problems = parse_routes(SHORT + text if base else text)
    assert routing is not None or problems


@given(st.text(max_size=200) | st.binary(max_size=200))
def test_any_bytes_give_routes_or_problems(text: str | bytes) -> None:
    routing, problems = parse_routes(text)
    assert routing is not None or problems
