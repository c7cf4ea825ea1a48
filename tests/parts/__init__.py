"""The real servers that tests run on: built once a machine, one of each a test run.

    lockfile       tests/parts.lock: what there is, in which version, with which sha256
    cache          where a built part lies; built aside, renamed in under a lock
    golang         Go modules -> executables, and the search for a Go that is new enough
    process        a server's user, ports and end, whatever its kind
    jdk            the search for a JDK that is new enough
    elasticsearch  Elasticsearch out of Maven Central: archive -> part, part -> server
    kubernetes     Kubernetes out of Go modules, with fake nodes: part -> cluster
    secured        the same with security and TLS: first user, certificate, settings
    certificates   authorities and certificates for tests, by openssl
    run            one server of each kind a test run, shared by all workers, gone with it
    fixtures       what tests see: elasticsearch_url, es_prefix, secured_elasticsearch,
                   kubernetes, kubernetes_client, namespace
    __main__       the same by hand: python -m tests.parts list|install|where|start

What does not live here: stand-ins for what nobody can run (tests/fakes), and anything
that the package ships. Nothing here skips: a part that cannot be had is a PartError
that names the part.
"""

from __future__ import annotations


class PartError(Exception):
    """A part cannot be built or started; the message names it and says what to do."""
