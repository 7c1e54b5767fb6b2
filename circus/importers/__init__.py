"""Configurations of other process managers to ours: `convert` is where to begin.

A folder or module for each source has what is known of it. They share `files` (reading), `report`
(what is said of each line), `draft` (our configuration while it is written) and `sound` (that
circusd takes what comes of it).
"""
