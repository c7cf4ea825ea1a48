"""What a message may hold: Slack's limits on blocks, text and metadata.

Sources: docs.slack.dev, reference/block-kit (each block's page) and reference/methods
(chat.postMessage, chat.update). The total over all blocks is not documented; messages
above about 13,200 characters are refused with `msg_blocks_too_long` (bolt-js#2509).
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NoReturn, TypeAlias

Json: TypeAlias = Mapping[str, Any]

MAX_BLOCKS = 50
MAX_BLOCKS_TEXT = 13_200
MAX_POST_TEXT = 40_000
MAX_UPDATE_TEXT = 4_000
MAX_ATTACHMENTS = 100
MAX_METADATA = 16_000  # bytes; Slack states no number

_SECTION, _FIELD, _HEADER, _BUTTON, _URL, _VALUE, _ID = 3_000, 2_000, 150, 75, 3_000, 2_000, 255


class Refused(Exception):
    """Slack's answer is `ok: false` with this `error`; `more` are further keys of it."""

    def __init__(self, error: str, **more: Any) -> None:
        super().__init__(error)
        self.error = error
        self.more = more


def check_blocks(blocks: Sequence[Any]) -> None:
    """Raises Refused: invalid_blocks with a pointer to the place, msg_blocks_too_long."""
    if len(blocks) > MAX_BLOCKS:
        _refuse(f"no more than {MAX_BLOCKS} items allowed", "/blocks")
    seen: set[str] = set()
    for number, block in enumerate(blocks):
        at = f"/blocks/{number}"
        if not isinstance(block, dict):
            _refuse("must be an object", at)
        check = _BLOCKS.get(block.get("type", ""))
        if check is None:
            _refuse(f"unsupported type: {block.get('type')}", f"{at}/type")
        block_id = block.get("block_id", "")
        _length(block_id, 0, _ID, f"{at}/block_id")
        if block_id and block_id in seen:
            _refuse("block_id must be unique", f"{at}/block_id")
        seen.add(block_id)
        check(block, at)
    if sum(map(_characters, blocks)) > MAX_BLOCKS_TEXT:
        raise Refused("msg_blocks_too_long")


def check_metadata(metadata: Any) -> None:
    """Raises Refused: invalid_metadata_format, metadata_too_large."""
    shape = isinstance(metadata, dict) and isinstance(metadata.get("event_type"), str)
    if not shape or not isinstance(metadata.get("event_payload"), dict):
        raise Refused("invalid_metadata_format")
    if len(json.dumps(metadata).encode()) > MAX_METADATA:
        raise Refused("metadata_too_large")


def _section(block: Json, at: str) -> None:
    fields = block.get("fields")
    if "text" not in block and not fields:
        _refuse("missing required field: text or fields", at)
    if "text" in block:
        _text(block["text"], _SECTION, f"{at}/text")
    if fields is not None:
        _items(fields, 10, f"{at}/fields")
        for number, text in enumerate(fields):
            _text(text, _FIELD, f"{at}/fields/{number}")
    if "accessory" in block:
        _element(block["accessory"], f"{at}/accessory")


def _header(block: Json, at: str) -> None:
    _text(block.get("text"), _HEADER, f"{at}/text", ("plain_text",))


def _context(block: Json, at: str) -> None:
    _items(block.get("elements"), 10, f"{at}/elements")
    for number, element in enumerate(block["elements"]):
        place = f"{at}/elements/{number}"
        if isinstance(element, dict) and element.get("type") == "image":
            continue
        _text(element, _SECTION, place)


def _actions(block: Json, at: str) -> None:
    _items(block.get("elements"), 25, f"{at}/elements")
    seen: set[str] = set()
    for number, element in enumerate(block["elements"]):
        place = f"{at}/elements/{number}"
        _element(element, place)
        name = element.get("action_id", "")
        if name and name in seen:
            _refuse("action_id must be unique within the block", f"{place}/action_id")
        seen.add(name)


def _element(element: Any, at: str) -> None:
    if not isinstance(element, dict) or not isinstance(element.get("type"), str):
        _refuse("must be a block element", at)
    _length(element.get("action_id", ""), 0, _ID, f"{at}/action_id")
    if element["type"] == "button":
        _text(element.get("text"), _BUTTON, f"{at}/text", ("plain_text",))
        _length(element.get("value", ""), 0, _VALUE, f"{at}/value")
        _length(element.get("url", ""), 0, _URL, f"{at}/url")


def _anything(block: Json, at: str) -> None:
    """For blocks that hold no text of a bounded length."""


_BLOCKS: dict[str, Callable[[Json, str], None]] = {
    "section": _section,
    "header": _header,
    "context": _context,
    "actions": _actions,
    "divider": _anything,
    "image": _anything,
    "rich_text": _anything,
}


def _text(
    text: Any, longest: int, at: str, types: tuple[str, ...] = ("mrkdwn", "plain_text")
) -> None:
    if not isinstance(text, dict) or text.get("type") not in types:
        _refuse(f"must be a text object of type {' or '.join(types)}", at)
    _length(text.get("text"), 1, longest, f"{at}/text")


def _length(text: Any, shortest: int, longest: int, at: str) -> None:
    if not isinstance(text, str):
        _refuse("must be a string", at)
    if len(text) < shortest:
        _refuse(f"must be more than {shortest - 1} characters", at)
    if len(text) > longest:
        _refuse(f"must be less than {longest + 1} characters", at)


def _items(items: Any, most: int, at: str) -> None:
    if not isinstance(items, list) or not items:
        _refuse("must be a list with at least 1 item", at)
    if len(items) > most:
        _refuse(f"no more than {most} items allowed", at)


def _refuse(why: str, at: str) -> NoReturn:
    message = f"[ERROR] {why} [json-pointer:{at}]"
    raise Refused("invalid_blocks", errors=[message], response_metadata={"messages": [message]})


def _characters(value: Any) -> int:
    """How many characters of text the reader's eye would meet, at any depth."""
    if isinstance(value, dict):
        return sum(
            len(inner) if key == "text" and isinstance(inner, str) else _characters(inner)
            for key, inner in value.items()
        )
    if isinstance(value, list):
        return sum(map(_characters, value))
    return 0
