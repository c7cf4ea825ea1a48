"""A storm is shut up: our own command and Debian's amtool, against a running daemon."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from sre_obs.adapters.store.sqlite import SqliteStore
from tests.cli.typed import Typed, type_there
from tests.daemon import Daemon, fire
from tests.receiver import Receiver

# amtool is one of the Debian packages of that tier.
pytestmark = pytest.mark.crash

ROUTES = """\
route: {{receiver: hook, group_by: [alertname], group_wait: 0s, group_interval: 1s}}
receivers:
  - name: hook
    webhook_configs: [{{url: "{url}"}}]
"""


class Site:
    """A daemon, its receiver, and the two commands that speak to it."""

    def __init__(self, folder: Path, daemon: Daemon, hook: Receiver) -> None:
        self.folder, self.daemon, self.hook = folder, daemon, hook

    def ours(self, line: str) -> Typed:
        done = type_there(f"sre-obs silence {line} --url {self.daemon.url}", self.folder)
        assert done.code == 0, done.err
        return done

    def amtool(self, *arguments: str) -> str:
        command = shutil.which("amtool")
        if command is None:
            pytest.fail("amtool is missing: apt-get install prometheus-alertmanager")
        clean = {k: v for k, v in os.environ.items() if not k.lower().endswith("_proxy")}
        done = subprocess.run(
            [command, f"--alertmanager.url={self.daemon.url}", *arguments],
            cwd=self.folder,
            env={**clean, "HOME": str(self.folder)},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def states(self) -> dict[str, str]:
        found = self.daemon.get("/api/v2/alerts")
        return {a["labels"]["alertname"]: a["status"]["state"] for a in found}

    def audit(self) -> list[tuple[str, str, str]]:
        """Action, subject and who, oldest first, as they are on disk when it has stopped."""
        assert self.daemon.stop() == 0
        store = SqliteStore(self.folder / "data" / "state.db", timer=time.monotonic)
        with closing(store):
            return [(e.action, e.subject, e.who) for e in reversed(store.audit())]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Receiver() as hook, Daemon(tmp_path, ROUTES.format(url=hook.url)) as daemon:
        yield Site(tmp_path, daemon, hook)


def test_a_silence_of_ours_hides_alerts_until_it_is_expired(site: Site) -> None:
    site.daemon.alert(fire("a", team="shop"))
    site.hook.wait(1)
    added = site.ours("add team=shop -d 1h -c 'deploy 4711' -a ana")
    id_ = added.out.strip()
    assert "hides 1 now: a; until " in added.err
    assert site.states() == {"a": "suppressed"}
    site.daemon.alert(fire("b", team="shop"), fire("c"))
    site.hook.wait(2)
    listed = site.ours("query").out
    assert id_ in listed
    assert 'team="shop"' in listed
    assert "ana: deploy 4711" in listed
    (found,) = json.loads(site.ours("query team=shop -o json").out)
    assert found["status"]["state"] == "active"
    assert site.ours(f"expire {id_}").out == f"expired {id_}\n"
    told = [call.names for call in site.hook.wait(3)]
    assert told == [["a"], ["c"], ["b"]]
    assert site.ours("query").err == "no silences\n"
    assert id_ in site.ours("query --expired").out
    assert site.audit() == [("silence.add", id_, "ana"), ("silence.expire", id_, "ana")]


def test_a_silence_that_is_not_there_is_told(site: Site) -> None:
    done = type_there(f"sre-obs silence expire none --url {site.daemon.url}", site.folder)
    assert done.code == 1
    assert "404" in done.err


def test_amtool_adds_and_reads_alerts(site: Site) -> None:
    site.amtool("alert", "add", "alertname=disk", "node=n1", "--annotation=summary=full")
    (alert,) = site.hook.wait(1)[0].body["alerts"]
    assert alert["labels"] == {"alertname": "disk", "node": "n1"}
    found: list[dict[str, Any]] = json.loads(site.amtool("alert", "query", "-o", "json"))
    assert [a["labels"]["alertname"] for a in found] == ["disk"]
    assert "disk" in site.amtool("alert", "query", "node=n1")
    assert "disk" in site.amtool("alert", "query", "-o", "extended", "node=~n.")
    assert json.loads(site.amtool("alert", "query", "-o", "json", "node=n2")) == []
    assert json.loads(site.amtool("alert", "query", "-o", "json", "--receiver=hook"))


def test_amtool_silences(site: Site) -> None:
    site.daemon.alert(fire("a", team="shop"))
    site.hook.wait(1)
    arguments = ("add", "-a", "ana", "-c", "deploy", "-d", "1h")
    id_ = site.amtool("silence", *arguments, "team=shop", "alertname=~a|b").strip()
    assert site.states() == {"a": "suppressed"}
    assert "a" in site.amtool("alert", "query", "--silenced")
    (found,) = json.loads(site.amtool("silence", "query", "-o", "json"))
    assert found["id"] == id_
    assert found["status"]["state"] == "active"
    assert id_ in site.amtool("silence", "query", "team=shop")
    assert id_ not in site.amtool("silence", "query", "team=other")
    changed = site.amtool("silence", "update", "-d", "2h", "-c", "longer", id_)
    assert id_ in changed
    site.amtool("silence", "expire", id_)
    assert site.states() == {"a": "active"}
    assert id_ in site.amtool("silence", "query", "--expired", "-q")
    assert [action for action, _, _ in site.audit()] == [
        "silence.add",
        "silence.add",
        "silence.expire",
    ]


def test_amtool_imports_silences(site: Site) -> None:
    end = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + 3600))
    silence = {
        "matchers": [{"name": "team", "value": "shop", "isRegex": False, "isEqual": True}],
        "startsAt": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - 60)),
        "endsAt": end,
        "createdBy": "ana",
        "comment": "import",
    }
    (site.folder / "silences.json").write_text(json.dumps([silence]))
    site.amtool("silence", "import", "silences.json", "--force")
    assert "import" in site.amtool("silence", "query", "-o", "extended")


def test_amtool_shows_our_configuration_and_reads_our_routes(site: Site) -> None:
    shown = site.amtool("config", "show")
    assert "receiver: hook" in shown
    assert site.hook.url not in shown
    # From the file: amtool 0.25 can't read a webhook's masked address, as newer ones do.
    file = f"--config.file={site.daemon.routes}"
    assert "hook" in site.amtool("config", "routes", "show", file)
    assert site.amtool("config", "routes", "test", file, "alertname=a").strip() == "hook"
    assert "SUCCESS" in site.amtool("check-config", str(site.daemon.routes))


def test_amtool_and_our_own_command_see_the_same_silences(site: Site) -> None:
    id_ = site.ours("add 'team=~\"sh.p\"' severity!=critical -d 30m -c why").out.strip()
    assert id_ in site.amtool("silence", "query", "-q")
    site.amtool("silence", "expire", id_)
    assert site.ours("query").err == "no silences\n"
