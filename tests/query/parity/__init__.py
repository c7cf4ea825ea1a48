"""Request in, response out: the in-process search against a real Elasticsearch.

Expected values come from the server and nowhere else. `cases` are picked by hand, one
group for each operator and aggregation; `generate`, `measures`, `needs` and `texts` make
documents, requests and queries from a seed. A construct that we refuse is fine only where a
case says so. README.md lists what is proven, in which bands, and what is documented alone
because this server lacks it.
"""
