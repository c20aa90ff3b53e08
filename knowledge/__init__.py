"""The knowledge base and its search."""

import os

# One question is a thread's work: OpenBLAS would put both cores to it, and its threads spin while they wait, so that a
# search takes 32 ms of CPU instead of 13. It reads this when NumPy is first imported.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
