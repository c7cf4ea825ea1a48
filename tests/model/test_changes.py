"""Parts in order as one transaction: the last word on each thing stands."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from sre_obs.model.changes import Changes
from sre_obs.model.ledger import Ledger
from tests.model.nouns import make_alert, make_group

write_or_forget = st.tuples(st.booleans(), st.sampled_from("abc"))


def part(writes: bool, name: str) -> Changes:
    if writes:
        return Changes(alerts=(make_alert(name),), groups=(make_group(name),))
    return Changes(
        forgotten_alerts=(make_alert(name).fingerprint,), forgotten_groups=(make_group(name).key,)
    )


@given(st.lists(write_or_forget, min_size=1, max_size=8))
def test_a_joint_change_leaves_what_its_parts_leave_one_after_the_other(
    steps: list[tuple[bool, str]],
) -> None:
    parts = [part(writes, name) for writes, name in steps]
    one_by_one, at_once = Ledger(), Ledger()
    for each in parts:
        one_by_one.apply(each)
    at_once.apply(Changes.joint(parts))
    assert at_once.alerts == one_by_one.alerts
    assert at_once.groups == one_by_one.groups
