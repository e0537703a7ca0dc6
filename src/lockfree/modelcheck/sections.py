"""Functions of the C++ library that the compiler did not inline go to a section of their own.

The runtime tells them from the program's own functions by that (c/model/base/library.c).
"""

import re

OF_STD = re.compile(r"^(\s*\.section\s+)\.text\.(?:_ZN?K?St|_ZNK?9__gnu_cxx)[\w.$]*,\"axG\",", re.MULTILINE)
LIBRARY = "lf_library"


def with_library_apart(text: str) -> str:
    """The compiler's output for a C++ file with the library's functions in the section `LIBRARY`."""
    return OF_STD.sub(rf'\1{LIBRARY},"axG",', text)
