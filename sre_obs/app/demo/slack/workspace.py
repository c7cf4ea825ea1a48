"""One workspace: its channels, its messages, and the Web API's methods on them.

No socket and no clock: the time comes with each call. Every method is as its page under
docs.slack.dev/reference/methods says, with the errors in the order in which Slack finds
them: token, scope, channel, content, message.
"""

from __future__ import annotations

import copy
import hashlib
import json
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sre_obs.app.demo.slack import paging
from sre_obs.app.demo.slack.limits import (
    MAX_ATTACHMENTS,
    MAX_POST_TEXT,
    MAX_UPDATE_TEXT,
    Refused,
    check_blocks,
    check_metadata,
)

Message = dict[str, Any]

BOT = {"user": "U0SREOBS", "bot_id": "B0SREOBS", "app_id": "A0SREOBS", "team": "T0STANDIN"}
SCOPES = ("chat:write", "chat:write.public", "channels:read", "channels:history")


@dataclass(slots=True)
class Channel:
    """A channel and its messages by `ts`, in order."""

    id: str
    name: str
    member: bool = True  # whether the bot is in it
    archived: bool = False
    private: bool = False
    messages: dict[str, Message] = field(default_factory=dict)

    @classmethod
    def named(cls, name: str) -> Channel:
        """With an id that follows from the name, the same in every process."""
        bare = name.removeprefix("#")
        digest = hashlib.blake2b(bare.encode(), digest_size=5).hexdigest().upper()
        return cls("C" + digest, bare)

    def thread(self, ts: str) -> list[Message]:
        """The replies to the message at `ts`, oldest first."""
        return [m for m in self.messages.values() if m.get("thread_ts") == ts != m["ts"]]


