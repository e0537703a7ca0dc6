"""The practice mode: exercises in concurrency with a judge that reads every interleaving.

`lockfree practice` is its command line. An exercise is called a kata. Each has a folder of its own under `katas`.
"""
