"""`each`: parameters into a tree."""

from __future__ import annotations

import re
from collections.abc import Mapping
from difflib import get_close_matches

from sre_obs.content.mistakes import shown
from sre_obs.content.tests.tree import Filled, Wrong, put, text_of
from sre_obs.content.yaml import Document, Map, Node, Scalar, Seq

_PARAMETER = re.compile(r"\$\{([^{}]*)\}")


class Fill:
    """Parameters into a tree; a tree without any is given back as it is."""

    def __init__(self, document: Document, parameters: Mapping[str, Node]) -> None:
        self._document = document
        self._parameters = parameters

    def node(self, node: Node) -> Node:
        """The node with all ``${name}`` replaced. Raises Wrong for one that is unknown."""
        if isinstance(node, Scalar):
            return self._scalar(node) if "${" in node.text else node
        if isinstance(node, Seq):
            seq = Seq(node.start, node.end)
            seq.extend(self.node(item) for item in node)
            return seq
        return self.map(node)

    def map(self, node: Map) -> Map:
        """A mapping, its keys too."""
        filled = Map(node.start, node.end)
        for name, value in node.items():
            span = node.keys_at[name]
            if "${" in name:
                name = text_of(self._scalar(Scalar(name, "", *span)))
            put(filled, name, self.node(value), span)
        return filled

    def _scalar(self, node: Scalar) -> Node:
        whole = _PARAMETER.fullmatch(node.text)
        if whole is not None:
            value = self._value(whole, node)
            if isinstance(value, Scalar):
                return Filled(value.text, value.style, node.start, node.end)
            return value
        text = _PARAMETER.sub(lambda found: text_of(self._value(found, node)), node.text)
        return Filled(text, node.style, node.start, node.end)

    def _value(self, found: re.Match[str], node: Scalar) -> Node:
        value = self._parameters.get(found[1])
        if value is None:
            near = get_close_matches(found[1], self._parameters, n=1)
            place = self._document.place(node, found.start(), len(found[0]))
            remedy = f"write ${{{near[0]}}}" if near else f"add each: [{{{found[1]}: ...}}]"
            message = f"no parameter is called {shown(found[1])}"
            raise Wrong("tests/unknown-parameter", place, message, remedy)
        return value
