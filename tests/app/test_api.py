"""The HTTP API in process, over a store in memory: Alertmanager's v2, probes, reload."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from sre_obs.app.daemon import api
from sre_obs.app.daemon.guard import Guard
from sre_obs.model.errors import StoreFull
from sre_obs.model.problem import Location, Problem, Severity
from sre_obs.model.secret import Secret
from tests.app.web.night import NOW, World

LIMIT = 5_000
MOMENT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")


class Api:
    """The API's routes behind the guard, as the daemon serves them."""

    def __init__(self, token: str = "") -> None:
        self.world = World()
        self.problems: Sequence[Problem] = ()
        self.world.desk.reload = self._reload
        app = Starlette(routes=api.routes(self.world.desk))
        guard = Guard(app, hosts=[], token=Secret(token), max_body=LIMIT)
        self.client = TestClient(
            guard, base_url="http://127.0.0.1:9093", raise_server_exceptions=False
        )

    async def _reload(self) -> Sequence[Problem]:
        self.world.desk.reload_ok = not any(p.severity is Severity.ERROR for p in self.problems)
        return self.problems

    def fire(self, *alerts: Mapping[str, Any]) -> int:
        return self.client.post("/api/v2/alerts", json=list(alerts)).status_code

    def get(self, path: str, **params: Any) -> Any:
        answer = self.client.get(path, params=params)
        assert answer.status_code == 200, answer.text
        assert answer.headers["content-type"] == "application/json"
        return answer.json()

    def names(self, **params: Any) -> list[str]:
        return sorted(a["labels"]["alertname"] for a in self.get("/api/v2/alerts", **params))

    def silence(self, **more: Any) -> Any:
        body = {
            "matchers": [{"name": "alertname", "value": "b", "isRegex": False}],
            "startsAt": api.rfc3339(NOW),
            "endsAt": api.rfc3339(NOW + 3600),
            "createdBy": "ana",
            "comment": "deploy",
            **more,
        }
        return self.client.post("/api/v2/silences", json=body)


def alert(name: str, **labels: str) -> dict[str, Any]:
    return {"labels": {"alertname": name, **labels}}


@pytest.fixture
def served() -> Api:
    return Api()


def test_posted_alerts_are_on_disk_before_the_answer(served: Api) -> None:
    assert served.fire(alert("a"), alert("b")) == 200
    stored = [a.name for a in served.world.fake.disk.alerts.values()]
    assert sorted(stored) == ["a", "b"]


def test_the_answer_waits_for_the_disk(served: Api) -> None:
    served.world.fake.failing = StoreFull("no room on the disk")
    answer = served.client.post("/api/v2/alerts", json=[alert("a")])
    assert answer.status_code == 503
    assert "send again" in answer.json()
    assert served.world.fake.disk.alerts == {}
    served.world.fake.failing = None
    assert served.fire(alert("a")) == 200


@pytest.mark.parametrize(
    "times",
    [
        {"endsAt": "9999-12-31T23:59:59-14:00"},
        {"startsAt": "0001-01-01T01:00:00+14:00"},
        {"startsAt": "9999-12-31T23:59:59.9999999Z", "endsAt": "9999-12-31T23:59:59.9999999Z"},
    ],
)
def test_a_time_at_the_end_of_the_calendar_breaks_no_list(
    served: Api, times: dict[str, str]
) -> None:
    assert served.fire({**alert("for-ever"), **times}) == 200
    assert served.names() == ["for-ever"]
    served.get("/api/v2/alerts/groups")
    if "startsAt" not in times:
        assert served.silence(**times).status_code == 200
        served.get("/api/v2/silences")


def test_a_null_in_a_matcher_is_as_if_it_were_absent(served: Api) -> None:
    matcher = {"name": "team", "value": "x", "isRegex": None, "isEqual": None}
    assert served.silence(matchers=[matcher]).status_code == 200
    (silence,) = served.get("/api/v2/silences")
    assert silence["matchers"] == [{**matcher, "isRegex": False, "isEqual": True}]


@pytest.mark.parametrize("flag", ["isRegex", "isEqual"])
def test_a_flag_of_a_matcher_that_is_no_boolean_is_refused(served: Api, flag: str) -> None:
    answer = served.silence(matchers=[{"name": "team", "value": "x", flag: "false"}])
    assert answer.status_code == 400
    assert flag in answer.json()


