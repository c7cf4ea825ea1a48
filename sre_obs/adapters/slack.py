"""Speaks to Slack, through slack_sdk; nothing else imports it.

slack_sdk's own retries are off: one of them posts twice when the connection breaks after
the request was taken, and the outbox's outlive the process. Proxies are taken from the
environment as slack_sdk does.
"""

from __future__ import annotations

import logging
import re
import socket
import ssl
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from typing import TYPE_CHECKING, Any
from urllib.error import URLError
from urllib.parse import urlsplit

from sre_obs.model.notification import DeliveryKind
from sre_obs.model.outcome import Answer, MessageRef, Verdict
from sre_obs.model.problem import Wrong
from sre_obs.model.routing import SlackIntegration
from sre_obs.notify import transport
from sre_obs.notify.notice import Notice
from sre_obs.notify.ports import Found, Search
from sre_obs.notify.slack import EVENT_TYPE, classify_error, classify_status, render
from sre_obs.notify.text import clean, cut
from sre_obs.notify.transport import Fault, classify_fault

if TYPE_CHECKING:
    from slack_sdk.web import SlackResponse

TIMEOUT = 10
# How much earlier than our clock says the search for a message begins, in seconds.
MARGIN = 60.0
# So many items a page, and so many pages at most: of history, of the list of channels.
PAGE = 200
HISTORY_PAGES = 20
CHANNEL_PAGES = 50

# Not being able to read is final for these; everything else may pass.
_UNREADABLE = frozenset(
    (
        *("missing_scope", "not_in_channel", "channel_not_found", "not_allowed_token_type"),
        *("no_permission", "access_denied", "unknown_method"),
    )
)
_CHANNEL_ID = re.compile(r"[CGD][A-Z0-9]{6,}")


@dataclass(frozen=True, slots=True)
class SlackIdentity:
    """Who the token makes us: for the start line and `alert-test`."""

    team: str
    user: str  # the bot's name, without @
    bot_id: str
    scopes: frozenset[str]  # empty if Slack did not say

    @property
    def can_be_asked(self) -> bool:
        """Whether a lost answer can be reconciled, so that nothing is repeated."""
        return bool(self.scopes & {"channels:history", "groups:history"})


@dataclass(frozen=True, slots=True)
class _Reply:
    """An answer of Slack, or the lack of one; `failed` is None if it was ``ok: true``."""

    data: Mapping[str, Any]
    headers: Mapping[str, str]  # names in lower case
    error: str = ""  # Slack's own name for it
    failed: Answer | None = None


