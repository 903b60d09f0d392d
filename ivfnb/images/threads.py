"""How many threads pay for one array."""

import os

SMALL = 2**16  # elements up to which one thread is the fastest


def threads(elements: int) -> int:
    """Threads for an array of that many elements: as many as OpenMP would take, those of OMP_NUM_THREADS, else one a core."""
    if elements <= SMALL:
        return 1
    named = os.environ.get("OMP_NUM_THREADS", "")
    return int(named) if named.isdigit() and int(named) else os.cpu_count() or 1
