"""How much of circus/ the tests run: `make coverage`, see docs/code-coverage.md."""
