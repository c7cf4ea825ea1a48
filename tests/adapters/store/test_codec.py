"""Each noun's JSON form: what is written reads back equal, whatever version wrote it."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sre_obs.adapters.store import codec
from tests.model import nouns
from tests.model.nouns import (
    make_alert,
    make_delivery,
    make_entity,
    make_entry,
    make_group,
    make_run,
    make_silence,
)

FORMS: dict[str, tuple[Callable[[Any], str], Callable[[str], Any], st.SearchStrategy[Any]]] = {
    "alert": (codec.dump_alert, codec.load_alert, nouns.alerts),
    "group": (codec.dump_group, codec.load_group, nouns.groups),
    "delivery": (codec.dump_delivery, codec.load_delivery, nouns.deliveries),
    "silence": (codec.dump_silence, codec.load_silence, nouns.silences),
    "entity": (codec.dump_entity, codec.load_entity, nouns.entities),
    "run": (codec.dump_run, codec.load_run, nouns.runs),
    "audit": (codec.dump_audit, codec.load_audit, nouns.audit_entries),
}
EXAMPLES = {
    "alert": make_alert(),
    "group": make_group(),
    "delivery": make_delivery(),
    "silence": make_silence(),
    "entity": make_entity(),
    "run": make_run(),
    "audit": make_entry(),
}


@pytest.mark.parametrize("noun", FORMS)
@given(data=st.data())
def test_a_noun_reads_back_equal(noun: str, data: st.DataObject) -> None:
    dump, load, values = FORMS[noun]
    value = data.draw(values)

    assert load(dump(value)) == value


@pytest.mark.parametrize("noun", FORMS)
def test_a_key_of_a_later_version_is_ignored(noun: str) -> None:
    dump, load, _ = FORMS[noun]
    stored = json.loads(dump(EXAMPLES[noun])) | {"from_the_future": [1, None]}

    assert load(json.dumps(stored)) == EXAMPLES[noun]


@pytest.mark.parametrize(
    ("noun", "keys"),
    [
        ("alert", ("annotations", "labels")),
        ("group", ("labels",)),
        ("delivery", ("reason", "firing", "resolved", "generation")),
        ("silence", ("created_by", "comment")),
        ("entity", ("entity",)),
        ("audit", ("who", "action", "subject", "detail")),
    ],
)
def test_a_key_that_an_earlier_version_did_not_write_has_its_default(
    noun: str, keys: tuple[str, ...]
) -> None:
    dump, load, _ = FORMS[noun]
    stored = json.loads(dump(EXAMPLES[noun]))
    for key in keys:
        del stored[key]

    loaded = load(json.dumps(stored))
    assert all(not getattr(loaded, key) or getattr(loaded, key) == 1 for key in keys)


@pytest.mark.parametrize("noun", FORMS)
@pytest.mark.parametrize("text", ["{}", "[]", "7", '{"fingerprint": 7}', "", "{"])
def test_text_that_no_version_wrote_is_an_error_of_one_of_three_kinds(noun: str, text: str) -> None:
    _, load, _ = FORMS[noun]
    if noun in ("audit",) and text == "{}":
        text = "null"

    with pytest.raises((KeyError, ValueError, TypeError)):
        load(text)


def test_nan_reads_back_as_nan_even_where_a_number_must_be() -> None:
    loaded = codec.load_alert(codec.dump_alert(make_alert(starts_at=math.nan, ends_at=math.nan)))

    assert math.isnan(loaded.starts_at)
    assert loaded.ends_at is not None
    assert math.isnan(loaded.ends_at)


def test_any_mapping_can_be_written() -> None:
    labels = MappingProxyType({"alertname": "X"})

    assert codec.load_alert(codec.dump_alert(make_alert(labels=labels))).labels == labels


def test_defaults_take_no_room() -> None:
    stored = json.loads(codec.dump_alert(make_alert()))

    assert sorted(stored) == [
        "annotations", "fingerprint", "fired_at", "labels", "starts_at", "updated_at",
    ]  # fmt: skip


def test_two_keys_never_fall_together_in_a_column() -> None:
    keys = ["\udcff", "\ufffd", "\\udcff", "\ud800", "?"]

    assert len({codec.column(key) for key in keys}) == len(keys)
