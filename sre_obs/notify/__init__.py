"""What a notification says, and whether it was delivered.

A delivery of the outbox becomes a `Notice` (all that its words need), a `Notice` becomes
what one receiver understands, and what the receiver answers becomes one of a closed set
of verdicts, from which follows what becomes of the delivery::

    Delivery + Ledger -> notice -> slack | webhook | terminal -> (adapter) -> Answer
    Delivery + Answer -> retry -> Delivery      when: pace

    ports      Sender and Found: what an adapter must do
    notice     all that rendering needs, in one value
    text       foreign text made harmless and cut at a word
    wording    the same words for the same facts, wherever they are read
    headline   a notice's first line, and where it comes from
    slack/     blocks, and Slack's answers
    webhook    Alertmanager's JSON, and what a status means
    terminal   plain lines
    transport  what HTTP says whoever the receiver is
    retry      what becomes of a delivery after a try, a crash or a question
    pace       how fast a receiver may be written to

Everything here is a function of its arguments: no socket, no clock, no randomness.
Who is told, and when, is decided in `route`.
"""
