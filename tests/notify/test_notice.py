"""A notice gathers what a delivery speaks of, also when some of it is gone."""

from __future__ import annotations

from dataclasses import replace

from sre_obs.model.changes import Changes
from sre_obs.model.ledger import Ledger
from sre_obs.model.notification import DeliveryKind, Told
from sre_obs.model.outcome import MessageRef
from sre_obs.model.problem import Location
from sre_obs.model.routing import Receiver, Route, Routing, SlackIntegration
from sre_obs.model.secret import Secret
from sre_obs.notify.headline import one_line, origin
from sre_obs.notify.notice import make_notice
from tests.model.nouns import make_alert, make_delivery, make_group

SLACK = SlackIntegration("team/slack[0]", "#team", Secret("xoxb-1"))
CHILD = Route("{}/{a=b}", "team", Location("routes.yml", 14))
ROUTING = Routing(
    root=Route("{}", "team", Location("routes.yml", 3), routes=(CHILD,)),
    receivers=(Receiver("team", (SLACK,)),),
)
HERE = MessageRef("C1", "1.0")


def told(generation: int = 1) -> dict[str, Told]:
    return {SLACK.id: Told(1.0, frozenset(("a1",)), frozenset(), generation, HERE)}


def ledger(**group: object) -> Ledger:
    made = Ledger()
    alerts = (make_alert("a1"), make_alert("a2", ends_at=200.0))
    made.apply(Changes(alerts=alerts, groups=(make_group(**group),)))
    return made


def test_it_lists_alerts_where_the_delivery_put_them() -> None:
    delivery = make_delivery(firing=("a1", "forgotten"), resolved=("a2",))
    notice = make_notice(delivery, ledger(route=CHILD.id), ROUTING, "", 300.0)
    assert [alert.fingerprint for alert in notice.firing] == ["a1"]
    assert [alert.fingerprint for alert in notice.resolved] == ["a2"]
    assert notice.integration is SLACK
    assert notice.route == "team, routes.yml:14"


def test_an_edit_gets_the_groups_message_of_its_own_generation() -> None:
    edit = make_delivery(kind=DeliveryKind.UPDATE)
    known = ledger(told=told())
    assert make_notice(edit, known, ROUTING, "", 300.0).message == HERE
    later = replace(edit, generation=2)
    assert make_notice(later, known, ROUTING, "", 300.0).message is None
    elsewhere = replace(edit, message=MessageRef("C2", "2.0"))
    assert make_notice(elsewhere, known, ROUTING, "", 300.0).message == elsewhere.message


def test_a_post_has_no_message_yet() -> None:
    notice = make_notice(make_delivery(), ledger(told=told()), ROUTING, "", 300.0)
    assert notice.message is None


def test_a_delivery_outlives_its_group_its_route_and_its_receiver() -> None:
    delivery = make_delivery(group="gone", integration="gone/slack[0]", receiver="gone")
    notice = make_notice(delivery, Ledger(), ROUTING, "", 300.0)
    assert notice.alerts == ()
    assert one_line(notice) == "INFO alerts no longer known"
    assert origin(notice, "#x")[0] == "gone -> #x"
