"""Is something wrong? Rules that are due at one moment become alerts that fire or end.

One evaluation, top to bottom::

    rules due at `at`, what is known of their entities
      -> kinds       each rule's needs: which documents, which window, by which fields
      -> plan        needs -> requests, what many look at once (`merge`, `request`,
                     `selector`, `anchor`); answers -> rows (`rows`, `keep`)
      -> Source      the searches themselves (a port)
      -> kinds       rows -> a judgement an entity: true, false, unknown
      -> states      judgement after judgement: `for`, `keep_firing_for`, hold; by the
                     `levels` of the rule and the `history` of the entity
      -> evidence    a few documents for what newly fires
      -> alerts      labels, annotations, identity
      -> Changes     entity states, runs and alerts, for the Ledger and the Store

Also here: when a rule is due (`schedule`), which of its fields are unknown (`fields`),
what becomes of a removed rule's alerts (`retire`), the role that rules need (`role`), and
`kibana`: the alerts that Kibana's own rules keep, as ours.

What does not live here: sockets and clocks (adapters), reading rule files (content), the
in-process search (query), who is told and when (route). `at` is the scheduled time, and
every time that ends up in an alert derives from it: catching up after downtime gives what
never being down would have given.
"""
