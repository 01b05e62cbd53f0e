"""How the C library gives memory back."""

import ctypes
import sys

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4  # malloc.h


def keep_freed_memory() -> None:
    """Let the process keep what it frees, instead of asking the kernel for every large tensor anew.

    A training step on a CPU frees and takes gigabytes. By default glibc maps and unmaps each large block, and the
    kernel clears every page of it: a tenth of the step. Elsewhere than on glibc nothing changes.
    """
    if not sys.platform.startswith("linux"):
        return
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is not None:
        mallopt(M_MMAP_MAX, 0)
        mallopt(M_TRIM_THRESHOLD, 2**31 - 1)
