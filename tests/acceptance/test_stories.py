"""What people are told, when and why: the routing as its users see it."""

from __future__ import annotations

from tests.acceptance.story import alert, between, post, reply, story, update

SLACK = """
global: {slack_app_token: xoxb-1}
route:
  receiver: ops
  group_by: [alertname]
  group_wait: 10s
  group_interval: 60s
  repeat_interval: 1h
receivers:
  - name: ops
    slack_configs: [{channel: "#ops"}]
"""

WEBHOOK = """
route:
  receiver: ops
  group_by: [alertname]
  group_wait: 10s
  group_interval: 60s
  repeat_interval: 1h
receivers:
  - name: ops
    webhook_configs: [{url: "http://127.0.0.1:1/"}]
"""

DISK_A = alert("Disk", host="a", team="db")
DISK_B = alert("Disk", host="b", team="db")
LOAD_A = alert("Load", host="a", team="web")


def test_an_alert_is_told_after_group_wait_and_its_end_as_an_edit_and_a_reply() -> None:
    with story(SLACK, until=3000) as s:
        s.at(0).push(DISK_A)
        s.at(100).resolve(DISK_A)
        s.want(between(10, 10), "ops", post(firing=[DISK_A], reason="first notification"))
        s.want(between(130, 130), "ops", update(resolved=[DISK_A], reason="all resolved"))
        s.want(between(130, 130), "ops", reply(resolved=[DISK_A], reason="all resolved"))
    assert not s.ledger.alerts, "what ended and was told is forgotten"
    assert not s.ledger.groups
    assert not s.disk.groups


def test_alerts_that_share_the_group_labels_are_told_together() -> None:
    with story(SLACK, until=50) as s:
        s.at(0).push(DISK_A, LOAD_A)
        s.at(5).push(DISK_B)
        s.want(between(10, 10), "ops", post(firing=[DISK_A, DISK_B]))
        s.want(between(10, 10), "ops", post(firing=[LOAD_A]))


def test_a_new_member_waits_for_the_group_interval_and_edits_the_message() -> None:
    with story(SLACK, until=100) as s:
        s.at(0).push(DISK_A)
        s.at(12).push(DISK_B)
        s.want(between(10, 10), "ops", post(firing=[DISK_A]))
        s.want(between(70, 70), "ops", update(firing=[DISK_A, DISK_B], reason="new alerts"))


def test_an_alert_that_ends_within_group_wait_is_told_to_nobody() -> None:
    with story(SLACK, until=3000) as s:
        s.at(0).push(DISK_A)
        s.at(9).resolve(DISK_A)
    assert not s.ledger.alerts
    assert not s.ledger.groups


def test_an_alert_that_is_old_already_is_told_at_once() -> None:
    with story(SLACK, until=30) as s:
        s.at(0).push(DISK_A, age=11)
        s.want(between(0, 0), "ops", post(firing=[DISK_A]))


def test_an_old_alert_takes_the_group_that_waits_along() -> None:
    with story(SLACK, until=30) as s:
        s.at(0).push(DISK_A)
        s.at(3).push(DISK_B, age=60)
        s.want(between(3, 3), "ops", post(firing=[DISK_A, DISK_B]))


def test_a_reminder_comes_as_a_reply_each_repeat_interval() -> None:
    with story(SLACK, until=7300) as s:
        s.at(0).push(DISK_A)
        s.want(between(10, 10), "ops", post(firing=[DISK_A]))
        for hour in (1, 2):
            at = 10 + hour * 3600
            s.want(between(at, at), "ops", reply([DISK_A], reason="repeat interval elapsed"))


def test_one_member_ends_while_another_fires() -> None:
    with story(SLACK, until=200) as s:
        s.at(0).push(DISK_A, DISK_B)
        s.at(20).resolve(DISK_B)
        s.want(between(10, 10), "ops", post(firing=[DISK_A, DISK_B]))
        s.want(
            between(70, 70),
            "ops",
            update(firing=[DISK_A], resolved=[DISK_B], reason="alerts resolved"),
        )


