"""Side by side figures of this project and its peers: ``python -m benchmarks``.

The runner (``__main__``) starts one server at a time on the first core and one load generator on the last, round after
round, and prints a table. ``README.md`` in this folder says what is measured and how to read it.
"""
