"""Benchmarks of the primitives on the user's machine (`lockfree bench`), and the engine that `make bench` uses, too."""
