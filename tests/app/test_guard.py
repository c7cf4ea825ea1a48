"""Who may call: Host, Origin, token, size."""

from __future__ import annotations

import base64

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from sre_obs.app.daemon.guard import BodyTooLarge, Guard
from sre_obs.model.secret import Secret


async def echo(request: Request) -> PlainTextResponse:
    try:
        return PlainTextResponse(str(len(await request.body())))
    except BodyTooLarge:
        return PlainTextResponse("too large", 413)


def client(token: str = "", host: str = "127.0.0.1:9093") -> TestClient:
    paths = [Route(p, echo, methods=["GET", "POST"]) for p in ("/", "/-/healthy")]
    guard = Guard(
        Starlette(routes=paths), hosts=["alerts.example.org"], token=Secret(token), max_body=100
    )
    return TestClient(guard, base_url=f"http://{host}")


@pytest.mark.parametrize("host", ["127.0.0.1:9093", "localhost", "alerts.example.org", "[::1]:1"])
def test_known_names_are_served(host: str) -> None:
    assert client(host=host).get("/").status_code == 200


def test_a_name_that_was_pointed_at_us_is_refused() -> None:
    assert client(host="evil.example.com").get("/").status_code == 421


def test_another_sites_form_is_refused_and_our_own_is_not() -> None:
    evil = client().post("/", headers={"origin": "http://evil.example.com"})
    null = client().post("/", headers={"origin": "null"})
    ours = client().post("/", headers={"origin": "http://127.0.0.1:9093"})
    none = client().post("/")
    assert (evil.status_code, null.status_code) == (403, 403)
    assert (ours.status_code, none.status_code) == (200, 200)


def test_with_a_token_only_its_bearer_comes_in_and_probes_need_none() -> None:
    guarded = client("s3cret")
    basic = base64.b64encode(b"anyone:s3cret").decode()
    assert guarded.get("/").status_code == 401
    assert guarded.get("/", headers={"authorization": "Bearer wrong"}).status_code == 401
    assert guarded.get("/", headers={"authorization": "Basic %%%"}).status_code == 401
    assert guarded.get("/", headers={"authorization": "Bearer s3cret"}).status_code == 200
    assert guarded.get("/", headers={"authorization": f"Basic {basic}"}).status_code == 200
    assert guarded.get("/-/healthy").status_code == 200


def test_a_large_body_is_refused_with_and_without_an_honest_length() -> None:
    honest = client().post("/", content=b"x" * 101)
    streamed = client().post("/", content=iter([b"x" * 60, b"x" * 60]))
    assert honest.status_code == 413
    assert streamed.status_code == 413
    assert client().post("/", content=b"x" * 100).text == "100"


def test_every_answer_carries_the_content_security_policy() -> None:
    for answer in (client().get("/"), client(host="evil.example.com").get("/")):
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["x-content-type-options"] == "nosniff"


def test_headers_that_are_nonsense_are_refused_and_no_error_of_ours() -> None:
    odd = client().post("/", headers={"origin": "http://[x"})
    assert odd.status_code == 403
    assert "content-security-policy" in odd.headers
    header = {b"authorization": b"Basic \xff\xff"}
    assert client("s3cret").get("/", headers=header).status_code == 401  # type: ignore[arg-type]
