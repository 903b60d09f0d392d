"""Work over many pairs, shared among workers: joblib's on this machine, or those of a Dask cluster (`cluster`)."""

from ivfnb.parallel.clusters import SCHEDULER, Task, cluster, scheduler
from ivfnb.parallel.pools import each, pool, stream

__all__ = ["SCHEDULER", "Task", "cluster", "each", "pool", "scheduler", "stream"]
