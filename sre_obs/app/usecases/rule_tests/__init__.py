"""`sre-obs test`: every case of every test file, through the daemon's own evaluation.

    source     the documents of a case, as they are known at a time
    play       one case, round after round on a virtual clock -> its alerts
    compare    what came of it against what is expected
    clauses    which clause of a rule was seen true and false
    run        files -> cases -> report

The language of test files is read in `content.tests`; printing is the command's work.
"""