def test_the_valid_rest_of_a_wrong_list_is_taken(served: Api) -> None:
    answer = served.client.post("/api/v2/alerts", json=[alert("a"), {"labels": {}}, alert("b")])
    assert answer.status_code == 400
    assert answer.json().startswith("alert 1: at least one label")
    assert served.names() == ["a", "b"]
    assert served.world.engine.counts["invalid"] == 1


@pytest.mark.parametrize("body", [b"", b"{", b"{}", b"\xff", b"null", b'"x"'])
def test_a_body_that_is_no_list_is_a_400(served: Api, body: bytes) -> None:
    answer = served.client.post("/api/v2/alerts", content=body)
    assert answer.status_code == 400
    assert isinstance(answer.json(), str)


@pytest.mark.parametrize("path", ["/api/v2/alerts", "/api/v2/silences"])
@pytest.mark.parametrize("honest", [True, False])
def test_a_body_beyond_the_limit_is_a_413(served: Api, path: str, honest: bool) -> None:
    body = json.dumps([alert("x" * 100) for _ in range(100)]).encode()
    pieces = (body[i : i + 1000] for i in range(0, len(body), 1000))
    answer = served.client.post(path, content=body if honest else pieces)
    assert answer.status_code == 413
    assert served.names() == []


def test_an_alert_has_the_shape_that_clients_read(served: Api) -> None:
    served.fire(
        {
            **alert("a", team="team-shop"),
            "annotations": {"summary": "s"},
            "generatorURL": "http://prom.example.com/g",
            "startsAt": api.rfc3339(NOW - 60),
        }
    )
    (found,) = served.get("/api/v2/alerts")
    assert found["labels"] == {"alertname": "a", "team": "team-shop"}
    assert found["annotations"] == {"summary": "s"}
    assert found["receivers"] == [{"name": "shop"}]
    assert found["generatorURL"] == "http://prom.example.com/g"
    assert found["status"] == {
        "state": "active",
        "silencedBy": [],
        "inhibitedBy": [],
        "mutedBy": [],
    }
    assert found["startsAt"] == api.rfc3339(NOW - 60)
    assert re.fullmatch(r"[0-9a-f]{16}", found["fingerprint"])
    for name in ("startsAt", "endsAt", "updatedAt"):
        assert MOMENT.fullmatch(found[name]), name


def test_what_is_resolved_is_not_listed(served: Api) -> None:
    served.fire(alert("a"), alert("b"))
    served.fire({**alert("a"), "endsAt": api.rfc3339(NOW - 1)})
    assert served.names() == ["b"]


def test_alerts_are_filtered_by_label_receiver_and_state(served: Api) -> None:
    served.fire(alert("a", team="team-shop"), alert("b", team="team-payments"), alert("c"))
    served.silence()
    assert served.names() == ["a", "b", "c"]
    assert served.names(silenced="false") == ["a", "c"]
    assert served.names(active="false") == ["b"]
    assert served.names(active="false", silenced="false") == []
    assert served.names(filter='team="team-shop"') == ["a"]
    assert served.names(filter=['team!=""', "alertname=~b|c"]) == ["b"]
    assert served.names(receiver="shop|payments") == ["a", "b"]
    assert served.names(receiver="sho") == []
    (silenced,) = served.get("/api/v2/alerts", active="false")
    assert silenced["status"]["state"] == "suppressed"
    assert len(silenced["status"]["silencedBy"]) == 1


@pytest.mark.parametrize("path", ["/api/v2/alerts", "/api/v2/alerts/groups", "/api/v2/silences"])
@pytest.mark.parametrize("wrong", ["=x", 'a=~"("', "a=b=~", "{"])
def test_a_wrong_filter_is_a_400_in_words(served: Api, path: str, wrong: str) -> None:
    answer = served.client.get(path, params={"filter": wrong})
    assert answer.status_code == 400
    assert answer.json()


def test_a_wrong_receiver_pattern_is_a_400(served: Api) -> None:
    served.fire(alert("a"))
    assert served.client.get("/api/v2/alerts", params={"receiver": "("}).status_code == 400


def test_groups_hold_the_alerts_that_were_asked_for(served: Api) -> None:
    served.fire(alert("a", pod="1"), alert("a", pod="2"), alert("b"))
    groups = served.get("/api/v2/alerts/groups")
    found = {g["labels"]["alertname"]: len(g["alerts"]) for g in groups}
    assert found == {"a": 2, "b": 1}
    assert {g["receiver"]["name"] for g in groups} == {"platform"}
    (one,) = served.get("/api/v2/alerts/groups", filter='pod="2"')
    assert [a["labels"]["pod"] for a in one["alerts"]] == ["2"]


