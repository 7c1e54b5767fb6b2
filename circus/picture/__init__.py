"""What a circusd runs, as it is now: for programs that show it."""
