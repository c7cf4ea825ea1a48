"""`silences.yml` -> `Silence`s: planned ones, kept under version control.

    schema   the keys of the file
    load     the file -> silences and problems, with what no single key can tell

What does not live here: silences that people make while it burns (they are the daemon's, in
its store), and whether an alert is silenced (`route`).
"""
