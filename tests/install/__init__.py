"""What pip and `python -m build` make of the tree: archives, and environments that have Circus."""
