"""`sre-obs check`: files -> findings.

    gather    which files there are, and what each of them is
    guess     what a file is whose name says that it is a rule, and its keys something else
    rule      one rule file -> what is wrong, and what it is compared by
    others    routes, silences, overrides, tests and telemetry packs -> what is wrong
    across    what only shows when rules are seen together
    cache     what was found before, by the content of a file
    run       all of it -> one report
    pages     the page of each slug
    live      the fields of a cluster, in the place of the contract's

What does not live here: the checks themselves; each is in the room that knows its matter
(`content.rules.checks`, `content.routes.checks`, `adapters.checks`).
"""
