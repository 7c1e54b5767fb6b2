"""NAME.service: `read` the unit, `translate` it with the sockets and the timer beside it.

A `service` becomes watchers; `directives` has what becomes of each line of [Service], with
`commands`, `restart` and `streams` for those that take more, and `lost` for those that nothing here
is like. `sockets` has [Socket], and `text` how units spell words, times and sizes.
"""