def test_receivers_are_named(served: Api) -> None:
    names = [r["name"] for r in served.get("/api/v2/receivers")]
    assert names == ["payments", "shop", "platform", "nobody"]


def test_the_status_shows_version_uptime_and_the_routes_without_secrets(served: Api) -> None:
    status = served.get("/api/v2/status")
    assert status["versionInfo"]["version"] == "0.1.0"
    assert status["cluster"]["status"] == "disabled"
    assert MOMENT.fullmatch(status["uptime"])
    assert "receiver: platform" in status["config"]["original"]
    assert "xoxb" not in json.dumps(status)
    assert "oncall.example.com" not in json.dumps(status)


def test_a_silence_is_added_changed_and_ended_and_each_step_is_audited(served: Api) -> None:
    added = served.silence()
    assert added.status_code == 200
    id_ = added.json()["silenceID"]
    found = served.get(f"/api/v2/silence/{id_}")
    assert found["status"] == {"state": "active"}
    assert found["matchers"] == [
        {"name": "alertname", "value": "b", "isRegex": False, "isEqual": True}
    ]
    for name in ("startsAt", "endsAt", "updatedAt"):
        assert MOMENT.fullmatch(found[name]), name
    longer = served.silence(id=id_, endsAt=api.rfc3339(NOW + 7200), comment="longer")
    assert longer.json()["silenceID"] == id_
    assert served.get(f"/api/v2/silence/{id_}")["comment"] == "longer"
    assert served.client.delete(f"/api/v2/silence/{id_}").status_code == 200
    assert served.get(f"/api/v2/silence/{id_}")["status"] == {"state": "expired"}
    assert served.client.delete(f"/api/v2/silence/{id_}").status_code == 200
    log = [(e.action, e.who, e.subject) for e in served.world.fake.audit()]
    assert log == [
        ("silence.expire", "ana", id_),
        ("silence.add", "ana", id_),
        ("silence.add", "ana", id_),
    ]


def test_other_matchers_make_another_silence_and_end_the_old_one(served: Api) -> None:
    old = served.silence().json()["silenceID"]
    served.world.clock.at += 1
    matchers = [{"name": "alertname", "value": "c", "isRegex": False}]
    new = served.silence(id=old, matchers=matchers).json()["silenceID"]
    assert new != old
    states = {s["id"]: s["status"]["state"] for s in served.get("/api/v2/silences")}
    assert states == {old: "expired", new: "active"}


def test_the_plural_path_ends_a_silence_too(served: Api) -> None:
    id_ = served.silence().json()["silenceID"]
    assert served.client.delete(f"/api/v2/silences/{id_}").status_code == 200
    assert served.get(f"/api/v2/silence/{id_}")["status"]["state"] == "expired"


def test_silences_are_found_by_their_matchers_and_sorted_by_state_and_end(served: Api) -> None:
    def add(name: str, start: float, end: float) -> str:
        matchers = [
            {"name": "alertname", "value": name, "isRegex": False},
            {"name": "severity", "value": "crit.*", "isRegex": True, "isEqual": False},
        ]
        answer = served.silence(
            matchers=matchers, startsAt=api.rfc3339(NOW + start), endsAt=api.rfc3339(NOW + end)
        )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["silenceID"])

    later, long, short = add("a", 100, 200), add("b", 0, 900), add("c", 0, 300)
    found = [s["id"] for s in served.get("/api/v2/silences")]
    assert found == [short, long, later]
    assert served.get("/api/v2/silences", filter="alertname=b")[0]["id"] == long
    assert served.get("/api/v2/silences", filter="alertname=x") == []
    assert [m["isEqual"] for m in served.get(f"/api/v2/silence/{long}")["matchers"]] == [
        True,
        False,
    ]


