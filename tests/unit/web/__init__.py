"""Parts of the web console that need no process."""
