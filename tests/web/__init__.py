"""The web console: a real circushttpd before a real circusd."""
