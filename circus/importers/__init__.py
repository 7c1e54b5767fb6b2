"""Configurations of other process managers, made into ours: text in, text and a report out."""
