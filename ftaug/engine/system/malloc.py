"""Tune glibc malloc: keep freed memory between training steps, or return it to the system."""

import ctypes

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
"""Parameters of mallopt(3)."""


def keep() -> None:
    """Keep freed memory in the process for the next step.

    A step allocates and frees tensors of many megabytes. By default glibc maps each of them anew, and the page faults
    and zeroing take up to half of a forward pass.
    """
    if library := _glibc():
        library.mallopt(M_MMAP_MAX, 0)
        library.mallopt(M_TRIM_THRESHOLD, -1)


def give_back() -> None:
    """Return free memory to the system; before a fork, as copy-on-write would duplicate its pages."""
    if library := _glibc():
        library.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    """Return the C library if it is glibc with mallopt and malloc_trim, else None."""
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
