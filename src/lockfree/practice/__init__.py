"""The practice mode: concurrency tasks with a judge that reads every interleaving.

`lockfree practice` is its command line. A task is called a kata; each has a folder of its own under `katas`.
"""
