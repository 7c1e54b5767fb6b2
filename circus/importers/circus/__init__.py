"""A circus.ini of 0.19 or older: `lines` has what stands there, `translate` changes some of it."""
