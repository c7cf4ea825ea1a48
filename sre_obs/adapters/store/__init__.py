"""Where alerts, groups and the outbox outlive the process: `model.store.Store` on disk.

    sqlite       SqliteStore: one file, one process; puts the rest together
    writer       the thread that commits: at once when idle, in batches when busy, again
                 when it failed
    rows         Changes -> rows; changes of one transaction merged by identity
    codec        noun <-> JSON text, total and tolerant of other versions
    tables       the tables, and each statement compiled once
    migrate      numbered scripts -> schema; refuses newer ones, keeps a copy of older ones
    files        one process a file, modes, what a damaged file looks like
    failures     SQLite's errors -> ours

What does not live here: what is stored and when (the stages and the daemon decide).
`writer`, `rows`, `codec` and `tables` know nothing of SQLite, so that another database
brings only its own connections and migrations.
"""
