"""`rules/<service>/<slug>.yml` -> `Rule`.

    schema    the keys of a rule file, their types, bounds and defaults
    written   the file as it was written: where each key stands, what is wrong with it
    index     which index patterns a rule may read
    dsl       which Elasticsearch clauses a rule's query may be made of
    templates a template's text, read once for all who look at it
    queries   a query's text with its variables -> `Query`
    measures  measures, and the expressions made of them
    levels    whether limits, levels and the numbers of single entities fit together
    build     all of it -> `Rule`, and the checks that no single key can tell
    load      one file or a folder of them
    checks    what a rule that can be read still can't mean, one file each

What does not live here: whether the fields exist on the cluster, and how a kind decides
(`evaluate`).
"""
