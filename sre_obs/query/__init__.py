"""Query text, and running a search in process.

Here: KQL (`kql`) and Lucene's syntax (`lucene`) read with positions and compiled to
Elasticsearch's DSL, the arithmetic of rules (`expression`), label matchers (`matchers`),
Elasticsearch's date math (`datemath`), and `search`, which executes a `_search` request body
over documents and answers as Elasticsearch would.

Not here: which requests a rule needs (evaluate), sending one to a server (adapters),
reading rule files (content). Nothing in this room touches a socket, a database or a clock.
"""
