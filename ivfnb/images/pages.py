"""Memory that arrays give back is kept for the next ones.

The C library of Linux hands freed memory back to the system as soon as 128 kB lie at the end of it, and asks again for the next array, page
by page. Metrics make and drop arrays of some megabytes, and half their time went into new pages.
"""

import ctypes
import os
import sys

TRIM_THRESHOLD, MMAP_THRESHOLD = -1, -3  # names of settings, malloc.h of the GNU C library
KEPT = 256 * 2**20  # bytes of freed memory that stay with the process, at most
LARGEST = 32 * 2**20  # bytes; larger arrays come from the system and go back to it, so that large images cost no more than they did
SETTINGS = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "MALLOC_TOP_PAD_", "GLIBC_TUNABLES")  # variables of who sets it otherwise


def keep() -> bool:
    """Keep up to 256 MB of freed memory in this process; whether that is so.

    Nothing is done outside Linux, with another C library than GNU's, or where one of its variables says what is wanted, such as
    `MALLOC_TRIM_THRESHOLD_=131072`.
    """
    if sys.platform != "linux" or any(name in os.environ for name in SETTINGS):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    return mallopt is not None and bool(mallopt(TRIM_THRESHOLD, KEPT)) and bool(mallopt(MMAP_THRESHOLD, LARGEST))
