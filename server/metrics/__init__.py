"""Metrics for Prometheus. Code that does something counts in plain integers; they are read when somebody asks.

`families` says what a metric is, the `…_families` modules list all of them; `sources` is what they are read from,
`exposition` makes the text, `route` and `listener` answer with it.
"""
