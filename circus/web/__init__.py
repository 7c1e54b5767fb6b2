"""The web console: what circusctl shows and does, in a browser."""
