"""The benchmark: the same work by pynn and by every installed peer, in one run.

    python -m pynn.bench --quick
    python -m pynn.bench --help

All start from the same weights and see the same rows in the same order; their rounds alternate, so
that a busy neighbour hurts all alike; tables give medians. Losses that differ, that is unequal
mathematics, are an error. The limit is the time the matrix products would take at the rate of a
large one.
"""
