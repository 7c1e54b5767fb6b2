"""What holds for every test."""

import prctl

# orphans of what a test starts become ours, so that a test can tell that there are none
prctl.set_child_subreaper(1)
