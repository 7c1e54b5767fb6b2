"""The output of workers, for browsers: read in pieces, each after the one before."""
