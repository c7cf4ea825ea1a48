"""The nouns that pass between the stages, the errors, and the one port that spans them.

Frozen dataclasses and enums of the standard library: no I/O, no clock, no third party.
Times are float seconds since the epoch (UTC), durations float seconds.

    problem, errors    what is wrong with a file; why work can't go on
    fields, matcher    field types; label matchers
    rule               what is watched for: Rule, Query, Threshold
    evaluation         what a rule knows of its entities: EntityState, RuleRun, Outcome
    alert              what is wrong now: Alert, Evidence
    routing            who is told: Route, Receiver, Integration, Routing
    silence            what is not told: Silence
    notification       what was decided to be told: Group, Told, Delivery
    outcome            what a receiver answered
    changes            one transaction's worth of all that
    ledger             the working memory: what the store holds, applied change by change
    store              the port to the disk

What does not live here: anything that decides. Decisions are functions of the stages.
"""
