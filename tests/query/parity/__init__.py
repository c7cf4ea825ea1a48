"""Request in, response out: the in-process search against a real Elasticsearch.

Expected values come from the server and nowhere else. `cases` are picked by hand, one
group for each operator and aggregation; `generate` makes documents and requests from a
seed. A construct that we refuse is fine only where a case says so.

Documented, not proven, because this server lacks them: scaled_float, constant_keyword,
wildcard and match_only_text fields, unsigned_long, data streams' own templates.
"""