def test_an_alert_that_fires_again_after_its_end_was_told_starts_a_new_message() -> None:
    with story(SLACK, until=300) as s:
        s.at(0).push(DISK_A)
        s.at(20).resolve(DISK_A)
        s.at(80).push(DISK_A)
        s.want(between(10, 10), "ops", post(firing=[DISK_A]))
        s.want(between(70, 70), "ops", update(resolved=[DISK_A]))
        s.want(between(70, 70), "ops", reply(resolved=[DISK_A]))
        # Its group begins anew: group_wait, not the rest of the interval.
        s.want(between(90, 90), "ops", post(firing=[DISK_A], reason="first notification"))
    assert [r.delivery.generation for r in s.received] == [1, 1, 1, 2]


def test_an_alert_that_ends_and_fires_again_between_two_looks_is_not_told_again() -> None:
    with story(SLACK, until=200) as s:
        s.at(0).push(DISK_A)
        s.at(20).resolve(DISK_A)
        s.at(30).push(DISK_A)
        s.want(between(10, 10), "ops", post(firing=[DISK_A]))
    assert (
        s.ledger.alerts[DISK_A.fingerprint].fired_at
        == s.ledger.alerts[DISK_A.fingerprint].starts_at
    )


def test_a_re_sent_alert_is_told_once() -> None:
    with story(WEBHOOK, until=500) as s:
        for at in range(0, 500, 30):
            s.at(at).push(DISK_A, lasting=60)  # each time with a later start
        s.want(between(10, 10), "ops", post(firing=[DISK_A]))


def test_an_alert_that_is_not_sent_any_more_ends() -> None:
    with story(WEBHOOK, until=500) as s:
        s.at(0).push(DISK_A, lasting=100)
        s.want(between(10, 10), "ops", post(firing=[DISK_A]))
        s.want(between(130, 130), "ops", post(resolved=[DISK_A], reason="all resolved"))


def test_a_webhook_is_posted_to_for_each_change_with_the_whole_group() -> None:
    with story(WEBHOOK, until=400) as s:
        s.at(0).push(DISK_A)
        s.at(20).push(DISK_B)
        s.at(80).resolve(DISK_A)
        s.at(140).resolve(DISK_B)
        s.want(between(10, 10), "ops", post(firing=[DISK_A]))
        s.want(between(70, 70), "ops", post(firing=[DISK_A, DISK_B], reason="new alerts"))
        s.want(between(130, 130), "ops", post([DISK_B], [DISK_A], reason="alerts resolved"))
        s.want(between(190, 190), "ops", post(resolved=[DISK_B], reason="all resolved"))


def test_who_does_not_want_ends_is_not_told_of_them_and_hears_when_it_fires_again() -> None:
    with story(WEBHOOK.replace('/"}', '/", send_resolved: false}'), until=300) as s:
        s.at(0).push(DISK_A)
        s.at(20).resolve(DISK_A)
        s.at(100).push(DISK_A)
        s.want(between(10, 10), "ops", post(firing=[DISK_A]))
        s.want(between(110, 110), "ops", post(firing=[DISK_A], reason="first notification"))
    assert (70, False, "resolved, which it is not told of") in s.reasons("ops/webhook[0]")


TWO_TEAMS = """
global: {slack_app_token: xoxb-1}
route:
  receiver: rest
  group_by: [alertname]
  group_wait: 10s
  group_interval: 60s
  repeat_interval: 1h
  routes:
    - receiver: everything
      continue: true
    - receiver: db
      matchers: [team="db"]
receivers:
  - name: rest
    webhook_configs: [{url: "http://127.0.0.1:1/"}]
  - name: everything
    webhook_configs: [{url: "http://127.0.0.1:2/"}]
  - name: db
    slack_configs: [{channel: "#db"}]
"""


def test_a_route_that_continues_tells_two_receivers() -> None:
    with story(TWO_TEAMS, until=300) as s:
        s.at(0).push(DISK_A, LOAD_A)
        s.at(20).resolve(DISK_A)
        s.want(between(10, 10), "everything", post(firing=[DISK_A]))
        s.want(between(10, 10), "everything", post(firing=[LOAD_A]))
        s.want(between(10, 10), "db", post(firing=[DISK_A]))
        s.want(between(70, 70), "everything", post(resolved=[DISK_A]))
        s.want(between(70, 70), "db", update(resolved=[DISK_A]))
        s.want(between(70, 70), "db", reply(resolved=[DISK_A]))
    assert DISK_A.fingerprint not in s.ledger.alerts
    assert LOAD_A.fingerprint in s.ledger.alerts


