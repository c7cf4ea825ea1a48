"""`rules/telemetry/<pack>.yml` -> `Contract`: which streams and fields there are.

    schema   the keys of a pack
    load     packs, each later one adding to those before, -> one contract

What does not live here: what a rule does wrong with a field (`content.rules.checks`), and
what a live cluster has (`adapters`).
"""
