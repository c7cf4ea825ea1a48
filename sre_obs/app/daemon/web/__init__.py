"""The web page: server-rendered, no build step, readable on a phone, dark and light.

    views      the desk -> what each page says (plain values)
    pages      paths, forms, JSON twins of the lists
    templates/ HTML;  static/ one stylesheet, one small script

Works without the script: links, GET filters, POST and redirect. Everything that came from
telemetry, rules or the network is text to escape; nothing is inlined, so the content
security policy can be strict.
"""

from sre_obs.app.daemon.web.pages import pages

__all__ = ["pages"]
