"""Symbols and graphs: what layers and functions are traced into, and how that becomes a network.

- ``variable``: a weight array shared with the engine.
- ``symbol``: ``KerasTensor``, the value nobody has computed yet, and the nodes that connect layers.
- ``tensor``: a value inside one graph of the engine.
- ``graph``: the nodes of one network, in order.
- ``program``: a graph with its inputs and outputs, run on data.
"""
