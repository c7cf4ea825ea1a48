"""`rules/<service>/<slug>.yml` -> `Rule`.

    schema   the keys of a rule file, their types, bounds and defaults
    index    which index patterns a rule may read
    dsl      which Elasticsearch clauses a rule's query may be made of
    build    what was read -> `Rule`, and the checks that no single key can tell
    load     one file or a folder of them

What does not live here: whether the fields exist on the cluster, and how a kind decides
(`evaluate`).
"""
