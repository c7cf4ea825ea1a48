"""`sre-obs run` as a process: start, reload, drain, two ports, logs, secrets."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import ProxyHandler, Request, build_opener

import pytest
from pytest_httpserver import HTTPServer

from sre_obs.adapters.clock import ScaledClock
from sre_obs.app.daemon.daemon import Daemon as InThisProcess
from sre_obs.app.settings import Settings
from sre_obs.app.wiring import build
from tests.cli.typed import type_there
from tests.crash.waiting import until
from tests.daemon import Daemon, fire, message
from tests.receiver import Receiver

ROUTES = """\
route: {{receiver: {name}, group_by: [alertname], group_wait: 0s, group_interval: 1s}}
receivers:
  - name: {name}
    webhook_configs: [{{url: "{url}"}}]
"""

RULE = """\
title: Something
kind: query
index: logs-app-*
query: 'level: error'
from: now-5m
interval: 1s
severity: warning
owner: shop
"""

# Each starts a process or two: too slow among the tests that need none.
pytestmark = pytest.mark.crash

_open = build_opener(ProxyHandler({})).open


def routes(receiver: Receiver, name: str = "hook") -> str:
    return ROUTES.format(name=name, url=receiver.url)


def said(daemon: Daemon) -> list[str]:
    """The messages of its log so far."""
    return [message(line) for line in daemon.log]


def test_routes_a_folder_and_an_address_are_enough(tmp_path: Path) -> None:
    with Receiver() as hook:
        text = routes(hook) + "  - name: spare\n"
        with Daemon(tmp_path, text) as daemon:
            assert daemon.request("GET", "/-/ready") == (200, "OK")
            assert daemon.alert(fire("a")) == 200
            assert hook.wait(1)[0].names == ["a"]
            lines = said(daemon)
            assert daemon.stop() == 0
    assert lines[0] == f"store   {tmp_path}/data/state.db: 0 waiting, 0 ambiguous"
    assert lines[1].startswith("webhook hook: 127.0.0.1:")
    assert lines[2] == "rules   none: a router for alerts that others send"
    assert "warning: no route uses the receiver" in lines[3]
    assert lines[4] == f"ready   {daemon.url}"


def test_an_alert_sent_again_with_a_later_start_is_the_same_alert(tmp_path: Path) -> None:
    with Receiver() as hook, Daemon(tmp_path, routes(hook)) as daemon:
        daemon.alert({**fire("a"), "startsAt": "2026-11-24T06:00:00Z"})
        hook.wait(1)
        daemon.alert({**fire("a"), "startsAt": "2026-11-24T06:05:00Z"})
        daemon.alert(fire("b"))
        calls = hook.wait(2)
        (one,) = (a for a in daemon.get("/api/v2/alerts") if a["labels"]["alertname"] == "a")
    assert sorted(name for call in calls for name in call.names) == ["a", "b"]
    assert one["startsAt"] == "2026-11-24T06:00:00.000Z"


def test_rules_without_a_cluster_are_told_and_the_router_runs(tmp_path: Path) -> None:
    (tmp_path / "rules" / "app").mkdir(parents=True)
    (tmp_path / "rules" / "app" / "errors.yml").write_text(RULE)
    with Daemon(tmp_path, arguments=["--rules", "rules"]) as daemon:
        assert daemon.request("GET", "/-/ready")[0] == 200
    lines = said(daemon)
    assert "rules   0 run" in lines
    assert "        1 can't run: set sources.default.hosts" in lines


def test_the_second_port_serves_probes_and_metrics_and_nothing_else(tmp_path: Path) -> None:
    with (
        Receiver() as hook,
        Daemon(tmp_path, routes(hook), arguments=["--probe-listen", "127.0.0.1:0"]) as daemon,
    ):
        found = re.search(r"probes (http://\S+)", next(s for s in said(daemon) if "probes" in s))
        assert found
        main, daemon.url = daemon.url, found[1]
        for path in ("/-/healthy", "/-/ready", "/metrics"):
            assert daemon.request("GET", path)[0] == 200, path
        for path in ("/", "/api/v2/status", "/api/v2/alerts", "/about", "/rules"):
            assert daemon.request("GET", path)[0] == 404, path
        assert daemon.request("POST", "/-/reload")[0] == 404
        assert daemon.request("POST", "/api/v2/alerts", b"[]")[0] == 404
        daemon.url = main
        assert daemon.request("GET", "/metrics")[0] == 200


@pytest.mark.parametrize("how", ["signal", "post"])
def test_a_reload_takes_effect_and_one_that_is_wrong_keeps_the_old(
    tmp_path: Path, how: str
) -> None:
    def reload(daemon: Daemon) -> str:
        seen = len(daemon.log)
        if how == "post":
            return daemon.request("POST", "/-/reload")[1]
        daemon.signal(signal.SIGHUP)
        until(lambda: any("reload" in s for s in said(daemon)[seen:]))
        return "\n".join(daemon.log[seen:])

    with Receiver() as one, Receiver() as two, Daemon(tmp_path, routes(one)) as daemon:
        daemon.alert(fire("a"))
        one.wait(1)
        daemon.routes.write_text(routes(two) + "  - nme: x\n")
        assert f"{daemon.routes}:5:5: " in reload(daemon)
        daemon.alert(fire("b"))
        assert one.wait(2)[1].names == ["b"]
        daemon.routes.write_text(routes(two, "other"))
        reload(daemon)
        until(lambda: [r["name"] for r in daemon.get("/api/v2/receivers")] == ["other"])
        daemon.alert(fire("c"))
        until(lambda: [c for c in two.calls if "c" in c.names])
        assert all("c" not in call.names for call in one.calls)


def test_a_reload_takes_rules_over_and_a_broken_file_keeps_its_old_rule(tmp_path: Path) -> None:
    folder = tmp_path / "rules" / "app"
    folder.mkdir(parents=True)
    (folder / "errors.yml").write_text(RULE)
    arguments = ["--rules", "rules"]
    with Daemon(tmp_path, arguments=arguments) as daemon:

        def shown() -> list[str]:
            return sorted(rule["id"] for rule in daemon.get("/rules.json")["rules"])

        assert shown() == ["app/errors"]
        (folder / "more.yml").write_text(RULE)
        assert daemon.request("POST", "/-/reload")[0] == 200
        assert shown() == ["app/errors", "app/more"]
        # One file breaks, one that never worked comes, one is mended: each for itself.
        (folder / "more.yml").write_text(RULE.replace("kind: query", "kind: qury"))
        (folder / "third.yml").write_text("title: [")
        (folder / "fourth.yml").write_text(RULE)
        status, text = daemon.request("POST", "/-/reload")
        assert status == 500
        assert "more.yml:2:7: " in text
        assert "third.yml:1:" in text
        assert shown() == ["app/errors", "app/fourth", "app/more"]
        metrics = daemon.request("GET", "/metrics")[1]
        assert "sre_obs_config_last_reload_successful 0.0" in metrics
        assert "2 files of rules are wrong" in daemon.request("GET", "/")[1]
        errors = [line for line in daemon.log if "old rule runs on" in line]
        assert len(errors) >= 2
        # Taken away, it is gone; mended, all is well again.
        (folder / "more.yml").unlink()
        (folder / "third.yml").write_text(RULE)
        assert daemon.request("POST", "/-/reload")[0] == 200
        assert shown() == ["app/errors", "app/fourth", "app/third"]
        assert "files of rules" not in daemon.request("GET", "/")[1]


def test_a_secret_that_cant_be_read_any_more_keeps_the_old_configuration(tmp_path: Path) -> None:
    token = tmp_path / "slack-token"
    token.write_text("xoxb-1")
    text = "route: {receiver: s}\nreceivers:\n  - name: s\n    slack_configs: [{channel: '#s'}]\n"
    arguments = [
        *("--slack-token-file", str(token)),
        *("--set", "slack.api_url=http://127.0.0.1:1/api/"),
    ]
    with Daemon(tmp_path, text, arguments=arguments) as daemon:
        token.unlink()
        status, answer = daemon.request("POST", "/-/reload")
        assert status == 500
        assert str(token) in answer
        assert daemon.request("GET", "/-/ready")[0] == 200


def test_the_log_is_ecs_json_from_the_first_line_to_what_libraries_say(tmp_path: Path) -> None:
    (tmp_path / "rules" / "app").mkdir(parents=True)
    (tmp_path / "rules" / "app" / "errors.yml").write_text(RULE)
    hosts = "sources.default.hosts=http://127.0.0.1:1"
    environ = {"SRE_OBS_LISTN": "127.0.0.1:1", "SRE_OBS_LOG_LEVEL": "debug"}
    with Daemon(
        tmp_path, arguments=["--rules", "rules", "--set", hosts], environ=environ
    ) as daemon:
        until(lambda: any("elastic_transport" in line for line in daemon.log))
        until(lambda: "source can't be read" in said(daemon))
        daemon.stop()
    for line in daemon.log:
        event = json.loads(line)
        assert {"@timestamp", "log.level", "message", "ecs.version"} <= set(event), line
        for name in ("error", "source"):
            assert isinstance(event.get(name, {}), dict), line
    assert said(daemon)[0].startswith("warning: no setting reads the variable SRE_OBS_LISTN")


def test_what_is_wrong_is_told_at_its_level_from_the_start_to_the_end(tmp_path: Path) -> None:
    (tmp_path / "rules" / "app").mkdir(parents=True)
    (tmp_path / "rules" / "app" / "errors.yml").write_text(RULE)
    twice = RULE.replace("kind: query", "kind: qury").replace("warning", "wrning")
    (tmp_path / "rules" / "app" / "wrong.yml").write_text(twice)
    arguments = ["--rules", "rules", "--set", "sources.default.hosts=http://127.0.0.1:1"]
    environ = {"SRE_OBS_LISTN": "127.0.0.1:1"}
    with Daemon(tmp_path, arguments=arguments, environ=environ) as daemon:
        until(lambda: "source can't be read" in said(daemon))
        status, answer = daemon.request("POST", "/-/reload")
        daemon.stop()
    levels = {event["message"]: event["log.level"] for event in map(json.loads, daemon.log)}

    def level(start: str) -> str:
        return next(level for words, level in levels.items() if words.startswith(start))

    assert level("warning: no setting reads") == "warning"
    assert level("source  ") == "error"
    assert level("rules   1 run, 1 misconfigured: ") == "warning"
    assert level("ready ") == "info"
    assert sum("wrong.yml:" in words and "  " in words for words in levels) >= 2
    assert level("source can't be read") == "error"
    assert level("reload: ") == "error"
    assert status == 500
    assert "; do: " in answer
    assert not any("Node <" in words for words in levels)
    assert list(levels)[-2:] == ["stopping", "stopped, 0 deliveries waiting"]


def test_a_person_who_asks_for_text_gets_lines(tmp_path: Path) -> None:
    with Daemon(tmp_path, arguments=["--log-format", "text"]) as daemon:
        daemon.request("POST", "/-/reload")
        daemon.stop()
    assert daemon.log[0].startswith("store   ")
    assert any(re.match(r"\d\d:\d\d:\d\d \[info *\] reloaded", line) for line in daemon.log)
    assert "\x1b" not in "".join(daemon.log)


CANARY = "canary-7f3a"


def test_no_secret_is_in_a_log_a_page_an_answer_or_the_process_list(tmp_path: Path) -> None:
    """Secrets of every kind, given in every way, while everything that uses them fails."""
    (tmp_path / "rules" / "app").mkdir(parents=True)
    (tmp_path / "rules" / "app" / "errors.yml").write_text(RULE)
    (tmp_path / "slack").write_text(f"xoxb-{CANARY}-1")
    (tmp_path / "sre-obs.yml").write_text(
        "rules: rules\nslack:\n  token_file: slack\n  api_url: http://127.0.0.1:1/api/\n"
        "sources:\n"
        f"  default:\n    hosts: ['http://ana:{CANARY}-2@127.0.0.1:1']\n"
        f"    proxy: http://ana:{CANARY}-3@127.0.0.1:1\n"
        f"  second:\n    hosts: ['http://127.0.0.1:1']\n    api_key: {CANARY}-4\n"
        f"heartbeat: {{url: 'http://127.0.0.1:1/{CANARY}-5', interval: 1s}}\n"
    )
    text = f"""\
