"""What is at hand of all data sets, in one table."""

from typing import TYPE_CHECKING

from ivfnb.datasets import listing
from ivfnb.datasets.manifest import DatasetError
from ivfnb.datasets.sets import Dataset
from ivfnb.datasets.sets import _copy as copy_at_hand
from ivfnb.datasets.sets import _entries as entries

if TYPE_CHECKING:
    import pandas as pd

HEADERS_READ = 200  # files whose headers `overview` reads of one set, evenly spread over it


def overview() -> "pd.DataFrame":
    """One row per set of images, of the names and headers of the files at hand.

    Returns
    -------
    DataFrame
        Columns set, kind, title, found and expected (items), state, size (pixels, smallest to largest), bits (per channel), channels,
        licence, note. Of a large set the headers of 200 files are read; sets whose small archive is at hand are unpacked for it. Where
        something is wrong with a set, `note` begins with it.
    """
    import pandas as pd

    rows = []
    for name, entry in entries().items():
        copy = listing.at_hand(entry)
        state, found = listing.state(entry, copy)
        note = [listing.told(copy.faults)] if copy.faults else []
        size = bits = channels = ""
        if found:
            try:
                headers = Dataset(entry, copy_at_hand(entry).items).headers(HEADERS_READ)
                sizes = sorted({(height * width, f"{width}x{height}") for width, height in zip(headers.width, headers.height, strict=True)})
                size = sizes[0][1] if len(sizes) == 1 else f"{sizes[0][1]} to {sizes[-1][1]}"
                bits, channels = (", ".join(map(str, sorted(headers[key].unique()))) for key in ("bits", "channels"))
            except DatasetError as error:
                state, note = "partial", [*note, str(error)]
        rows.append(
            {"set": name, "kind": entry.kind, "title": entry.title, "found": found, "expected": entry.expected, "state": state}
            | {"size": size, "bits": bits, "channels": channels, "licence": entry.licence, "note": "; ".join([*note, entry.note])}
        )
    return pd.DataFrame(rows).astype({"expected": "Int64"})
