"""What programs ask the console for: REST below /api/v1, health and figures."""
