"""The one test command: what it prepares, which phases it runs, what it says at the end.

    interpreters   Python 3.11, 3.12 and 3.13, from PATH or pyenv
    environment    one environment an interpreter, from the hashed lock files
    debian         what comes from Debian: the browser, its driver, strace
    phases         lint, the tiers, the older client, the other interpreters
    report         junit files -> seconds a phase, the slowest tests, the closing line
    __main__       argv -> phases -> exit code

The standard library alone, since nothing is installed yet when it starts. Servers are
the business of tests/parts.
"""

from __future__ import annotations


class NotReady(Exception):
    """Something that a phase needs is not to be had; the message names it."""
