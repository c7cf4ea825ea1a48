"""`sre-obs test`: every case of every test file, through the daemon's own evaluation.

    files      folders, rules, test files -> which tests there are, and of which rule
    types      the field types of the telemetry contract beside a rule
    source     the documents of a case, as they are known at a time
    play       one case, round after round on a virtual clock -> its alerts
    compare    what came of it against what is expected
    nearest    how near an alert was that did not come
    leaves     a query -> its clauses
    clauses    which clause of a rule was seen true and false
    against    the same case on a real server
    share      cases over the processors
    run        all of it -> report
    watch      what changes, again

The language of test files is read in `content.tests`; printing is the command's work.
"""