class SlackSender:
    """A `Sender` for one channel; thread-safe, and cheap to make anew on a reload."""

    def __init__(self, integration: SlackIntegration, *, timeout: int = TIMEOUT) -> None:
        from slack_sdk import WebClient

        # slack_sdk logs messages at DEBUG, and failures that are reported here anyway.
        logger = logging.getLogger("sre_obs.adapters.slack.sdk")
        logger.setLevel(logging.CRITICAL)
        self._integration = integration
        self._client = WebClient(
            token=integration.token.reveal(),
            base_url=integration.api_url,
            timeout=timeout,
            retry_handlers=[],
            logger=logger,
        )
        self._host = urlsplit(integration.api_url).netloc.rpartition("@")[2] or "Slack"
        # Both are facts about Slack that any thread may learn and any may use.
        self._channel_id = integration.channel if _CHANNEL_ID.fullmatch(integration.channel) else ""
        self._skew = 0.0  # Slack's clock less ours, as of its last answer

    def send(self, notice: Notice) -> Answer:
        """Post, edit or reply, once."""
        kind = notice.delivery.kind
        if kind is not DeliveryKind.POST and notice.message is None:
            return Answer(Verdict.MISSING, detail="where its message is was never known")
        call = render(notice)
        reply = self._call(call.method, notice.now, json=call.arguments, kind=kind)
        if reply.failed is not None:
            return reply.failed
        channel, ts = reply.data.get("channel"), reply.data.get("ts")
        if not isinstance(channel, str) or not isinstance(ts, str):
            return classify_fault(Fault.GARBLED, self._host)
        if kind is DeliveryKind.POST:
            self._channel_id = channel
        return Answer(Verdict.DELIVERED, message=MessageRef(channel, ts))

    def find(self, notice: Notice) -> Found:
        """Read the channel, or the thread, back for the delivery's id."""
        delivery, parent = notice.delivery, notice.message
        started = delivery.started_at if delivery.started_at is not None else delivery.created_at
        if parent is not None and delivery.kind is DeliveryKind.REPLY:
            channel = parent.channel
            where = {"channel": channel, "ts": parent.ts}
            pages = self._pages("conversations.replies", where, notice.now, HISTORY_PAGES)
        else:
            known = self._channel(notice)
            if isinstance(known, Found):
                return known
            channel = known
            where = {"channel": channel}
            pages = self._pages("conversations.history", where, notice.now, HISTORY_PAGES)
        for page in pages:
            if isinstance(page, Found):
                return page
            messages = _objects(page.data, "messages")
            for message in messages:
                if _delivery_id(message) == delivery.id:
                    return Found.at(MessageRef(channel, str(message.get("ts", ""))))
            # History comes newest first, a thread oldest first. If Slack's clock is behind
            # ours, what we look for seems older than our try.
            oldest = started + min(self._skew, 0.0) - MARGIN
            if "ts" not in where and messages and _seconds(messages[-1]) < oldest:
                break
        return Found.not_found()

    def check(self, now: float) -> SlackIdentity | Answer:
        """Whose token it is, or what is wrong with it or with the way there."""
        reply = self._call("auth.test", now)
        if reply.failed is not None:
            return reply.failed
        scopes = reply.headers.get("x-oauth-scopes", "").split(",")
        return SlackIdentity(
            team=str(reply.data.get("team", "")),
            user=str(reply.data.get("user", "")),
            bot_id=str(reply.data.get("bot_id", "")),
            scopes=frozenset(scope.strip() for scope in scopes if scope.strip()),
        )

    def describe(self, now: float) -> str:
        """``@sre-obs in Acme, #alerts``, and whether a lost answer can be asked for."""
        who = self.check(now)
        if isinstance(who, Answer):
            return Wrong(f"{who.detail}; {who.remedy}" if who.remedy else who.detail)
        lost = "" if who.can_be_asked else "; no history scope: may repeat after a crash"
        return clean(f"@{who.user} in {who.team}, {self._integration.channel}{lost}")

    def _channel(self, notice: Notice) -> str | Found:
        """The channel's id: from a message of ours, or from the list of channels."""
        told = notice.group.told.get(self._integration.id)
        for message in (notice.message, told.message if told else None):
            if message is not None:
                return message.channel
        if not self._channel_id:
            found = self._listed(notice.now)
            if isinstance(found, Found):
                return found
            self._channel_id = found
        return self._channel_id

    def _listed(self, now: float) -> str | Found:
        name = self._integration.channel.removeprefix("#")
        result: Found | None = None
        # Private channels need a scope of their own; without it the public ones must do.
        for types in ("public_channel,private_channel", "public_channel"):
            arguments = {"types": types, "exclude_archived": True}
            for page in self._pages("conversations.list", arguments, now, CHANNEL_PAGES):
                if isinstance(page, Found):
                    result = page
                    break
                for channel in _objects(page.data, "channels"):
                    if channel.get("name") == name and isinstance(channel.get("id"), str):
                        return str(channel["id"])
            else:
                return Found.cant_ask(f"no channel #{name} among those that the bot can see")
            if result.search is not Search.CANT_ASK:
                break
        return result or Found.cant_ask("the channels can't be listed")

    def _pages(
        self, method: str, arguments: Mapping[str, Any], now: float, most: int
    ) -> Iterator[_Reply | Found]:
        """Pages of a list; ends with a `Found` if the rest can't be read."""
        cursor = ""
        for _ in range(most):
            given = {**arguments, "limit": PAGE, **({"cursor": cursor} if cursor else {})}
            if method != "conversations.list":
                given["include_all_metadata"] = True
            reply = self._call(method, now, params=given)
            if reply.failed is not None:
                yield _unread(reply)
                return
            yield reply
            more = reply.data.get("response_metadata")
            cursor = str(more.get("next_cursor") or "") if isinstance(more, dict) else ""
            if not cursor:
                return
        yield Found.cant_ask(f"{method}: more than {most} pages")

    def _call(
        self,
        method: str,
        now: float,
        *,
        json: Mapping[str, Any] | None = None,
        params: Mapping[str, Any] | None = None,
        kind: DeliveryKind = DeliveryKind.POST,
    ) -> _Reply:
        from slack_sdk.errors import SlackApiError, SlackClientError, SlackRequestError

        try:
            # Slack takes JSON for what writes and parameters for what reads.
            response = self._client.api_call(
                method,
                http_verb="GET" if params is not None else "POST",
                json=dict(json) if json is not None else None,
                params=dict(params) if params is not None else None,
            )
        except SlackApiError as error:
            return self._refused(error.response, now, kind)
        except SlackRequestError as error:  # it made no request of what it was given
            fault = classify_fault(Fault.UNREACHABLE, self._host, cut(clean(str(error)), 100))
            return _Reply({}, {}, failed=fault)
        except (OSError, HTTPException, SlackClientError, ValueError, LookupError) as error:
            return _Reply({}, {}, failed=classify_fault(_fault(error), self._host))
        return self._read(response, now)

    def _read(self, response: SlackResponse, now: float) -> _Reply:
        headers = {str(k).lower(): str(v) for k, v in dict(response.headers or {}).items()}
        date = transport.http_date(headers.get("date"))
        if date is not None:
            self._skew = date - now
        data = response.data if isinstance(response.data, dict) else {}
        return _Reply(data, headers)

    def _refused(self, response: SlackResponse, now: float, kind: DeliveryKind) -> _Reply:
        reply = self._read(response, now)
        wait = transport.retry_after(
            reply.headers.get("retry-after"), now, reply.headers.get("date")
        )
        error = str(reply.data.get("error") or "")
        status = int(response.status_code)
        if status == 200 and _ERROR.fullmatch(error):
            answer = classify_error(
                error,
                kind,
                channel=self._integration.channel,
                needed=str(reply.data.get("needed") or ""),
                retry_after=wait,
            )
        elif status == 200:
            # slack_sdk puts a sentence there when the body was not JSON.
            answer = classify_fault(Fault.GARBLED, self._host)
        else:
            answer = classify_status(status, wait)
        return _Reply(reply.data, reply.headers, error, answer)


