"""circusd-stats: what watchers, their processes and the sockets use, published once a second."""
