"""What a rule says that it can't mean: one check a file, named as its slug.

    subject        one rule with the places of its parts, as checks see it
    clauses        a query of either language as one small tree
    bounds         between which numbers a measure can be
    registry       all checks
    <slug>         one check: `check(subject)` -> problems; beside it its page, <slug>.md

A check knows the rule and the telemetry contract, nothing else, and costs no more than one
look at each part: what needs the other files of a folder is `same`, below.

    same           what rules are compared by, without comparing each with each

What does not live here: what keeps a file from being a rule at all (`content.rules.build`,
whose slugs have their pages here as well), and whether a template's names exist
(`adapters.checks`).
"""
