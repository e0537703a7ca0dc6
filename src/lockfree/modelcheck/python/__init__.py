"""Model checking of Python: every schedule of the threads and asyncio tasks of a function."""

from lockfree.modelcheck.python.explore import PythonReport, PythonSettings, explore, replay

__all__ = ["PythonReport", "PythonSettings", "explore", "replay"]
