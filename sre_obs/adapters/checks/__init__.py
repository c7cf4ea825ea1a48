"""Checks that need what only adapters have: one a file, named as its slug.

    template   the names in a rule's templates, against those that an alert has

What does not live here: all other checks of a rule (`content.rules.checks`).
"""
