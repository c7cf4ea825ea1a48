"""sre-obs: alerting for the Elastic stack's free licence.

The map. Data flows one way, and imports go down only::

    app       settings, wiring, use cases, command line, daemon, demo
    adapters  the only sockets, databases, processes and clock
    content   rules/, their tests, telemetry, routes -> load -> check -> nouns
    evaluate  rules due + now -> needs -> requests; answers -> rows -> alert changes
    route     alerts + now -> groups, silences -> notifications due, each with its reason
    notify    notification -> message -> outcome -> what becomes of the delivery
    query     KQL, Lucene, expressions, matchers; the in-process search
    model     nouns, errors, the Ledger, and the one port that spans stages (Store)

The five stages (content, evaluate, route, notify and, later, sync) never import one
another: what passes between them is a noun of ``model``. One alert's way through::

    document -> Source -> evaluate -> Changes ┐
    POST /api/v2/alerts ------------------> Changes ┤ one transaction
                                  route -> Changes ┘      │
                                             Ledger <─────┤ (memory)
                                              Store <─────┘ (disk)
    Ledger.deliveries -> notify -> Sender -> Outcome -> Changes -> Ledger, Store

This module imports nothing: a service that wants ``sre_obs.apm`` alone pays for
nothing else.
"""
