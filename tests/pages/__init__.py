"""What the documentation shows is done, from the top of each page to its end; how is said in
CONTRIBUTING.md."""
