"""What holds for every test."""

import signal

import prctl
from hypothesis import settings

# orphans of what a test starts become ours, so that a test can tell that there are none
prctl.set_child_subreaper(1)
# whoever is started in the background by a shell ignores Ctrl-C, and so would what tests start
signal.signal(signal.SIGINT, signal.default_int_handler)
# a machine that is busy with something else is no defect
settings.register_profile("circus", deadline=None)
settings.load_profile("circus")
