"""What the tests have shown, beside what is promised."""
