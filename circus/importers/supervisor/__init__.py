"""supervisord.conf: `read` it, `translate` the daemon's sections and the order of its programs.

Each `program` becomes watchers; `options` has what becomes of each of its options, `streams` of
those on output, `forms` of `%(…)s` within them; `listeners` are left out.
"""