def test_a_receiver_that_fails_holds_up_nobody_else() -> None:
    with story(TWO_TEAMS, until=300) as s:
        s.fails("db", between(0, 200))
        s.at(0).push(DISK_A)
        s.want(between(10, 10), "everything", post(firing=[DISK_A]))
        s.want(between(200, 265), "db", post(firing=[DISK_A]))


def test_429_and_resolved_meanwhile_is_still_told_once() -> None:
    with story(SLACK, until=3000) as s:
        s.limits("ops", between(0, 20), retry_after=90)
        s.at(0).push(DISK_A)
        s.at(30).resolve(DISK_A)
        s.want(between(100, 100.5), "ops", post(resolved=[DISK_A], reason="all resolved"))
    assert not s.ledger.alerts


def test_a_post_that_waits_out_429_says_what_is_true_when_it_goes() -> None:
    with story(SLACK, until=150) as s:
        s.limits("ops", between(0, 20), retry_after=90)
        s.at(0).push(DISK_A)
        s.at(30).push(DISK_B)
        s.want(between(100, 100.5), "ops", post([DISK_A, DISK_B], reason="first notification"))


def test_edits_that_wait_are_told_as_one() -> None:
    with story(SLACK, until=400) as s:
        s.limits("ops", between(60, 80), retry_after=150)
        s.at(0).push(DISK_A)
        s.at(20).push(DISK_B)
        s.at(100).resolve(DISK_B)
        s.want(between(10, 10), "ops", post(firing=[DISK_A]))
        s.want(between(220, 220.5), "ops", update([DISK_A], [DISK_B]))


def test_a_webhook_that_was_down_gets_firing_and_then_resolved() -> None:
    with story(WEBHOOK, until=600) as s:
        s.fails("ops", between(0, 300))
        s.at(0).push(DISK_A)
        s.at(100).resolve(DISK_A)
        s.want(between(300, 370), "ops", post(firing=[DISK_A]))
        s.want(between(300, 370), "ops", post(resolved=[DISK_A]))
    assert [bool(r.message.firing) for r in s.received] == [True, False]
    assert not s.ledger.alerts


def test_what_ends_while_the_post_is_on_its_way_is_told_after_it() -> None:
    with story(SLACK, until=3000) as s:
        s.takes_long("ops", between(0, 20), seconds=90)
        s.at(0).push(DISK_A)
        s.at(20).resolve(DISK_A)
        s.want(between(100, 100), "ops", post(firing=[DISK_A]))
        s.want(between(100, 100), "ops", update(resolved=[DISK_A]))
        s.want(between(100, 100), "ops", reply(resolved=[DISK_A]))
    assert [r.message.kind for r in s.received] == ["post", "update", "reply"]


def test_a_post_that_failed_late_takes_the_edits_behind_it_along() -> None:
    with story(SLACK, until=300) as s:
        s.hangs("ops", between(0, 20), seconds=80)
        s.fails("ops", between(20, 160))
        s.at(0).push(DISK_A)
        s.at(20).push(DISK_B)  # an edit waits behind the post from 70
        s.at(100).resolve(DISK_B)  # and knows less than the post from 130
        s.want(between(160, 300), "ops", post([DISK_A], [DISK_B], "first notification"))


def test_a_message_that_was_given_up_is_posted_anew_with_the_next_news() -> None:
    with story(SLACK, until=200) as s:
        s.gives_up_on("ops", between(0, 20))
        s.at(0).push(DISK_A)
        s.at(20).push(DISK_B)
        s.want(between(70, 70), "ops", post(firing=[DISK_A, DISK_B], reason="new alerts"))


def test_nobody_is_told_what_is_silenced_and_it_is_told_when_the_silence_ends() -> None:
    with story(SLACK, until=300) as s:
        s.at(0).silence('team="db"', seconds=100)
        s.at(1).push(DISK_A, LOAD_A)
        s.want(between(11, 11), "ops", post(firing=[LOAD_A]))
        s.want(between(100, 100), "ops", post(firing=[DISK_A], reason="first notification"))
    told, reason = next((t, r) for at, t, r in s.reasons("ops/slack[0]") if "silenced" in r)
    assert not told
    assert reason == (
        "nothing to tell; 1 of 1 silenced by s1 (ana: a test) until 2023-11-14T22:15:00Z"
    )


