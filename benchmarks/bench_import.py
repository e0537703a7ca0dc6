"""What `import lockfree` costs in CPU time on top of `import cffi`: the product promises less than 30 ms."""

import subprocess
import sys

from frame.columns import Column, Entry, Sample

CODE = "import time, {before}; t = time.process_time(); import {name}; print(time.process_time() - t)"


def importing(name, before):
    def sample(_seconds):
        code = CODE.format(name=name, before=before)
        done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
        return Sample(float(done.stdout) * 1e3)

    return sample


def columns():
    entries = [
        Entry("lockfree, after cffi", importing("lockfree", "cffi"), ours=True),
        Entry("lockfree, one primitive", importing("lockfree.mpmc_ring", "cffi"), ours=True),
        Entry("multiprocessing.queues", importing("multiprocessing.queues", "sys")),
    ]
    return [Column("import", "import, CPU time", "ms", entries, compares=False)]
