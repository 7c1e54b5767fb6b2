"""The server end of the wire."""
