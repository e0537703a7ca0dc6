"""The machine: what it is (`describe`, `topology`), and what it costs (`lockfree machine`)."""
