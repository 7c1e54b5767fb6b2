"""circusd beside its peers and the bare floor, in one run, as ratios: `python -m benchmarks`."""
