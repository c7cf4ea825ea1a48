"""What Slack is given for each state of a group, and what no data can do to it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_obs.app.demo.slack.limits import check_blocks, check_metadata
from sre_obs.model.alert import Alert, EndReason, Evidence
from sre_obs.model.notification import RISEN, DeliveryKind
from sre_obs.notify.notice import Notice
from sre_obs.notify.slack import SlackCall, render
from sre_obs.notify.slack.message import EMOJI, TOTAL_MOST, within
from tests.conftest import Golden
from tests.notify.notices import (
    CASES,
    SHOP,
    SLACK,
    ended,
    idle_session,
    killed,
    notice,
    silent,
)


def texts(call: SlackCall) -> list[str]:
    """The mrkdwn of each block, in order."""
    return [
        (block.get("text") or block["elements"][0])["text"]
        for block in call.arguments.get("blocks", [])
    ]


def words(mrkdwn: str) -> str:
    """What a person reads of it: no emoji, links, marks; white space as one blank."""
    text = re.sub(r"^:[a-z_]+: \*([^*]+)\*", r"\1", mrkdwn)
    text = re.sub(r"<https?://[^|>]*\|([^>]*)>", r"\1", text)
    return " ".join(text.replace("`", "").split())


def readable(call: SlackCall) -> str:
    """The call as a golden: JSON, one key a line."""
    value = {"method": call.method, **call.arguments}
    return json.dumps(value, indent=1, ensure_ascii=False) + "\n"


@pytest.mark.parametrize("case", CASES)
def test_a_state_is_told_as_its_golden_says(case: str, golden: Golden) -> None:
    golden("notify", case, "slack.json", readable(render(CASES[case])))


@pytest.mark.parametrize("case", [c for c in CASES if "plain" not in c])
def test_the_text_opens_with_the_words_of_the_first_block(case: str) -> None:
    call = render(CASES[case])
    text = call.arguments["text"]
    assert text.startswith(words(texts(call)[0]))
    assert len(text) <= 150


def numbers(call: SlackCall) -> list[int]:
    return [int(block["block_id"].rsplit("-", 1)[1]) for block in call.arguments["blocks"]]


def test_the_parts_stand_in_the_order_of_need() -> None:
    assert numbers(render(notice((killed(1), idle_session())))) == [1, 2, 3, 4, 5, 7]


def test_what_is_resolved_says_how_long_it_lasted_and_why_it_ended() -> None:
    call = render(notice((), (ended(idle_session(), EndReason.GONE),), kind=DeliveryKind.UPDATE))
    assert numbers(call) == [1, 2, 7]
    assert texts(call)[1] == "Lasted 4 min, peak 912 s. Entity gone."


def test_stale_never_reads_like_resolved() -> None:
    call = render(notice((silent(idle_session()),), kind=DeliveryKind.UPDATE))
    assert texts(call)[0].startswith(":hourglass: *STALE*")
    assert re.fullmatch(
        r"No data since 03:14 UTC \(<.*>\), last 912 s\. Held as it was\.", texts(call)[1]
    )
    assert "esolved" not in json.dumps(call.arguments)


def test_the_worst_then_the_oldest_member_comes_first_and_the_rest_is_counted() -> None:
    old = killed(9, starts_at=1.0)
    critical = killed(8, labels={**killed(8).labels, "severity": "critical"})
    call = render(notice((*(killed(n) for n in range(6)), old, critical), labels=SHOP))
    lines = texts(call)[2].splitlines()
    assert "checkout-8" in lines[0]
    assert "checkout-9" in lines[1]
    assert lines[-1] == "<https://alerts.example.com/|and 3 more>"
    assert len(lines) == 6


@pytest.mark.parametrize("url", ["", "http://localhost:9093", "http://127.0.0.1:9093", "ftp://a.b"])
def test_without_an_address_that_people_reach_the_next_step_is_a_command(url: str) -> None:
    call = render(notice((killed(1),), labels=SHOP, external_url=url))
    blocks = json.dumps(call.arguments["blocks"])
    assert "alerts/" not in blocks
    command = '`sre-obs silence add -c "why" alertname=oom namespace=shop`'
    assert command in texts(call)[-2]


def test_a_command_is_not_offered_for_labels_that_a_shell_would_read() -> None:
    call = render(notice((killed(1),), labels={"pod": "$(reboot)"}, external_url=""))
    assert "silence" not in json.dumps(call.arguments)


@pytest.mark.parametrize(
    "runbook",
    ["javascript:alert(1)", "https://a b", "https://x.example/|y", "https://u:p@h.example/", "//x"],
)
def test_what_is_not_a_plain_link_is_not_linked(runbook: str) -> None:
    alert = idle_session(annotations={"title": "t", "runbook_url": runbook})
    assert "|Runbook>" not in json.dumps(render(notice((alert,))).arguments)


def test_an_edit_names_the_message_and_a_reply_its_thread() -> None:
    update = render(notice((idle_session(),), kind=DeliveryKind.UPDATE))
    assert update.method == "chat.update"
    assert update.arguments["ts"] == "1795576512.000100"
    reply = render(notice((), (ended(idle_session()),), kind=DeliveryKind.REPLY))
    assert reply.method == "chat.postMessage"
    assert reply.arguments["thread_ts"] == "1795576512.000100"
    assert update.arguments["channel"] == reply.arguments["channel"] == "C0PAY"


def test_a_rise_is_in_the_channel_as_well_unless_it_is_told_not_to_be() -> None:
    def loud(kind: DeliveryKind, reason: str, *, also: bool = True) -> bool:
        where = replace(SLACK, rise_to_channel=also)
        call = render(notice((idle_session(),), kind=kind, reason=reason, integration=where))
        return bool(call.arguments.get("reply_broadcast"))

    assert loud(DeliveryKind.REPLY, RISEN)
    assert not loud(DeliveryKind.REPLY, RISEN, also=False)
    assert not loud(DeliveryKind.UPDATE, RISEN)
    assert not loud(DeliveryKind.REPLY, "repeat interval elapsed")


def test_each_edit_has_block_ids_of_its_own() -> None:
    first = render(notice((idle_session(),), kind=DeliveryKind.UPDATE, id="one"))
    second = render(notice((idle_session(),), kind=DeliveryKind.UPDATE, id="two"))
    ids = [b["block_id"] for call in (first, second) for b in call.arguments["blocks"]]
    assert len(set(ids)) == len(ids)


def test_a_message_is_found_again_by_its_metadata() -> None:
    metadata = render(CASES["firing"]).arguments["metadata"]
    assert metadata["event_type"] == "sre_obs_delivery"
    assert metadata["event_payload"]["delivery_id"] == "7c1f0d9e-1"
    assert metadata["event_payload"]["generation"] == 1
    check_metadata(metadata)


def test_what_may_be_a_repetition_says_so() -> None:
    assert texts(render(CASES["may-repeat"]))[-1].endswith("| may repeat")
    reply = notice((), (ended(idle_session()),), kind=DeliveryKind.REPLY, may_repeat=True)
    assert texts(render(reply))[-1].endswith("| may repeat")


def test_the_plain_form_has_no_blocks_and_suffices() -> None:
    arguments = render(CASES["plain"]).arguments
    assert "blocks" not in arguments
    for needed in ("912 s, limit 900 s", "since 03:12", "terminate pid", "idle.yml:9", "https://"):
        assert needed in arguments["text"] or needed.capitalize() in arguments["text"]


def test_documents_are_given_up_first_then_members_then_actions() -> None:
    parts = dict.fromkeys((1, 2, 3, 4, 5, 7), "x" * 3_000)
    assert list(within(parts)) == [1, 2, 5, 7]
    assert list(within(parts, 15_000)) == [1, 2, 3, 5, 7]
    assert list(within(parts, 10_000)) == [1, 2, 7]
    assert list(within(parts, 1)) == [1, 2, 7]


def test_a_group_of_ten_thousand_is_told_as_shortly_as_one_of_ten() -> None:
    call = render(notice(tuple(killed(n) for n in range(10_000)), labels=SHOP))
    assert call.arguments["text"].startswith("WARNING Container out of memory 10000 of 10000")
    assert sum(map(len, texts(call))) < 3_000


def test_every_state_has_an_emoji_of_its_own() -> None:
    assert len(set(EMOJI.values())) == len(EMOJI) == 6


# Data of any kind.

nasty = st.one_of(
    st.text(max_size=400),
    st.text(alphabet="&<>`*_~:|\n\x1b\u202e\ud800 a", max_size=700),
    st.sampled_from(["<!channel>", "<!here|x>", "<@U1>", "&" * 700, ":warning:", "x" * 5_000]),
)
mapping = st.dictionaries(nasty, nasty, max_size=6)
number = st.one_of(st.none(), st.floats())
evidence = st.builds(
    Evidence,
    value=number,
    limit=number,
    peak=number,
    unit=nasty,
    comparison=st.sampled_from([">=", "<", ""]),
    function=st.sampled_from(["count", "max", ""]),
    count=st.integers(0, 10**9),
    window=st.floats(0, 1e9),
    documents=st.lists(mapping, max_size=5).map(tuple),
)
moments = st.floats(-1e12, 1e12)
known = st.sampled_from(
    ["alertname", "severity", "team", "pod", "title", "description", "action", "runbook_url"]
)
alert = st.builds(
    Alert,
    fingerprint=st.text(min_size=1, max_size=20),
    labels=st.dictionaries(st.one_of(known, nasty), nasty, max_size=8),
    annotations=st.dictionaries(st.one_of(known, nasty), nasty, max_size=8),
    starts_at=moments,
    fired_at=moments,
    updated_at=moments,
    ends_at=st.one_of(st.none(), moments),
    ended=st.one_of(st.none(), st.sampled_from(EndReason)),
    stale_since=st.one_of(st.none(), moments),
    rule=nasty,
    place=nasty,
    drill=st.booleans(),
    evidence=evidence,
)
alerts = st.lists(alert, max_size=8).map(tuple)


@st.composite
def notices(draw: st.DrawFn) -> Notice:
    made = notice(
        draw(alerts),
        draw(alerts),
        labels=draw(mapping),
        kind=draw(st.sampled_from(DeliveryKind)),
        external_url=draw(st.sampled_from(["", "https://alerts.example.com", "http://pc"])),
        plain=draw(st.booleans()),
        may_repeat=draw(st.booleans()),
    )
    return replace(made, route=draw(nasty), now=draw(moments))


# What may stand between < and >: our own links and dates.
OURS = re.compile(r"<https?://[^<>|\s]+\|[^<>]*>|<!date\^-?\d+\^[^<>|^]*\|[^<>]*>")


@given(notices())
def test_no_data_breaks_a_limit_pages_anybody_or_adds_markup(made: Notice) -> None:
    call = render(made)
    arguments: dict[str, Any] = dict(call.arguments)
    json.dumps(arguments).encode("utf-8")
    strings = [arguments["text"], *texts(call)]
    for text in strings:
        assert text
        assert not re.search("[<>]", OURS.sub("", text))
        assert text.replace("\n", "").isprintable()
        assert text.count("`") % 2 == 0
    if "blocks" in arguments:
        check_blocks(arguments["blocks"])
        assert len(arguments["text"]) <= 150
        assert sum(map(len, texts(call))) <= TOTAL_MOST
        assert arguments["text"].startswith(words(texts(call)[0]))
    else:
        assert len(arguments["text"]) <= 4_000


def test_the_summary_of_the_rule_stands_where_people_look() -> None:
    alert = idle_session()
    summary = "Session of orders-api: idle for 15 min, limit 5 min"
    told = replace(alert, annotations={**alert.annotations, "summary": summary})
    assert texts(render(notice((told,))))[1].startswith(f"{summary}, since ")
    assert summary not in "".join(texts(render(notice((alert,)))))
