"""A notice as one call of Slack's Web API.

The order of the parts is fixed: what is wrong (1), how much and since when (2), who else
(3), which documents (4), what to do (5), whose it is (7); 6 is kept for buttons. Phones
show only `text`, desktops read the first block: their words are the same.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import quote

from sre_obs.model.alert import Alert
from sre_obs.model.notification import RISEN, Delivery, DeliveryKind
from sre_obs.model.routing import SlackIntegration
from sre_obs.notify import wording
from sre_obs.notify.headline import Headline, headline, lasted, no_data, origin, since, worst
from sre_obs.notify.notice import Notice
from sre_obs.notify.slack import mrkdwn
from sre_obs.notify.slack.mrkdwn import bare, code, escape, escaped_size, link, moment, prose
from sre_obs.notify.text import cut
from sre_obs.notify.wording import State

EVENT_TYPE = "sre_obs_delivery"

# Slack's own limits are 50 blocks and 3,000 characters a section. The total is not
# documented; about 13,200 are refused with msg_blocks_too_long (bolt-js#2509).
SECTION_MOST = 3_000
TOTAL_MOST = 12_000
DOCUMENTS_MOST = 600
MEMBERS_MOST = 5
# An edit's text may have 4,000 characters.
PLAIN_MOST = 3_500
GIVEN_UP = (4, 3, 5)

# Shapes differ, so that the state can be told without colour.
EMOJI: Mapping[State, str] = {
    State.CRITICAL: "octagonal_sign",
    State.WARNING: "warning",
    State.INFO: "information_source",
    State.RESOLVED: "white_check_mark",
    State.STALE: "hourglass",
    State.DRILL: "test_tube",
}

# Values that a shell takes as they are.
_SHELL_SAFE = re.compile(r"[A-Za-z0-9_.:/@%+-]{1,80}")
_LABEL_SAFE = re.compile(r"[A-Za-z_][A-Za-z0-9_.]{0,60}")

Block: TypeAlias = dict[str, Any]


@dataclass(frozen=True, slots=True)
class SlackCall:
    """One call: the method's name and its JSON arguments."""

    method: str
    arguments: Mapping[str, Any]


def render(notice: Notice) -> SlackCall:
    """The call that tells of `notice`. An edit or a reply needs `notice.message`; without
    it, the notice is rendered as a post."""
    delivery, at = notice.delivery, notice.message
    head = headline(notice, prose=prose, bare=bare, size=escaped_size)
    arguments: dict[str, Any] = {
        "text": escape(str(head)),
        "metadata": _metadata(delivery, notice.group.key),
        # Nothing in a text is looked for that was not put there on purpose.
        "parse": "none",
        "link_names": False,
    }
    if delivery.plain:
        arguments["text"] = _plain(notice, head)
    else:
        arguments["blocks"] = _blocks(notice, head)
    if delivery.kind is DeliveryKind.UPDATE and at is not None:
        return SlackCall("chat.update", {"channel": at.channel, "ts": at.ts, **arguments})
    arguments |= {"mrkdwn": False, "unfurl_links": False, "unfurl_media": False}
    if delivery.kind is DeliveryKind.REPLY and at is not None:
        arguments["thread_ts"] = at.ts
        integration = notice.integration
        if isinstance(integration, SlackIntegration) and integration.rise_to_channel:
            # A thread is read by who is in it already: a rise may concern others.
            arguments |= {"reply_broadcast": True} if _rises(delivery) else {}
        return SlackCall("chat.postMessage", {"channel": at.channel, **arguments})
    return SlackCall("chat.postMessage", {"channel": _channel(notice), **arguments})


def _metadata(delivery: Delivery, group: str) -> dict[str, Any]:
    """By which a message is found again when the answer to its post was lost."""
    return {
        "event_type": EVENT_TYPE,
        "event_payload": {
            "delivery_id": delivery.id,
            "group": wording.group_id(group),
            "generation": delivery.generation,
        },
    }


def _channel(notice: Notice) -> str:
    integration = notice.integration
    return integration.channel if isinstance(integration, SlackIntegration) else ""


def _blocks(notice: Notice, head: Headline) -> list[Block]:
    parts: dict[int, str] = {1: _first(notice, head), 2: _second(notice, head.state)}
    told_whole = notice.delivery.kind is not DeliveryKind.REPLY or notice.message is None
    if told_whole and notice.firing:
        parts |= {3: _members(notice), 4: _documents(notice), 5: _action(notice, head.state)}
    if told_whole or notice.delivery.may_repeat:
        parts[7] = _context(notice)
    parts = within({n: text for n, text in sorted(parts.items()) if text})
    # Slack's clients keep what they know of a block by its id: an edit needs new ones.
    stem = hashlib.blake2b(notice.delivery.id.encode("utf-8", "replace"), digest_size=6)
    return [_block(number, text, stem.hexdigest()) for number, text in parts.items()]