@pytest.mark.parametrize(
    "wrong",
    [
        {"matchers": []},
        {"matchers": None},
        {"matchers": [5]},
        {"matchers": [{"name": "a", "value": 5, "isRegex": False}]},
        {"matchers": [{"name": "a", "value": "(", "isRegex": True}]},
        {"matchers": [{"name": "a", "value": "", "isRegex": False}]},
        {"matchers": [{"name": "a", "value": ".*", "isRegex": True}]},
        {"endsAt": None},
        {"endsAt": "tomorrow"},
        {"endsAt": "2026-11-25T03:20:00"},
        {"endsAt": 5},
        {"endsAt": "2020-01-01T00:00:00Z"},
        {"comment": ""},
        {"createdBy": ""},
    ],
)
def test_a_wrong_silence_is_a_400_in_words(served: Api, wrong: dict[str, Any]) -> None:
    answer = served.silence(**wrong)
    assert answer.status_code == 400, answer.text
    assert isinstance(answer.json(), str)
    assert served.get("/api/v2/silences") == []


@pytest.mark.parametrize("body", [b"", b"[", b"[]", b"5"])
def test_a_silence_that_is_no_object_is_a_400(served: Api, body: bytes) -> None:
    assert served.client.post("/api/v2/silences", content=body).status_code == 400


def test_a_silence_that_is_not_there_is_a_404(served: Api) -> None:
    assert served.client.get("/api/v2/silence/none").status_code == 404
    assert served.client.delete("/api/v2/silence/none").status_code == 404
    assert served.silence(id="none").status_code == 404


def test_a_silence_is_not_promised_while_the_disk_refuses(served: Api) -> None:
    served.world.fake.failing = StoreFull("no room on the disk")
    assert served.silence().status_code == 503


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("HEAD", "/api/v2/alerts", 200),
        ("HEAD", "/-/ready", 200),
        ("PUT", "/api/v2/alerts", 405),
        ("DELETE", "/api/v2/alerts", 405),
        ("PATCH", "/api/v2/silence/x", 405),
        ("GET", "/-/reload", 405),
        ("POST", "/api/v2/status", 405),
        ("GET", "/api/v1/alerts", 404),
        ("GET", "/api/v2/", 404),
    ],
)
def test_other_methods_and_paths(served: Api, method: str, path: str, status: int) -> None:
    answer = served.client.request(method, path)
    assert answer.status_code == status
    if method == "HEAD":
        assert answer.content == b""


def test_every_route_is_behind_the_guard() -> None:
    locked = Api(token="t")
    for route in api.routes(locked.world.desk):
        path = route.path.replace("{id}", "x")
        for method in sorted((route.methods or set()) - {"HEAD"}):
            own = locked.client.request(method, path)
            strange = locked.client.request(method, path, headers={"host": "evil.example"})
            assert strange.status_code == 421, path
            assert own.headers["x-content-type-options"] == "nosniff", path
            if path.startswith("/-/") and path != "/-/reload":
                assert own.status_code == 200, path
                continue
            assert own.status_code == 401, path
            known = {"authorization": "Bearer t"}
            assert locked.client.request(method, path, headers=known).status_code not in (401, 421)
            if method != "GET":
                foreign = {**known, "origin": "https://evil.example"}
                assert locked.client.request(method, path, headers=foreign).status_code == 403


def test_a_probe_says_why_it_fails(served: Api) -> None:
    assert served.client.get("/-/ready").text == "OK"
    served.world.fake._timer = served.world.clock.timer
    served.world.fake.failing = StoreFull("no room on the disk")
    served.fire(alert("a"))
    ready = served.client.get("/-/ready")
    assert ready.status_code == 503
    assert "no room on the disk" in ready.text
    assert served.client.get("/-/healthy").status_code == 200
    served.world.clock.at += 60
    healthy = served.client.get("/-/healthy")
    assert healthy.status_code == 503
    assert "stuck for 60 s" in healthy.text


def test_a_stopping_daemon_is_not_ready(served: Api) -> None:
    served.world.desk.draining = True
    assert served.client.get("/-/ready").text == "stopping"


def test_a_reload_that_is_refused_says_where(served: Api) -> None:
    where = Location("routes.yml", 3, 5)
    served.problems = [Problem("routes/unknown-key", Severity.ERROR, where, "no such key")]
    answer = served.client.post("/-/reload")
    assert answer.status_code == 500
    words = "a reload was refused; the old configuration runs on"
    assert answer.json() == f"{words}: routes.yml:3:5: no such key"
    served.problems = [Problem("routes/unused", Severity.WARNING, where, "nobody uses it")]
    answer = served.client.post("/-/reload")
    assert answer.status_code == 200
    assert answer.json() == {"problems": ["routes.yml:3:5: nobody uses it"]}
