"""What goes wrong on request: each fault as slack_sdk meets it, and what was stored."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.client import RemoteDisconnected

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from sre_obs.app.demo.slack_standin import Fault, FaultKind, StandIn

POST = "chat.postMessage"


@pytest.fixture
def standin() -> Iterator[StandIn]:
    with StandIn(["alerts", "other"]) as server:
        yield server


def client_of(standin: StandIn, timeout: int = 10) -> WebClient:
    return WebClient("xoxb-stand-in", base_url=standin.api_url, timeout=timeout, retry_handlers=[])


def post(client: WebClient, text: str = "x", channel: str = "#alerts") -> str:
    return str(client.chat_postMessage(channel=channel, text=text)["ts"])


def texts(standin: StandIn) -> list[str]:
    return [m.text for m in standin.messages()]


@pytest.mark.parametrize(
    ("fault", "status", "stored"),
    [
        (Fault.rate_limited(3), 429, False),
        (Fault.http(500), 500, False),
        (Fault.http(503), 503, False),
        (Fault.http(500, after=True), 500, True),
        (Fault.refused("token_revoked"), 200, False),
        (Fault.refused("internal_error", after=True), 200, True),
        (Fault.garbled(), 200, False),
    ],
)
def test_an_answer_that_goes_wrong_reaches_the_client_once_and_the_next_call_is_fine(
    standin: StandIn, fault: Fault, status: int, stored: bool
) -> None:
    client = client_of(standin)
    standin.fail_next(POST, fault)

    with pytest.raises(SlackApiError) as caught:
        post(client, "first")
    assert caught.value.response.status_code == status
    post(client, "second")
    assert texts(standin) == (["first", "second"] if stored else ["second"])
    assert [c.fault for c in standin.calls] == [fault.kind, None]


def test_a_429_says_in_whole_seconds_when_to_come_back(standin: StandIn) -> None:
    standin.fail_next(POST, Fault.rate_limited(3))

    with pytest.raises(SlackApiError) as caught:
        post(client_of(standin))
    assert caught.value.response.headers["Retry-After"] == "3"
    assert caught.value.response["error"] == "ratelimited"


@pytest.mark.parametrize("after", [False, True])
def test_a_dropped_connection_is_the_same_to_the_client_whether_it_was_taken_or_not(
    standin: StandIn, after: bool
) -> None:
    standin.fail_next(POST, Fault.drop(after=after))

    with pytest.raises(RemoteDisconnected):
        post(client_of(standin))
    assert texts(standin) == (["x"] if after else [])
    (call,) = standin.calls
    assert (call.status, bool(call.ts)) == (0, after)


def test_slack_sdks_own_retry_posts_twice_after_a_lost_answer(standin: StandIn) -> None:
    standin.fail_next(POST, Fault.drop(after=True))

    WebClient("xoxb-stand-in", base_url=standin.api_url).chat_postMessage(
        channel="#alerts", text="x"
    )
    assert texts(standin) == ["x", "x"]


@pytest.mark.parametrize(("fault", "stored"), [(Fault.hang(60), False), (Fault.slow(60), True)])
def test_a_call_that_gets_no_answer_in_time_may_or_may_not_have_been_taken(
    standin: StandIn, fault: Fault, stored: bool
) -> None:
    standin.fail_next(POST, fault)

    with pytest.raises(TimeoutError):
        post(client_of(standin, timeout=1))
    assert texts(standin) == (["x"] if stored else [])


def test_closing_ends_what_hangs(standin: StandIn) -> None:
    standin.fail_next(POST, Fault.hang(3600))
    ended = threading.Event()

    def call() -> None:
        with pytest.raises(RemoteDisconnected):
            post(client_of(standin))
        ended.set()

    caller = threading.Thread(target=call)
    gate = standin.block(POST)
    caller.start()
    assert gate.wait_reached()
    gate.release()
    standin.close()
    caller.join(10)
    assert ended.is_set()


@pytest.mark.parametrize("after", [False, True])
def test_a_gate_holds_one_call_midway_until_released(standin: StandIn, after: bool) -> None:
    gate = standin.block(POST, after=after)
    caller = threading.Thread(target=post, args=(client_of(standin),))
    caller.start()

    assert gate.wait_reached()
    assert texts(standin) == (["x"] if after else [])
    assert standin.calls == ()
    post(client_of(standin), "others pass")
    gate.release()
    caller.join(10)
    assert sorted(texts(standin)) == ["others pass", "x"]
    assert standin.wait_calls(2, method=POST)


def test_faults_come_in_order_and_touch_only_their_method(standin: StandIn) -> None:
    standin.fail_next(POST, Fault.http(500), times=2)
    standin.fail_next(POST, Fault.refused("fatal_error"))
    client = client_of(standin)

    client.auth_test()
    for _ in range(3):
        with pytest.raises(SlackApiError):
            post(client)
    post(client)
    kinds = [c.fault for c in standin.calls if c.method == POST]
    assert kinds == [FaultKind.STATUS, FaultKind.STATUS, FaultKind.ERROR, None]


class Moved:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.at = 0.0

    def now(self) -> float:
        return 1_700_000_000.0 + self.at

    def timer(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here waits")


def test_with_rate_limits_a_channel_takes_a_burst_and_then_one_message_a_second() -> None:
    clock = Moved()
    with StandIn(["alerts", "other"], clock=clock, rate_limits=True) as standin:
        client = client_of(standin)
        for _ in range(5):
            post(client)
        with pytest.raises(SlackApiError) as caught:
            post(client)
        assert caught.value.response.headers["Retry-After"] == "1"
        post(client, channel="#other")
        clock.at += 1.0
        post(client)
        with pytest.raises(SlackApiError):
            post(client)
    assert len(standin.messages("alerts")) == 6


def test_without_rate_limits_a_hundred_messages_pass(standin: StandIn) -> None:
    client = client_of(standin)

    assert len({post(client) for _ in range(100)}) == 100
