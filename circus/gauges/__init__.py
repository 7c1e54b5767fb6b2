"""What the kernel tells of processes, control groups and queues, to whichever program asks."""
