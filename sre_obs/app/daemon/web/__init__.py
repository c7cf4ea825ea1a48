"""The web page: server-rendered, no build step, readable on a phone, dark and light.

    words       times with their age, links that are links, hostile text made visible
    health      can we see at all: the line that lets an empty page prove itself
    firing      cards: what fires, what is stale, what is silenced; history
    story       one alert: why, who was told and who not, its life, what came before
    rules       the list, and one rule
    silences    the list, the form, its preview and its guard
    receivers   their health, and every delivery
    about       configuration, sources, who did what
    render      a view -> an answer: HTML or JSON, compressed
    pages       paths: reads the store in a thread, builds a view on the loop
    templates/  HTML;  static/  one stylesheet, two small scripts

A view is a function of the desk and of rows from the store; it gives plain values, which
a template escapes and the JSON twin shows as they are. Views read the ledger, so they
belong to the loop's thread; the store is read before, in another one.

Works without script: links, GET filters, POST and redirect. Everything that came from
telemetry, rules or the network is text to escape; nothing is inlined, so the content
security policy can be strict.

The scripts are our own, under 2 KB each, and not htmx. Two things are wanted: fetch this
page again and swap one region, and the same for the form's preview. With htmx, pausing,
saying so, the stale bar and the count of what is new would still be script of ours, in its
events; a vendored 16 KB with its notice, its updates and its evaluation of attributes
(to be switched off for the policy) would save some ten lines.
"""

from sre_obs.app.daemon.web.pages import pages

__all__ = ["pages"]
