"""The pages of the console: resources that answer with HTML, and the forms on them."""
