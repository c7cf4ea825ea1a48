"""A notice as a few plain lines, for the daemon's own output."""

from __future__ import annotations

from sre_obs.model.notification import RISEN
from sre_obs.notify import wording
from sre_obs.notify.headline import headline, origin, since, worst
from sre_obs.notify.notice import Notice
from sre_obs.notify.text import cut
from sre_obs.notify.wording import State

_WIDTH = 200
_MEMBERS = 5


def render(notice: Notice) -> str:
    """Lines without a line end after the last: headline, facts, members, origin.

    Nothing in it can move a cursor or colour a terminal: foreign text was cleaned.
    """
    alert = worst(notice)
    head = headline(notice)
    lines = [f"{wording.clock(notice.now, notice.now)}  {head}"]
    if alert is not None and notice.firing:
        if notice.delivery.reason == RISEN and (risen := wording.risen(alert)):
            lines.append(risen)
        fact = wording.fact(alert)
        if fact and fact != wording.measured(alert.evidence):  # that is in the headline
            lines.append(fact)
        told = [f"{since(alert, notice.now)}.", wording.meaning(alert)]
        lines.append(" ".join(part for part in told if part))
        if flaps := wording.flapping(notice.firing):
            lines.append(flaps)
        if look := wording.first_look(alert):
            lines.append(f"look: {look}")
        action = wording.first_action(alert)
        if action and head.state is not State.DRILL:
            lines.append(f"first: {action}")
        if runbook := wording.runbook(alert):
            lines.append(f"runbook: {runbook}")
    elif notice.resolved:
        lines.append(wording.why_ended(notice.resolved))
    if len(notice.firing) > 1:
        lines += _members(notice)
    lines.append(" | ".join(origin(notice, "terminal")))
    first, *rest = (cut(line, _WIDTH) for line in lines)
    return "\n".join([first, *(f"  {line}" for line in rest)])


def _members(notice: Notice) -> list[str]:
    ordered = wording.worst_first(notice.firing)
    lines = []
    for alert in ordered[:_MEMBERS]:
        names = "@".join(wording.entity(alert, without=notice.group.labels)) or alert.name
        facts = (wording.severity(alert), names, wording.measured(alert.evidence))
        lines.append("- " + " ".join(fact for fact in facts if fact))
    if len(ordered) > _MEMBERS:
        lines.append(f"- and {len(ordered) - _MEMBERS} more")
    return lines