def within(parts: Mapping[int, str], most: int = TOTAL_MOST) -> dict[int, str]:
    """The parts, by number, that fit into one message; 1, 2 and 7 always stay."""
    kept = dict(parts)
    for number in GIVEN_UP:
        if sum(map(len, kept.values())) > most:
            kept.pop(number, None)
    return kept


def _block(number: int, text: str, stem: str) -> Block:
    body = {"type": "mrkdwn", "text": text, "verbatim": True}
    block_id = f"{stem}-{number}"
    if number == 7:
        return {"type": "context", "block_id": block_id, "elements": [body]}
    block: Block = {"type": "section", "block_id": block_id, "text": body}
    if number == 1:
        block["expand"] = True
    return block


def _first(notice: Notice, head: Headline) -> str:
    """1: emoji, STATE, title, what it is about."""
    title = escape(head.title)
    if url := _story(notice):
        title = link(url, title)
    subject = escape(head.lead) + "@".join(f"`{escape(name)}`" for name in head.names)
    parts = (f":{EMOJI[head.state]}: *{head.word}*", title, subject)
    return "  ".join(part for part in parts if part)


def _second(notice: Notice, state: State) -> str:
    """2: value and limit, since when, what it means; for what ended how long and why."""
    alert = worst(notice)
    if alert is None:
        return "The alerts that this is about are no longer known."
    if not notice.firing:
        ended = escape(wording.why_ended(notice.resolved))
        opening = "Resolved. " if state is State.DRILL else ""
        return f"{opening}{_capital(escape(prose(lasted(notice))))}. {_capital(ended)}."
    if alert.stale_since is not None:
        at, last = alert.stale_since, wording.last_value(alert.evidence)
        clock = wording.clock(at, notice.now)
        ending = f", last {escape(cut(prose(last), 100))}" if last else ""
        return f"No data since {clock} ({moment(at, clock)}){ending}. Held as it was."
    told = (
        _risen(notice),
        _fact(alert, notice),
        _told_of(alert),
        _silent(notice),
        _sentence(_capital(escape(wording.flapping(notice.firing)))),
    )
    return " ".join(part for part in told if part)


def _risen(notice: Notice) -> str:
    """Of what is noticed because it got worse; the message that is edited says it anyway."""
    if not _rises(notice.delivery):
        return ""
    return _sentence(_capital(escape(prose(wording.risen(worst(notice))))))


def _rises(delivery: Delivery) -> bool:
    return delivery.kind is DeliveryKind.REPLY and delivery.reason == RISEN


def _fact(alert: Alert, notice: Notice) -> str:
    value = escape(cut(prose(wording.fact(alert)), 200))
    begun = since(alert, notice.now)
    when = f"{begun} ({moment(alert.starts_at, wording.clock(alert.starts_at, notice.now))})"
    if len(notice.alerts) == 1:
        return f"{value}, {when}." if value else f"{_capital(when)}."
    who = _spans(_member_names(alert, notice))
    return f"Worst {who}: {value}, {when}." if value else f"Worst {who}, {when}."


def _told_of(alert: Alert) -> str:
    return _sentence(escape(cut(prose(wording.meaning(alert)), 240)))


def _silent(notice: Notice) -> str:
    silent = sum(1 for alert in notice.firing if alert.stale_since is not None)
    return f"{silent} of {len(notice.firing)} without data." if silent else ""


def _members(notice: Notice) -> str:
    """3: who else, the worst and oldest first."""
    if len(notice.alerts) < 2:
        return ""
    ordered = wording.worst_first(notice.firing) + wording.worst_first(notice.resolved)
    titles = {wording.title(alert) for alert in ordered}
    lines = [_member(alert, notice, len(titles) > 1) for alert in ordered[:MEMBERS_MOST]]
    more = len(ordered) - MEMBERS_MOST
    if more > 0:
        lines.append(_more(notice, f"and {more} more"))
    return "\n".join(lines)


def _member(alert: Alert, notice: Notice, titled: bool) -> str:
    names = _spans(_member_names(alert, notice))
    title = escape(cut(prose(wording.title(alert)), 60)) if titled else ""
    if alert in notice.resolved:
        length = wording.lasted([alert], notice.now)
        word, fact = State.RESOLVED, f"lasted {wording.duration(length)}"
    elif alert.stale_since is not None:
        word, fact = State.STALE, no_data(alert, notice.now)
    else:
        word = wording.severity(alert)
        value = wording.measured(alert.evidence)
        began = since(alert, notice.now)
        fact = f"{value}, {began}" if value else began
    return " ".join(part for part in (word, title, names, escape(cut(prose(fact), 120))) if part)


