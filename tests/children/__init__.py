"""Rude programs to supervise; each prints "ready PID" once it is what its name says."""