# Slack's names for errors; slack_sdk's own sentences have blanks.
_ERROR = re.compile(r"[a-z0-9_]+")


def _unread(reply: _Reply) -> Found:
    """What a failed read means for the question."""
    assert reply.failed is not None
    reason = reply.error or reply.failed.detail
    if reply.error in _UNREADABLE:
        needed = str(reply.data.get("needed") or "")
        return Found.cant_ask(f"{reason}: {needed}" if needed else reason)
    return Found.later(reason, reply.failed.retry_after)


def _objects(data: Mapping[str, Any], name: str) -> list[dict[str, Any]]:
    found = data.get(name)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _delivery_id(message: Mapping[str, Any]) -> str:
    """The id of the delivery that a message was, empty for other people's messages."""
    metadata = message.get("metadata")
    if not isinstance(metadata, dict) or metadata.get("event_type") != EVENT_TYPE:
        return ""
    payload = metadata.get("event_payload")
    return str(payload.get("delivery_id", "")) if isinstance(payload, dict) else ""


def _seconds(message: Mapping[str, Any]) -> float:
    try:
        return float(message.get("ts", ""))
    except (TypeError, ValueError):
        return float("inf")


def _fault(error: Exception) -> Fault:
    """urllib wraps what happens until the request is out in URLError; what happens to the
    answer comes as it is."""
    if not isinstance(error, URLError):
        return _lost(error)
    reason = error.reason
    if isinstance(reason, ssl.SSLCertVerificationError):
        return Fault.TLS
    if isinstance(reason, socket.gaierror):
        return Fault.UNKNOWN_HOST
    if isinstance(reason, TimeoutError):
        return Fault.CONNECT_TIMEOUT
    # The request may have gone out before the connection broke.
    if isinstance(reason, ConnectionResetError | BrokenPipeError | ConnectionAbortedError):
        return Fault.RESET
    return Fault.TLS if isinstance(reason, ssl.SSLError) else Fault.UNREACHABLE


def _lost(error: Exception) -> Fault:
    if isinstance(error, TimeoutError):
        return Fault.TIMEOUT
    return Fault.RESET if isinstance(error, OSError | HTTPException) else Fault.GARBLED
