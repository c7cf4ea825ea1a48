"""Whether, when and whom to tell, each decision with its reason.

::

    alerts + now --accept--> alerts, groups            (whenever alerts come)
    group + now --flush--> observe > silence > dedup > enqueue > forget > next flush
    routes changed, or a fresh start --reroute--> which alert is in which group

    tree      which routes an alert takes, and why
    index     many lists of matchers, tried at once
    group     which group of a route an alert is in
    accept    alerts as they come: merged with what is known, put into groups
    pipeline  a group that is due: its steps, in one place
    observe   step: who is in the group and how they stand
    silence   step: who is told of to nobody just now; silences themselves
    dedup     step: what is news to an integration, and is it worth telling
    enqueue   step: what is told as rows of the outbox
    forget    steps: which alerts and groups are done with; when to look again
    reroute   groups anew, after a start or a reload

Inhibition and time intervals will be steps between observe and silence.

Everything here is a function of its arguments; what it decides is returned as `Changes`.
What does not live here: how a routes file reads (content), what a message says and what
becomes of a delivery once it is in the outbox (notify), when to look (app).
"""