class Workspace:
    """Answers calls of Web API methods; thread-safe.

    `record` is told of each message that is new, changed or gone, before the answer.
    `scopes` may be changed at any time, as an administrator would.
    """

    def __init__(
        self, channels: Iterable[str], token: str, record: Callable[[Mapping[str, Any]], None]
    ) -> None:
        self.token = token
        self.scopes: set[str] = set(SCOPES)
        self.channels = {c.id: c for c in map(Channel.named, channels)}
        self._record = record
        self._lock = threading.RLock()
        self._last = 0  # microseconds of the newest ts

    def call(self, method: str, token: str, args: Mapping[str, Any], now: float) -> dict[str, Any]:
        """The answer's JSON. Raises Refused with Slack's error."""
        handler = _METHODS.get(method)
        if handler is None:
            raise Refused("unknown_method", req_method=method)
        if not token:
            raise Refused("not_authed")
        if token != self.token:
            raise Refused("invalid_auth")
        with self._lock:
            scope, function = handler
            self._need(scope)
            return {"ok": True, **function(self, args, now)}

    def restore(self, change: Mapping[str, Any]) -> None:
        """Take over one change that an earlier process recorded."""
        channel = self.channels.setdefault(
            change["channel"], Channel(change["channel"], change["channel_name"])
        )
        if "deleted" in change:
            channel.messages.pop(change["deleted"], None)
        else:
            message = dict(change["message"])
            channel.messages[message["ts"]] = message
            self._last = max(self._last, int(message["ts"].replace(".", "")))

    def say(
        self, channel: str, text: str, now: float, *, user: str = "U0PERSON", thread_ts: str = ""
    ) -> str:
        """A person writes into a channel; the message's ts. Raises Refused."""
        with self._lock:
            message = {"type": "message", "user": user, "text": text}
            if thread_ts:
                message["thread_ts"] = thread_ts
            return str(self._store(self._find(channel), message, now)["ts"])

    def find(self, channel: str) -> Channel:
        """The channel of that name or id. Raises Refused: channel_not_found."""
        with self._lock:
            return self._find(channel)

    def everything(self) -> list[tuple[Channel, list[Message]]]:
        """All channels with copies of their messages, oldest first."""
        with self._lock:
            return [
                (c, [copy.deepcopy(m) for m in c.messages.values()]) for c in self.channels.values()
            ]

    # The methods. Each is given the arguments as JSON values (see `server`).

    def _auth_test(self, args: Mapping[str, Any], now: float) -> dict[str, Any]:
        return {
            "url": "https://stand-in.slack.com/",
            "team": "Stand-in",
            "user": "sre-obs",
            "team_id": BOT["team"],
            "user_id": BOT["user"],
            "bot_id": BOT["bot_id"],
            "is_enterprise_install": False,
        }

    def _post(self, args: Mapping[str, Any], now: float) -> dict[str, Any]:
        channel = self._writable(args)
        content = _content(args, MAX_POST_TEXT)
        if not any(content.get(key) for key in ("text", "blocks", "attachments")):
            raise Refused("no_text")
        message: Message = {"type": "message", **BOT, "text": "", **content}
        parent = str(args.get("thread_ts") or "")
        if parent:
            # Slack wants the parent's ts, never a reply's, and lets nobody answer nothing.
            root = channel.messages.get(parent)
            if root is None or root.get("thread_ts", parent) != parent:
                raise Refused("cannot_reply_to_message")
            message["thread_ts"] = parent
            if _flag(args.get("reply_broadcast")):
                message["subtype"] = "thread_broadcast"
        stored = self._store(channel, message, now)
        return {"channel": channel.id, "ts": stored["ts"], "message": _view(stored, channel, True)}

    def _update(self, args: Mapping[str, Any], now: float) -> dict[str, Any]:
        channel = self.channels.get(str(args.get("channel", "")))  # by id alone
        if channel is None or (channel.private and not channel.member):
            raise Refused("channel_not_found")
        if channel.archived:
            raise Refused("is_archived")
        content = _content(args, MAX_UPDATE_TEXT)
        if not any(key in content for key in ("text", "blocks", "attachments")):
            raise Refused("no_text")
        message = channel.messages.get(str(args.get("ts", "")))
        if message is None:
            raise Refused("message_not_found")
        if message.get("bot_id") != BOT["bot_id"]:
            raise Refused("cant_update_message")
        if "blocks" not in content and "text" in content:
            message.pop("blocks", None)  # as documented: text alone removes the blocks
            message["edited"] = {"user": BOT["user"], "ts": f"{now:.6f}"}
        message.update(content)
        _name_blocks(message, self._last)
        self._keep(channel, message)
        answer = {"channel": channel.id, "ts": message["ts"], "text": message["text"]}
        return {**answer, "message": _view(message, channel, True)}

    def _delete(self, args: Mapping[str, Any], now: float) -> dict[str, Any]:
        channel = self._find(str(args.get("channel", "")))
        message = channel.messages.get(str(args.get("ts", "")))
        if message is None:
            raise Refused("message_not_found")
        if message.get("bot_id") != BOT["bot_id"]:
            raise Refused("cant_delete_message")
        self.remove(channel.id, message["ts"])
        return {"channel": channel.id, "ts": message["ts"]}

    def _history(self, args: Mapping[str, Any], now: float) -> dict[str, Any]:
        channel = self._readable(args)
        shown = [
            m
            for m in channel.messages.values()
            if m.get("thread_ts", m["ts"]) == m["ts"] or m.get("subtype") == "thread_broadcast"
        ]
        page, more = paging.history(shown, args)
        views = [_view(m, channel, _flag(args.get("include_all_metadata"))) for m in page]
        return {"messages": views, "pin_count": 0, **more}

    def _replies(self, args: Mapping[str, Any], now: float) -> dict[str, Any]:
        channel = self._readable(args)
        found = channel.messages.get(str(args.get("ts", "")))
        if found is None:
            raise Refused("thread_not_found")
        root = channel.messages.get(str(found.get("thread_ts", found["ts"])), found)
        page, more = paging.replies([root, *channel.thread(root["ts"])], args)
        views = [_view(m, channel, _flag(args.get("include_all_metadata"))) for m in page]
        return {"messages": views, **more}

    def _list(self, args: Mapping[str, Any], now: float) -> dict[str, Any]:
        types = str(args.get("types") or "public_channel").split(",")
        found = [
            _about(c)
            for c in self.channels.values()
            if ("private_channel" in types and c.member if c.private else "public_channel" in types)
            and not (c.archived and _flag(args.get("exclude_archived")))
        ]
        page, more = paging.plain(found, args)
        return {"channels": page, **more}

    def _info(self, args: Mapping[str, Any], now: float) -> dict[str, Any]:
        channel = self.channels.get(str(args.get("channel", "")))
        if channel is None or (channel.private and not channel.member):
            raise Refused("channel_not_found")
        return {"channel": _about(channel)}

    # What the methods share.

    def _need(self, scope: str) -> None:
        if scope and scope not in self.scopes:
            raise Refused("missing_scope", needed=scope, provided=",".join(sorted(self.scopes)))

    def _find(self, given: str) -> Channel:
        bare = given.removeprefix("#")
        for channel in self.channels.values():
            if given == channel.id or bare == channel.name:
                return channel
        raise Refused("channel_not_found")

    def _writable(self, args: Mapping[str, Any]) -> Channel:
        channel = self._find(str(args.get("channel", "")))
        if channel.private and not channel.member:
            raise Refused("channel_not_found")
        if channel.archived:
            raise Refused("is_archived")
        if not channel.member and "chat:write.public" not in self.scopes:
            raise Refused("not_in_channel")
        return channel

    def _readable(self, args: Mapping[str, Any]) -> Channel:
        channel = self.channels.get(str(args.get("channel", "")))  # by id alone
        if channel is None or (channel.private and not channel.member):
            raise Refused("channel_not_found")
        if channel.private:
            self._need("groups:history")
        if not channel.member:
            raise Refused("not_in_channel")
        return channel

    def _store(self, channel: Channel, message: Message, now: float) -> Message:
        self._last = max(int(now * 1_000_000), self._last + 1)
        message["ts"] = f"{self._last // 1_000_000}.{self._last % 1_000_000:06d}"
        _name_blocks(message, self._last)
        channel.messages[message["ts"]] = message
        self._keep(channel, message)
        return message

    def _keep(self, channel: Channel, message: Message) -> None:
        self._record({"channel": channel.id, "channel_name": channel.name, "message": message})

    def remove(self, channel: str, ts: str) -> None:
        """Delete a message, as its author or an administrator does. Raises Refused."""
        with self._lock:
            found = self._find(channel)
            if found.messages.pop(ts, None) is None:
                raise Refused("message_not_found")
            self._record({"channel": found.id, "channel_name": found.name, "deleted": ts})


