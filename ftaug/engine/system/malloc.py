"""What the C library does with memory that is freed."""

import ctypes

M_TRIM_THRESHOLD, M_MMAP_MAX = -1, -4
"""What mallopt(3) calls them."""


def keep() -> None:
    """Keep what is freed for the next step.

    A step takes and frees tensors of many megabytes. glibc would ask the system for each of them, which hands out pages
    one fault at a time, zeroed: up to half of a forward pass.
    """
    if library := _glibc():
        library.mallopt(M_MMAP_MAX, 0)
        library.mallopt(M_TRIM_THRESHOLD, -1)


def give_back() -> None:
    """Give what is free to the system, before a process is forked: both would have a page of it once either writes."""
    if library := _glibc():
        library.malloc_trim(0)


def _glibc() -> ctypes.CDLL | None:
    """The C library, if it leaves these choices."""
    library = ctypes.CDLL(None)
    return library if hasattr(library, "mallopt") and hasattr(library, "malloc_trim") else None
