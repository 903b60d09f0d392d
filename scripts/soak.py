"""Run many pairs through fuse and evaluate in one process and watch its memory and open files: python scripts/soak.py [--pairs 500]

Resident memory and descriptors are read pair by pair. Ends with 1 where memory after the last pair is 10 % or more above that after pair
50, or more descriptors are open.
"""

import argparse
import gc
import os
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np

from ivfnb import commands, evaluation, images
from ivfnb.datasets import dataset
from ivfnb.fusion import Protocol

SETTLED = 50  # pairs after which caches are warm
GROWTH = 0.10


def resident() -> int:
    """Bytes of this process in memory."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def descriptors() -> int:
    """Open files of this process."""
    return len(os.listdir("/proc/self/fd"))


class Watch:
    """Memory and descriptors after each pair."""

    def __init__(self, name: str):
        self.name, self.seen = name, list[tuple[int, int]]()

    def look(self) -> None:
        """Read both."""
        gc.collect()
        self.seen.append((resident(), descriptors()))

    @contextmanager
    def on(self, folder: Path) -> Iterator[None]:
        """Meanwhile read both whenever there is another image in a folder."""
        ended = threading.Event()

        def follow() -> None:
            while not ended.wait(0.02):
                if folder.is_dir() and len(list(folder.glob("*.png"))) > len(self.seen):
                    self.seen += [(resident(), descriptors())] * (len(list(folder.glob("*.png"))) - len(self.seen))

        thread = threading.Thread(target=follow, daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def around(self, function: Callable) -> Callable:
        """The function, after each call of which both are read."""

        def watched(*arguments, **named):
            result = function(*arguments, **named)
            self.look()
            return result

        return watched

    def fault(self) -> str:
        """What grew; "" where nothing did."""
        (early, open_early), (late, open_late) = self.seen[min(SETTLED, len(self.seen)) - 1], self.seen[-1]
        growth = late / early - 1
        print(
            f"{self.name}: {len(self.seen)} pairs, {early / 1e6:.1f} MB after {SETTLED}, {late / 1e6:.1f} MB at the end ({growth:+.1%}), "
            f"descriptors {open_early} and {open_late}"
        )
        told = [f"memory grew by {growth:.1%}"] if growth >= GROWTH else []
        return "; ".join(told + ([f"{open_late - open_early} descriptors more"] if open_late > open_early else []))


def main() -> int:
    """Soak, and tell."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pairs", type=int, default=500)
    parser.add_argument("--size", type=int, default=64, help="side of the images in pixels (default: %(default)s)")
    given, told = parser.parse_args(), []
    with tempfile.TemporaryDirectory(prefix="ivfnb-soak-") as top:
        os.environ["IVFNB_CACHE"] = f"{top}/cache"
        noise = np.random.default_rng(0)
        for number in range(given.pairs):
            for role in ("infrared", "visible"):
                pixels = noise.integers(0, 256, (given.size, given.size), dtype=np.uint8)
                images.write_image(Path(top, role, f"{number:04d}.png"), pixels)
        fusing = Watch("fuse")
        with fusing.on(Path(top, "fused")):
            commands.main(["fuse", "--infrared", f"{top}/infrared", "--visible", f"{top}/visible", "--output", f"{top}/fused"])
        written = len(list(Path(top, "fused").glob("*.png")))
        if written != given.pairs:
            told.append(f"fuse: {written} of {given.pairs} pairs fused")
        evaluating = Watch("evaluate")
        ours = evaluation.by_protocol("ours", Protocol(stride=16))
        methods = [replace(ours, fuse=evaluating.around(ours.fuse)), evaluation.by_baseline("Mean")]
        table = evaluation.evaluate(dataset("folder", infrared=Path(top, "infrared"), visible=Path(top, "visible")), methods)
        if table["id"].nunique() != given.pairs:
            told.append(f"evaluate: {table['id'].nunique()} of {given.pairs} pairs scored")
        for watch in (fusing, evaluating):
            if not watch.seen:
                told.append(f"{watch.name}: nothing was watched")
            elif fault := watch.fault():
                told.append(f"{watch.name}: {fault}")
    print(*told, sep="\n")
    return int(bool(told))


if __name__ == "__main__":
    sys.exit(main())