def test_a_silence_that_is_expired_is_noticed_at_once() -> None:
    with story(SLACK, until=300) as s:
        s.at(0).silence('team="db"', seconds=10_000)
        s.at(1).push(DISK_A)
        s.at(200).expire_silence()
        s.want(between(200, 200), "ops", post(firing=[DISK_A]))


def test_a_silence_that_is_expired_does_not_cut_group_wait_short() -> None:
    with story(SLACK, until=300) as s:
        s.at(0).silence('team="db"', seconds=10_000)
        s.at(1).push(DISK_A)
        s.at(3).expire_silence()
        s.at(5).push(DISK_B)
        s.want(between(11, 11), "ops", post(firing=[DISK_A, DISK_B]))


def test_a_silenced_member_is_left_out_of_what_others_say() -> None:
    with story(SLACK, until=200) as s:
        s.at(0).push(DISK_A)
        s.at(20).silence('host="a"', seconds=130)
        s.at(30).push(DISK_B)
        s.want(between(10, 10), "ops", post(firing=[DISK_A]))
        s.want(between(70, 70), "ops", update(firing=[DISK_B], reason="new alerts"))
        # It was taken out of the message, so that it still fires is news.
        s.want(between(150, 150), "ops", update(firing=[DISK_A, DISK_B], reason="new alerts"))


def test_an_alert_that_ended_under_a_silence_is_told_as_resolved_after_it() -> None:
    with story(SLACK, until=3000) as s:
        s.at(0).push(DISK_A)
        s.at(20).silence('team="db"', seconds=500)
        s.at(100).resolve(DISK_A)
        s.want(between(10, 10), "ops", post(firing=[DISK_A]))
        s.want(between(520, 520), "ops", update(resolved=[DISK_A]))
        s.want(between(520, 520), "ops", reply(resolved=[DISK_A]))
    assert not s.ledger.alerts


def test_who_was_left_out_and_ended_under_a_silence_is_told_of_after_it() -> None:
    with story(WEBHOOK, until=600) as s:
        s.at(0).push(DISK_A)
        s.at(20).silence('host="a"', seconds=300)
        s.at(30).push(DISK_B)
        s.at(100).resolve(DISK_A)
        s.want(between(10, 10), "ops", post(firing=[DISK_A]))
        s.want(between(70, 70), "ops", post(firing=[DISK_B], reason="new alerts"))
        s.want(between(320, 320), "ops", post([DISK_B], [DISK_A], reason="alerts resolved"))


def test_an_alert_that_came_and_went_under_a_silence_was_never_there() -> None:
    with story(SLACK, until=3000) as s:
        s.at(0).silence('team="db"', seconds=500)
        s.at(1).push(DISK_A)
        s.at(100).resolve(DISK_A)
    assert not s.ledger.alerts


def test_a_shadow_alert_is_told_to_nobody() -> None:
    shadow = alert("Disk", host="a", shadow=True)
    with story(SLACK, until=300) as s:
        s.at(0).push(shadow)
    assert shadow.fingerprint in s.ledger.alerts, "it is shown"
    with story(SLACK, until=300) as s:
        s.at(0).push(shadow)
        s.at(10).resolve(shadow)
    assert not s.ledger.alerts


def test_a_shadow_that_goes_live_is_told() -> None:
    shadow = alert("Disk", host="a", shadow=True)
    live = alert("Disk", host="a")
    with story(SLACK, until=300) as s:
        s.at(0).push(shadow)
        s.at(50).push(live)
        s.want(between(50, 50), "ops", post(firing=[live]))


def test_an_alert_whose_rule_goes_into_shadow_is_still_told_to_have_ended() -> None:
    with story(SLACK, until=8000) as s:
        s.at(0).push(alert("Disk", host="a"))
        s.at(50).push(alert("Disk", host="a", shadow=True))
        s.at(7000).resolve(alert("Disk", host="a", shadow=True))
        s.want(between(10, 10), "ops", post(firing=[alert("Disk", host="a")]))
        s.want(between(7000, 7060), "ops", update(resolved=[alert("Disk", host="a")]))
        s.want(between(7000, 7060), "ops", reply(resolved=[alert("Disk", host="a")]))


