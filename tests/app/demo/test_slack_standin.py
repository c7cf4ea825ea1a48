"""The Slack stand-in through the real slack_sdk: answers, errors and limits as documented."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError

from sre_obs.app.demo.slack_standin import StandIn

METADATA = {"event_type": "sre_obs_delivery", "event_payload": {"delivery_id": "d-1"}}


class Frozen:
    """A clock that stands still unless moved."""

    def __init__(self) -> None:
        self.at = 1_700_000_000.25

    def now(self) -> float:
        return self.at

    def timer(self) -> float:
        return self.at

    async def sleep(self, seconds: float) -> None:
        raise AssertionError("nothing here waits")


@pytest.fixture
def clock() -> Frozen:
    return Frozen()


@pytest.fixture
def standin(clock: Frozen, monkeypatch: pytest.MonkeyPatch) -> Iterator[StandIn]:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with StandIn(["#alerts", "quiet"], clock=clock) as server:
        yield server


@pytest.fixture
def client(standin: StandIn) -> WebClient:
    return WebClient("xoxb-stand-in", base_url=standin.api_url, retry_handlers=[])


def refusal(call: Callable[[], object]) -> dict[str, Any]:
    """The body of the `ok: false` that `call` is answered with."""
    with pytest.raises(SlackApiError) as caught:
        call()
    data = caught.value.response.data
    assert isinstance(data, dict)
    return data


def error(call: Callable[[], object]) -> str:
    return str(refusal(call)["error"])


def section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}}


def test_auth_test_names_team_and_bot_and_the_scopes_are_in_a_header(client: WebClient) -> None:
    answer = client.auth_test()

    assert (answer["team"], answer["user"]) == ("Stand-in", "sre-obs")
    scopes = "channels:history,channels:read,chat:write,chat:write.public"
    assert answer.headers["x-oauth-scopes"] == scopes


@pytest.mark.parametrize(("token", "expected"), [("", "not_authed"), ("xoxb-x", "invalid_auth")])
def test_a_token_that_is_missing_or_wrong_is_refused(
    standin: StandIn, token: str, expected: str
) -> None:
    client = WebClient(token, base_url=standin.api_url, retry_handlers=[])

    assert error(client.auth_test) == expected
    assert error(lambda: client.chat_postMessage(channel="#alerts", text="x")) == expected


def test_an_unknown_method_is_refused(client: WebClient) -> None:
    assert error(lambda: client.api_call("chat.shout")) == "unknown_method"


def test_a_post_by_name_is_answered_with_the_channels_id_and_a_ts(
    standin: StandIn, client: WebClient
) -> None:
    by_name = client.chat_postMessage(channel="#alerts", text="one", metadata=METADATA)
    by_id = client.chat_postMessage(channel=by_name["channel"], text="two")

    assert by_name["channel"] == by_id["channel"]
    assert by_name["ts"] == "1700000000.250000"
    assert [(m.channel_name, m.text) for m in standin.messages()] == [
        ("alerts", "one"),
        ("alerts", "two"),
    ]
    assert standin.messages()[0].metadata == METADATA


def test_ts_increase_strictly_even_if_the_clock_stands_still(client: WebClient) -> None:
    stamps = [client.chat_postMessage(channel="#alerts", text=str(n))["ts"] for n in range(5)]

    assert stamps == sorted(set(stamps))


def test_a_form_body_is_understood_like_a_json_body(standin: StandIn, client: WebClient) -> None:
    form = {"channel": "alerts", "blocks": json.dumps([section("hi")])}
    client.api_call("chat.postMessage", params=form | {"metadata": json.dumps(METADATA)})

    (posted,) = standin.messages()
    assert posted.blocks[0]["text"]["text"] == "hi"
    assert posted.metadata == METADATA


def test_channels_that_the_bot_cannot_post_to_are_refused_by_name_of_the_reason(
    standin: StandIn, client: WebClient
) -> None:
    quiet = standin.workspace.find("quiet")

    def post() -> object:
        return client.chat_postMessage(channel="#quiet", text="x")

    assert error(lambda: client.chat_postMessage(channel="#none", text="x")) == "channel_not_found"
    quiet.member = False
    post()  # chat:write.public
    standin.workspace.scopes.remove("chat:write.public")
    assert error(post) == "not_in_channel"
    quiet.private = True
    assert error(post) == "channel_not_found"
    quiet.member, quiet.archived = True, True
    assert error(post) == "is_archived"


def test_replies_answer_a_parent_and_history_shows_the_parent_alone(client: WebClient) -> None:
    parent = client.chat_postMessage(channel="#alerts", text="parent")
    channel, ts = parent["channel"], parent["ts"]
    reply = client.chat_postMessage(channel=channel, thread_ts=ts, text="reply")
    loud = client.chat_postMessage(channel=channel, thread_ts=ts, text="loud", reply_broadcast=True)

    history = client.conversations_history(channel=channel)["messages"]
    thread = client.conversations_replies(channel=channel, ts=ts)["messages"]
    assert [m["ts"] for m in history] == [loud["ts"], ts]
    assert history[1]["reply_count"] == 2
    assert [m["ts"] for m in thread] == [ts, reply["ts"], loud["ts"]]
    assert thread[1]["thread_ts"] == ts

    def answer_to(ts: str) -> object:
        return client.chat_postMessage(channel=channel, thread_ts=ts, text="x")

    assert error(lambda: answer_to("1.000001")) == "cannot_reply_to_message"
    assert error(lambda: answer_to(reply["ts"])) == "cannot_reply_to_message"
    gone = error(lambda: client.conversations_replies(channel=channel, ts="1.000001"))
    assert gone == "thread_not_found"


def test_metadata_is_read_back_only_if_asked_for(client: WebClient) -> None:
    posted = client.chat_postMessage(channel="#alerts", text="x", metadata=METADATA)
    channel = posted["channel"]

    bare = client.conversations_history(channel=channel)["messages"][0]
    full = client.conversations_history(channel=channel, include_all_metadata=True)["messages"][0]
    thread = client.conversations_replies(
        channel=channel, ts=posted["ts"], include_all_metadata=True
    )
    assert bare["metadata"] == {"event_type": "sre_obs_delivery"}
    assert full["metadata"] == METADATA
    assert thread["messages"][0]["metadata"] == METADATA


@pytest.mark.parametrize(
    ("metadata", "expected"),
    [
        ({"event_type": "x"}, "invalid_metadata_format"),
        ({"event_type": "x", "event_payload": {"a": "b" * 20_000}}, "metadata_too_large"),
    ],
)
def test_metadata_that_is_malformed_or_too_large_is_refused(
    client: WebClient, metadata: dict[str, Any], expected: str
) -> None:
    json_body = {"channel": "#alerts", "text": "x", "metadata": metadata}

    assert error(lambda: client.api_call("chat.postMessage", json=json_body)) == expected


def test_an_update_replaces_text_blocks_and_metadata_of_the_same_message(
    standin: StandIn, client: WebClient
) -> None:
    posted = client.chat_postMessage(
        channel="#alerts", text="a", blocks=[section("a")], metadata=METADATA
    )
    where = {"channel": posted["channel"], "ts": posted["ts"]}

    answer = client.chat_update(**where, text="b", blocks=[section("b")])
    assert (answer["channel"], answer["ts"], answer["text"]) == (*where.values(), "b")
    (message,) = standin.messages()
    assert (message.blocks[0]["text"]["text"], message.metadata) == ("b", METADATA)
    newer = {"event_type": "sre_obs_delivery", "event_payload": {"delivery_id": "d-2"}}
    client.chat_update(**where, text="c", metadata=newer)
    (message,) = standin.messages()
    assert (message.text, message.blocks, message.metadata) == ("c", (), newer)


def test_an_update_is_refused_for_a_name_a_missing_message_and_a_strangers(
    standin: StandIn, client: WebClient
) -> None:
    posted = client.chat_postMessage(channel="#alerts", text="a")
    channel, ts = posted["channel"], posted["ts"]
    theirs = standin.person_says("alerts", "hello")

    def update(channel: str, ts: str, text: str = "b") -> object:
        return client.chat_update(channel=channel, ts=ts, text=text)

    assert error(lambda: update("#alerts", ts)) == "channel_not_found"
    assert error(lambda: update(channel, "1.000001")) == "message_not_found"
    assert error(lambda: update(channel, theirs)) == "cant_update_message"
    assert error(lambda: update(channel, ts, "b" * 4_001)) == "msg_too_long"
    nothing = {"channel": channel, "ts": ts}
    assert error(lambda: client.api_call("chat.update", json=nothing)) == "no_text"
    standin.workspace.remove("alerts", ts)
    assert error(lambda: update(channel, ts)) == "message_not_found"


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ({}, "no_text"),
        ({"text": "x" * 40_001}, "msg_too_long"),
        ({"blocks": "no json"}, "invalid_blocks_format"),
        ({"blocks": [section(f"{n}") for n in range(51)]}, "invalid_blocks"),
        ({"blocks": [section("x" * 3_001)]}, "invalid_blocks"),
        ({"blocks": [section("")]}, "invalid_blocks"),
        ({"blocks": [{"type": "section"}]}, "invalid_blocks"),
        ({"blocks": [{"type": "song"}]}, "invalid_blocks"),
        ({"blocks": [section("a") | {"block_id": "same"}] * 2}, "invalid_blocks"),
        ({"blocks": [section("x" * 2_900)] * 5}, "msg_blocks_too_long"),
        ({"text": "x", "attachments": [{}] * 101}, "too_many_attachments"),
    ],
)
def test_a_message_beyond_the_limits_is_refused_and_not_stored(
    standin: StandIn, client: WebClient, message: dict[str, Any], expected: str
) -> None:
    call = {"channel": "#alerts", **message}

    assert error(lambda: client.api_call("chat.postMessage", json=call)) == expected
    assert standin.messages() == []


def button(**more: object) -> dict[str, Any]:
    text = {"type": "plain_text", "text": "Open"}
    return {"type": "actions", "elements": [{"type": "button", "text": text, **more}]}


@pytest.mark.parametrize(
    ("block", "place"),
    [
        (section("x" * 3_001), "/blocks/0/text/text"),
        (
            {"type": "section", "fields": [{"type": "mrkdwn", "text": "x" * 2_001}]},
            "/blocks/0/fields/0/text",
        ),
        (
            {"type": "header", "text": {"type": "plain_text", "text": "x" * 151}},
            "/blocks/0/text/text",
        ),
        ({"type": "header", "text": {"type": "mrkdwn", "text": "x"}}, "/blocks/0/text"),
        (
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "x"}] * 11},
            "/blocks/0/elements",
        ),
        (button(value="x" * 2_001), "/blocks/0/elements/0/value"),
        (button(action_id="x" * 256), "/blocks/0/elements/0/action_id"),
        (button(text={"type": "plain_text", "text": "x" * 76}), "/blocks/0/elements/0/text/text"),
        (section("x") | {"block_id": "b" * 256}, "/blocks/0/block_id"),
    ],
)
def test_invalid_blocks_point_at_the_place(
    client: WebClient, block: dict[str, Any], place: str
) -> None:
    body = refusal(lambda: client.chat_postMessage(channel="#alerts", text="x", blocks=[block]))

    assert body["error"] == "invalid_blocks"
    assert f"[json-pointer:{place}]" in body["response_metadata"]["messages"][0]


def test_a_method_whose_scope_is_missing_names_it(standin: StandIn, client: WebClient) -> None:
    channel = client.chat_postMessage(channel="#alerts", text="x")["channel"]
    standin.workspace.scopes.discard("channels:history")

    body = refusal(lambda: client.conversations_history(channel=channel))
    assert (body["error"], body["needed"]) == ("missing_scope", "channels:history")
    assert "chat:write" in body["provided"]


def test_history_needs_membership_and_an_id(standin: StandIn, client: WebClient) -> None:
    channel = standin.workspace.find("alerts")

    by_name = error(lambda: client.conversations_history(channel="#alerts"))
    assert by_name == "channel_not_found"
    channel.member = False
    assert error(lambda: client.conversations_history(channel=channel.id)) == "not_in_channel"


def test_history_pages_back_from_latest_and_forward_from_oldest_alone(
    standin: StandIn, client: WebClient, clock: Frozen
) -> None:
    channel = standin.workspace.find("alerts").id
    for _ in range(5):
        clock.at += 1
        client.chat_postMessage(channel=channel, text=f"{clock.at:.0f}")
    first = "1700000001.250000"

    def texts(**args: Any) -> list[list[str]]:
        pages = client.conversations_history(channel=channel, limit=2, **args)
        return [[m["text"][-1] for m in page["messages"]] for page in pages]

    assert texts() == [["5", "4"], ["3", "2"], ["1"]]
    assert texts(oldest=first) == [["3", "2"], ["5", "4"]]
    assert texts(oldest=first, inclusive=True) == [["2", "1"], ["4", "3"], ["5"]]
    assert texts(oldest=first, latest="1700000005.250000") == [["4", "3"], ["2"]]
    bad_cursor = error(lambda: client.conversations_history(channel=channel, cursor="bad!"))
    assert bad_cursor == "invalid_cursor"
    bad_ts = error(lambda: client.conversations_history(channel=channel, oldest="yesterday"))
    assert bad_ts == "invalid_ts_oldest"


def test_channels_are_listed_page_by_page_with_what_the_bot_is_to_them(
    standin: StandIn, client: WebClient
) -> None:
    standin.workspace.find("quiet").archived = True

    pages = [page["channels"] for page in client.conversations_list(limit=1)]
    listed = {c["name"]: c for page in pages for c in page}
    assert len(pages) == 2
    assert listed["alerts"]["is_member"]
    assert listed["quiet"]["is_archived"]
    live = client.conversations_list(exclude_archived=True)["channels"]
    assert [c["name"] for c in live] == ["alerts"]
    info = client.conversations_info(channel=listed["alerts"]["id"])
    assert info["channel"]["name"] == "alerts"


def test_the_bots_own_message_can_be_deleted(standin: StandIn, client: WebClient) -> None:
    posted = client.chat_postMessage(channel="#alerts", text="x")
    theirs = standin.person_says("alerts", "hello")

    client.chat_delete(channel=posted["channel"], ts=posted["ts"])
    assert standin.messages() == []
    refused = error(lambda: client.chat_delete(channel=posted["channel"], ts=theirs))
    assert refused == "cant_delete_message"


def test_the_log_holds_each_call_with_its_arguments_and_outcome_but_no_token(
    standin: StandIn, client: WebClient
) -> None:
    ts = client.chat_postMessage(channel="#alerts", text="x")["ts"]
    error(lambda: client.chat_postMessage(channel="#none", text="y"))

    first, second = standin.calls
    assert (first.method, first.args["text"], first.status) == ("chat.postMessage", "x", 200)
    assert (first.ts, first.error, second.error) == (ts, "", "channel_not_found")
    assert "xoxb-stand-in" not in repr(standin.calls)
