"""What `import lockfree` costs in CPU time on top of `import cffi`: the product promises less than 30 ms."""

import subprocess
import sys

CODE = "import time, cffi; t = time.process_time(); import lockfree; print(time.process_time() - t)"


def test_import(benchmark):
    benchmark.group = "import lockfree after cffi"
    figures = []

    def once():
        done = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
        figures.append(float(done.stdout) * 1e9)

    benchmark.pedantic(once, rounds=15)
    figures.sort()
    benchmark.extra_info["ns_per_call"] = round(figures[len(figures) // 2])
    benchmark.extra_info["ns_min_max"] = [round(figures[0]), round(figures[-1])]