def test_a_drill_is_told_like_any_alert_but_never_repeated() -> None:
    drill = alert("Drill", drill=True)
    with story(SLACK, until=8000) as s:
        s.at(0).push(drill)
        s.want(between(10, 10), "ops", post(firing=[drill], drill=True))


def test_a_restart_tells_nothing_twice_and_loses_nothing() -> None:
    with story(SLACK, until=3000) as s:
        s.at(0).push(DISK_A)
        s.at(5).push(LOAD_A)
        s.at(12).restart()
        s.at(30).restart()
        s.at(40).resolve(DISK_A, LOAD_A)
        s.at(50).restart()
        s.want(between(10, 10), "ops", post(firing=[DISK_A]))
        s.want(between(15, 15), "ops", post(firing=[LOAD_A]))
        for each in (DISK_A, LOAD_A):
            s.want(between(70, 75), "ops", update(resolved=[each]))
            s.want(between(70, 75), "ops", reply(resolved=[each]))
    assert not s.ledger.alerts


def test_a_restart_within_group_wait_loses_nothing() -> None:
    with story(WEBHOOK, until=100) as s:
        s.at(0).push(DISK_A)
        s.at(1).restart()
        s.want(between(10, 10), "ops", post(firing=[DISK_A]))


def test_after_a_restart_a_sender_gets_one_resolve_timeout_to_send_again() -> None:
    with story(WEBHOOK, until=1500) as s:
        for at in range(0, 600, 50):
            s.at(at).push(DISK_A, lasting=100)
        s.at(590).restart()
        for at in range(600, 1000, 50):
            s.at(at).push(DISK_A, lasting=100)
        s.want(between(10, 10), "ops", post(firing=[DISK_A]))
        s.want(between(1050, 1110), "ops", post(resolved=[DISK_A]))


def test_a_post_that_was_on_its_way_when_the_process_died_goes_out_again() -> None:
    with story(SLACK, until=60) as s:
        s.takes_long("ops", between(0, 11), seconds=30)
        s.at(0).push(DISK_A)
        s.at(15).restart()
        s.want(between(15, 20), "ops", post(firing=[DISK_A]))


def test_new_routes_keep_what_was_told_where_the_group_stays() -> None:
    with story(SLACK, until=300) as s:
        s.at(0).push(DISK_A)
        s.at(20).reload(SLACK.replace("1h", "2h"))
        s.want(between(10, 10), "ops", post(firing=[DISK_A]))


def test_who_was_told_by_the_old_routes_is_told_the_end_and_the_new_one_everything() -> None:
    moved = SLACK.replace(
        "receivers:",
        """  routes:
    - {receiver: db, matchers: [team="db"]}
receivers:
  - name: db
    webhook_configs: [{url: "http://127.0.0.1:1/"}]""",
    )
    with story(SLACK, until=8000) as s:
        s.at(0).push(DISK_A)
        s.at(100).reload(moved)
        s.at(5000).resolve(DISK_A)
        s.want(between(10, 10), "ops", post(firing=[DISK_A]))
        s.want(between(100, 100), "db", post(firing=[DISK_A], reason="first notification"))
        s.want(between(3700, 3700), "db", post([DISK_A], reason="repeat interval elapsed"))
        s.want(between(5000, 5060), "db", post(resolved=[DISK_A]))
        s.want(between(5000, 5060), "ops", update(resolved=[DISK_A]))
        s.want(between(5000, 5060), "ops", reply(resolved=[DISK_A]))
    assert not s.ledger.alerts
    assert not s.ledger.groups


def test_a_receiver_that_takes_over_a_route_is_told_what_fires() -> None:
    renamed = WEBHOOK.replace("ops", "night")
    with story(WEBHOOK, until=200) as s:
        s.at(0).push(DISK_A)
        s.at(100).reload(renamed)
        s.want(between(10, 10), "ops", post(firing=[DISK_A]))
        s.want(between(130, 130), "night", post(firing=[DISK_A], reason="first notification"))


def test_a_receiver_without_integrations_swallows_alerts_until_they_end() -> None:
    sink = "route: {receiver: nobody, group_wait: 1s}\nreceivers: [{name: nobody}]\n"
    with story(sink, until=3000) as s:
        s.at(0).push(DISK_A)
        s.at(50).resolve(DISK_A)
    assert not s.ledger.alerts
    assert (1, False, "the receiver tells nobody") in s.reasons("")
