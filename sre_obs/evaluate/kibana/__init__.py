"""Kibana's own alerts (`.alerts-*`) -> alerts as ours: on Basic Kibana runs rules and may
not tell anybody.

    document   one document of `.alerts-*` -> `KibanaAlert`, whichever rule type wrote it
    standing   whether it fires, is held back, has ended (and why), or is none of ours
    alert      its labels, annotations and links
    ask        the queries: what is active, what moved since, what became of these
    follow     documents + alerts as they stand -> alerts that began, changed or ended

Facts of the index (names, fields, life cycle): Elastic's page "Query alert indices" and
Kibana's source. Documents are read and never written: what was acknowledged or muted is so
in Kibana.

What does not live here: the searches themselves (`adapters`), when to look again (`app`).
"""
