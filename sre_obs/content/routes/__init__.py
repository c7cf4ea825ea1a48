"""`alertmanager.yml` (a strict subset of it) -> `Routing`.

    schema   the keys that we have, those of Alertmanager that we don't have yet
    build    receivers and the tree, inheritance resolved
    load     a file or a text -> Routing and problems; secrets never in what is shown

What does not live here: where an alert goes (`route`), what is sent (`notify`).
"""