def _content(args: Mapping[str, Any], longest: int) -> dict[str, Any]:
    """The keys of `args` that make up what a message says, checked."""
    content: dict[str, Any] = {}
    if args.get("text") is not None:
        content["text"] = str(args["text"])
        if len(content["text"]) > longest:
            raise Refused("msg_too_long")
    if args.get("blocks") is not None:
        content["blocks"] = _structured(args["blocks"], "invalid_blocks_format", list)
        check_blocks(content["blocks"])
    if args.get("attachments") is not None:
        content["attachments"] = _structured(args["attachments"], "invalid_attachments", list)
        if len(content["attachments"]) > MAX_ATTACHMENTS:
            raise Refused("too_many_attachments")
    if args.get("metadata") is not None:
        content["metadata"] = _structured(args["metadata"], "invalid_metadata_format", dict)
        if content["metadata"]:  # empty: it is taken away
            check_metadata(content["metadata"])
    return content


def _name_blocks(message: Message, seed: int) -> None:
    """Slack names the blocks that came without a block_id."""
    for number, block in enumerate(message.get("blocks", ())):
        block.setdefault("block_id", f"{seed:x}-{number}")


def _structured(value: Any, error: str, shape: type) -> Any:
    """A JSON body holds it as it is, a form as JSON text."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            raise Refused(error) from None
    if not isinstance(value, shape):
        raise Refused(error)
    return copy.deepcopy(value)


def _flag(value: Any) -> bool:
    return str(value).lower() in ("1", "true")


def _view(message: Message, channel: Channel, metadata: bool) -> Message:
    """A message as the API shows it. Without `include_all_metadata` only the type of
    the metadata is shown, not its payload."""
    view = copy.deepcopy(message)
    if not metadata and view.get("metadata"):
        view["metadata"] = {"event_type": view["metadata"]["event_type"]}
    replies = channel.thread(message["ts"])
    if replies:
        users = list(dict.fromkeys(r["user"] for r in replies))
        view |= {
            "thread_ts": message["ts"],
            "reply_count": len(replies),
            "reply_users": users,
            "reply_users_count": len(users),
            "latest_reply": replies[-1]["ts"],
        }
    return view


def _about(channel: Channel) -> dict[str, Any]:
    return {
        "id": channel.id,
        "name": channel.name,
        "name_normalized": channel.name,
        "is_channel": not channel.private,
        "is_group": channel.private,
        "is_private": channel.private,
        "is_archived": channel.archived,
        "is_member": channel.member,
    }


_Handler = Callable[[Workspace, Mapping[str, Any], float], dict[str, Any]]

_METHODS: dict[str, tuple[str, _Handler]] = {
    "auth.test": ("", Workspace._auth_test),
    "chat.postMessage": ("chat:write", Workspace._post),
    "chat.update": ("chat:write", Workspace._update),
    "chat.delete": ("chat:write", Workspace._delete),
    "conversations.history": ("channels:history", Workspace._history),
    "conversations.replies": ("channels:history", Workspace._replies),
    "conversations.list": ("channels:read", Workspace._list),
    "conversations.info": ("channels:read", Workspace._info),
}