def _documents(notice: Notice) -> str:
    """4: the documents that say so; the labels of an alert that came without any."""
    alert = next((a for a in wording.worst_first(notice.firing) if a.evidence.documents), None)
    if alert is None:
        return _labels(notice)
    documents = alert.evidence.documents[:3]
    each = DOCUMENTS_MOST // len(documents) - 1
    lines = [cut(bare(wording.named(document)), each) for document in documents]
    text = _code_block(lines)
    total = alert.evidence.count
    if text and total > len(documents):
        text += "\n" + _more(notice, f"{len(documents)} of {total:,} documents")
    return text


def _labels(notice: Notice) -> str:
    alert = worst(notice)
    if alert is None:
        return ""
    labels = {n: v for n, v in alert.labels.items() if n not in ("alertname", "severity")}
    return _code_block([cut(bare(wording.named(labels)), DOCUMENTS_MOST)])


def _code_block(lines: Sequence[str]) -> str:
    kept = [escape(line) for line in lines if line]
    # Escaping can make five characters of one: whole lines go before a limit is broken.
    while kept and sum(map(len, kept)) + len(kept) > SECTION_MOST - 200:
        kept.pop()
    return "```\n" + "\n".join(kept) + "\n```" if kept else ""


def _action(notice: Notice, state: State) -> str:
    """5: what to do first, and where it says more; a drill asks for nothing."""
    alert = worst(notice)
    if alert is None or state is State.DRILL:
        return ""
    parts = []
    if look := escape(cut(prose(wording.first_look(alert)), 250, escaped_size)):
        parts.append(_sentence(f"Look: {look}"))
    if action := escape(cut(prose(wording.first_action(alert)), 300)):
        parts.append(_sentence(f"First: {action}"))
    if runbook := wording.runbook(alert):
        linked = link(runbook, "Runbook")
        parts.append(linked if linked != "Runbook" else f"Runbook: {code(runbook, 200)}")
    if not _page(notice) and (command := _silence_command(notice)):
        parts.append(f"To silence: {code(command, 400)}")
    return " ".join(parts)


def _silence_command(notice: Notice) -> str:
    """A command that hides this group, if its labels can be typed as they are."""
    alert = worst(notice)
    labels = dict(notice.group.labels)
    if alert is not None and "alertname" in alert.labels:
        labels = {"alertname": alert.labels["alertname"], **labels}
    safe = all(_LABEL_SAFE.fullmatch(n) and _SHELL_SAFE.fullmatch(v) for n, v in labels.items())
    if not labels or not safe:
        return ""
    matchers = " ".join(f"{name}={value}" for name, value in labels.items())
    return f'sre-obs silence add -c "why" {matchers}'


def _context(notice: Notice) -> str:
    """7: owner, rule, route and receiver, group; what may be doubted."""
    return " | ".join(escape(cut(prose(part), 160)) for part in origin(notice, _channel(notice)))


def _plain(notice: Notice, head: Headline) -> str:
    """All that a text alone can say: what is sent when the blocks were refused."""
    alert = worst(notice)
    lines = [prose(str(head))]
    if alert is not None and notice.firing:
        begun = f"{_capital(since(alert, notice.now))}."
        if fact := _summary(alert):
            lines.append(prose(_sentence(cut(fact, 300))))
        lines.append(prose(f"{begun} {cut(wording.meaning(alert), 300)}"))
        lines.append(_sentence(_capital(wording.flapping(notice.firing))))
        action = wording.first_action(alert)
        if action and head.state is not State.DRILL:
            lines.append(prose(f"First: {cut(action, 300)}"))
        # As it is: look-alikes would break an address.
        lines.append(bare(cut(wording.runbook(alert), 500)))
    lines.append(prose(" | ".join(origin(notice, _channel(notice)))))
    return escape(cut("\n".join(line for line in lines if line), PLAIN_MOST, escaped_size))


def _summary(alert: Alert) -> str:
    """What is not in the headline already."""
    fact = wording.fact(alert)
    return "" if fact == wording.measured(alert.evidence) else fact


def _member_names(alert: Alert, notice: Notice) -> tuple[str, ...]:
    return wording.entity(alert, without=notice.group.labels) or (alert.name,)


def _spans(names: Sequence[str]) -> str:
    return "@".join(code(name, 80) for name in names)


def _page(notice: Notice) -> str:
    """Our page's address without a slash at its end, if people can reach it."""
    url = notice.external_url
    return url.rstrip("/") if mrkdwn.has_dotted_host(url) else ""


def _story(notice: Notice) -> str:
    alert = worst(notice)
    if alert is None or not _page(notice):
        return ""
    return f"{_page(notice)}/alerts/{quote(alert.fingerprint, safe='')}"


def _more(notice: Notice, text: str) -> str:
    page = _story(notice) if text.endswith("documents") else _page(notice) + "/"
    return link(page, escape(text)) if _page(notice) else escape(text)


def _sentence(text: str) -> str:
    return text if not text or text.endswith((".", "!", "?", "…")) else text + "."


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