route: {{receiver: all, group_wait: 0s, group_interval: 1s}}
receivers:
  - name: all
    slack_configs:
      - channel: "#a"
      - {{channel: "#b", app_token: xoxb-{CANARY}-6}}
    webhook_configs:
      - url: http://127.0.0.1:1/{CANARY}-7
      - url: http://127.0.0.1:1/hook
        http_config: {{authorization: {{credentials: {CANARY}-8}}}}
      - url: http://127.0.0.1:1/hook
        http_config: {{basic_auth: {{username: u, password: {CANARY}-9}}}}
"""
    token = f"{CANARY}-10"
    (tmp_path / "token").write_text(token)
    daemon = Daemon(tmp_path, text, arguments=["--token-file", "token"])
    with daemon:
        auth = {"authorization": f"Bearer {token}", "content-type": "application/json"}

        def call(method: str, path: str, body: bytes | None = None, **headers: str) -> str:
            request = Request(daemon.url + path, body, {**auth, **headers}, method=method)
            try:
                with _open(request, timeout=20) as answer:
                    return f"{answer.headers}{answer.read().decode()}"
            except HTTPError as error:
                with error:
                    return f"{error.headers}{error.read().decode()}"

        call("POST", "/api/v2/alerts", json.dumps([fire("a")]).encode())
        until(lambda: "be reached" in call("GET", "/receivers"))
        seen = [
            call("GET", path)
            for path in (
                *("/", "/rules", "/rules/app/errors", "/receivers", "/deliveries", "/silences"),
                *("/about", "/about.json", "/history", "/metrics", "/api/v2/status"),
                *("/rules.json", "/receivers.json", "/deliveries.json", "/nothing"),
                *("/api/v2/alerts", "/api/v2/alerts/groups", "/api/v2/receivers"),
            )
        ]
        seen.append(call("GET", "/", authorization="Bearer wrong"))
        daemon.routes.write_text(text.replace("url:", "ulr:"))
        seen.append(call("POST", "/-/reload"))
        (fired,) = json.loads(call("GET", "/api/v2/alerts").partition("\n\n")[2])
        seen.append(call("GET", f"/alerts/{fired['fingerprint']}"))
        process = Path(f"/proc/{daemon.pid}/cmdline").read_bytes().decode()
        tasks = Path(f"/proc/{daemon.pid}/task").glob("*/comm")
        seen += [process, *(task.read_text() for task in tasks)]
        daemon.stop()
    assert "<secret>" in "".join(seen)
    for text in (*seen, *daemon.log):
        assert CANARY not in text


def test_the_files_of_the_store_are_for_their_owner_alone(tmp_path: Path) -> None:
    with Daemon(tmp_path) as daemon:
        daemon.alert(fire("a"))
        modes = {p.name: p.stat().st_mode & 0o777 for p in (tmp_path / "data").iterdir()}
    assert modes
    assert set(modes.values()) == {0o600}


def test_the_heartbeat_is_called_while_all_is_well(tmp_path: Path, httpserver: HTTPServer) -> None:
    httpserver.expect_request("/beat").respond_with_data("")
    url = httpserver.url_for("/beat")
    environ = {"SRE_OBS_HEARTBEAT_URL": url, "SRE_OBS_HEARTBEAT_INTERVAL": "1s"}
    with Daemon(tmp_path, environ=environ) as daemon:
        until(lambda: len(httpserver.log) >= 2)
        assert 'sre_obs_heartbeats_total{outcome="ok"}' in daemon.request("GET", "/metrics")[1]


def test_the_heartbeat_is_left_out_while_a_cluster_cant_be_reached(
    tmp_path: Path, httpserver: HTTPServer
) -> None:
    (tmp_path / "rules" / "app").mkdir(parents=True)
    (tmp_path / "rules" / "app" / "errors.yml").write_text(RULE)
    httpserver.expect_request("/beat").respond_with_data("")
    environ = {
        "SRE_OBS_HEARTBEAT_URL": httpserver.url_for("/beat"),
        "SRE_OBS_HEARTBEAT_INTERVAL": "500ms",
        "SRE_OBS_SOURCES_DEFAULT_HOSTS": "http://127.0.0.1:1",
        "SRE_OBS_RULES": "rules",
    }
    with Daemon(tmp_path, environ=environ) as daemon:
        until(lambda: "heartbeat left out" in said(daemon))
        calls = len(httpserver.log)
        until(lambda: said(daemon).count("heartbeat left out") >= 3)
        assert len(httpserver.log) == calls


def test_that_a_cluster_cant_be_read_reaches_people(tmp_path: Path) -> None:
    """On a clock that is fast: two minutes of patience pass in two seconds."""
    folder = tmp_path / "rules" / "app"
    folder.mkdir(parents=True)
    (folder / "errors.yml").write_text(RULE.replace("interval: 1s", "interval: 10s"))
    with Receiver() as hook:
        (tmp_path / "routes.yml").write_text(routes(hook))
        settings = Settings.model_validate(
            {
                "data": tmp_path / "data",
                "listen": "127.0.0.1:0",
                "rules": tmp_path / "rules",
                "routes": tmp_path / "routes.yml",
                "sources": {"default": {"hosts": ["http://127.0.0.1:1"], "timeout": "1s"}},
            }
        )
        parts = build(settings, clock=ScaledClock(1_795_502_300.0, 60.0))

        async def told() -> None:
            daemon = InThisProcess(parts)
            running = asyncio.create_task(daemon.run())
            await asyncio.to_thread(hook.wait, 1)
            daemon.stop()
            await running

        asyncio.run(told())
    (alert,) = hook.calls[0].body["alerts"]
    assert alert["labels"] == {
        "alertname": "engine-blind",
        "severity": "critical",
        "source": "default",
    }
    assert "Connection refused" in alert["annotations"]["description"]


def test_once_delivers_and_ends_by_itself(tmp_path: Path) -> None:
    done = type_there("sre-obs run --once --listen 127.0.0.1:0 --data d -o json", tmp_path)
    assert done.code == 0, done.err
    assert json.loads(done.out) == {
        "rules": 0,
        "firing": 0,
        "waiting": 0,
        "outcomes": [],
        "left_out": [],
    }


def test_once_says_by_its_exit_code_that_it_could_not_search(tmp_path: Path) -> None:
    (tmp_path / "rules" / "app").mkdir(parents=True)
    (tmp_path / "rules" / "app" / "errors.yml").write_text(RULE)
    line = "sre-obs run --once --listen 127.0.0.1:0 --data d --rules rules"
    away = type_there(f"{line} --set sources.default.hosts=http://127.0.0.1:1", tmp_path)
    assert away.code == 1
    assert "not every rule could be searched for: default: " in away.err
    line_of_it = next(text for text in away.out.splitlines() if "app/errors" in text)
    assert line_of_it.startswith("stale ")
    assert "can't be reached" in line_of_it
    none = type_there(f"{line} --output json", tmp_path)
    assert none.code == 1
    told = json.loads(none.out)
    assert "default: it has no hosts" in told["error"]["message"]
    assert told["error"]["remedy"] == "set sources.default.hosts"
    assert [(ran["rule"], ran["outcome"]) for ran in told["outcomes"]] == [
        ("app/errors", "not run")
    ]


def test_once_says_that_kibanas_source_is_none_for_rules(tmp_path: Path) -> None:
    (tmp_path / "rules" / "app").mkdir(parents=True)
    (tmp_path / "rules" / "app" / "errors.yml").write_text(RULE)
    (tmp_path / "sre-obs.yml").write_text(
        "sources: {default: {from: kibana, hosts: ['http://127.0.0.1:1']}}\n"
    )
    done = type_there(
        "sre-obs run --once --listen 127.0.0.1:0 --data d --rules rules --config sre-obs.yml",
        tmp_path,
    )
    assert done.code == 1
    assert "default: it is there for Kibana's alerts alone" in done.err
    assert "  do: set the source of these rules to another than default" in done.err


def test_once_says_by_its_exit_code_that_a_file_was_left_out(tmp_path: Path) -> None:
    (tmp_path / "rules" / "app").mkdir(parents=True)
    (tmp_path / "rules" / "app" / "wrong.yml").write_text(RULE.replace("query\n", "qury\n", 1))
    line = "sre-obs run --once --dry-run --rules rules"
    text = type_there(line, tmp_path)
    assert text.code == 2, text.err
    assert "left out" in text.out
    assert "wrong.yml:2:7: " in text.out
    assert "  do: " in text.out
    told = type_there(f"{line} -o json", tmp_path)
    assert told.code == 2
    assert json.loads(told.out)["left_out"][0]["where"].endswith("wrong.yml:2:7")


def test_without_routes_it_is_said_that_alerts_are_printed(tmp_path: Path) -> None:
    done = type_there("sre-obs run --once --dry-run", tmp_path)
    assert done.code == 0
    assert "routes  none: alerts are printed here" in done.err


def test_a_dry_run_keeps_no_state_sends_nothing_and_meets_no_daemon(tmp_path: Path) -> None:
    with Receiver() as hook, Daemon(tmp_path, routes(hook)) as daemon:
        daemon.alert(fire("a"))
        hook.wait(1)
        port = daemon.url.rpartition(":")[2]
        done = type_there(
            f"sre-obs run --once --dry-run --data data --routes routes.yml "
            f"--listen 127.0.0.1:{port}",
            tmp_path,
            {"SRE_OBS_HEARTBEAT_URL": hook.url},
        )
        assert done.code == 0, done.err
    assert len(hook.calls) == 1
    assert "terminal hook: standard output" in done.err


@pytest.mark.parametrize("address", ["0.0.0.0:0", "[::]:0", "192.0.2.1:0"])
def test_strangers_are_not_served_without_a_token(tmp_path: Path, address: str) -> None:
    done = type_there(f"sre-obs run --data d --listen {address}", tmp_path)
    assert done.code == 1
    assert "no token is set" in done.err
    assert not (tmp_path / "d" / "state.db").exists()


def test_with_a_token_strangers_are_served_who_have_it(tmp_path: Path) -> None:
    environ = {"SRE_OBS_TOKEN": "t", "SRE_OBS_LISTEN": "0.0.0.0:0"}
    daemon = Daemon(tmp_path, environ=environ)
    # A flag goes before the variable, and `Daemon` has one.
    daemon._arguments = [a for a in daemon._arguments if a not in ("--listen", "127.0.0.1:0")]
    with daemon:
        daemon.url = daemon.url.replace("0.0.0.0", "127.0.0.1")
        assert daemon.request("GET", "/api/v2/alerts")[0] == 401
        assert daemon.request("GET", "/-/ready")[0] == 200
        port = daemon.url.rpartition(":")[2]
        line = f"sre-obs silence query --url http://127.0.0.1:{port}"
        assert type_there(line, tmp_path).code == 1
        assert type_there(line, tmp_path, {"SRE_OBS_TOKEN": "t"}).code == 0


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        done = type_there(f"sre-obs run --data d --listen {address} --log-format text", tmp_path)
    assert done.code == 1
    assert f"can't listen on {address}: Address already in use" in done.err
    assert "do: stop what uses that port" in done.err
