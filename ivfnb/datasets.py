"""Names to images: `dataset("tno21")` gives exactly the pairs the manifest names, lazily read, or says what to do.

A set is sized, iterable, sliceable and in order of its ids. Only names of files are looked at until an image is asked for.
"""

from collections.abc import Sequence
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ivfnb import images, listing, manifest
from ivfnb.fetch import fetch
from ivfnb.images import Image
from ivfnb.manifest import DatasetError, Entry

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Dataset", "DatasetError", "FusedImage", "ImagePair", "Photograph", "available", "dataset", "fetch", "names", "overview"]
HEADERS_READ = 200  # files whose headers `overview` reads of one set, evenly spread over it


def _read(source: Image | str | Path, color: bool = False) -> Image:
    """Image of a file: grey, or RGB where `color` is asked for and the file's channels differ; an array is given back as it is."""
    if isinstance(source, np.ndarray):
        return source
    try:
        if not color:
            return images.read_gray(source)
        image = images.read_color(source)
    except images.ImageError as error:
        raise DatasetError(str(error)) from error
    return image if (image[..., :1] != image).any() else np.ascontiguousarray(image[..., 0])


class ImagePair:
    """A registered infrared and visible image; files are read at the first use, both at once, and must be of one size (DatasetError).

    `infrared` is grey (h, w); `visible` is grey (h, w), or RGB (h, w, 3) where `color` is asked for and the file has it. Arrays may be
    given in place of files. `truth` is the mask of simulated pairs, 255 where the visible image is the sharper one; None elsewhere.
    """

    def __init__(self, id: str, infrared: Image | Path, visible: Image | Path, truth: Image | Path | None = None, color: bool = False):
        self.id, self.color, self.files = id, color, {"infrared": infrared, "visible": visible, "truth": truth}

    @cached_property
    def _images(self) -> list[Image]:
        read = {role: _read(source, self.color and role == "visible") for role, source in self.files.items() if source is not None}
        for role, image in read.items():
            if image.shape[:2] != read["infrared"].shape[:2]:
                found = [f"{self._where(role)} of {read[role].shape[1]}x{read[role].shape[0]}" for role in ("infrared", role)]
                raise DatasetError(f"{self.id}: found {' and '.join(found)} pixels, expected one size")
        return [read["infrared"], read["visible"], read.get("truth")]

    def _where(self, role: str) -> str:
        return f"{role} array" if isinstance(self.files[role], np.ndarray) else str(self.files[role])

    @property
    def infrared(self) -> Image:
        """Grey infrared image (h, w)."""
        return self._images[0]

    @property
    def visible(self) -> Image:
        """Visible image: grey (h, w), or RGB (h, w, 3) where colour is asked for and the file has it."""
        return self._images[1]

    @property
    def truth(self) -> Image | None:
        """Mask (h, w) of a simulated pair, 255 where the visible image is sharper; None for real pairs."""
        return self._images[2]

    def __repr__(self) -> str:
        return f"ImagePair({self.id!r})"


class FusedImage:
    """A fused image: `fused` is grey (h, w), or RGB (h, w, 3) where `color` is asked for and the file has it; read at first use."""

    def __init__(self, id: str, fused: Image | Path, color: bool = False):
        self.id, self.color, self.files = id, color, {"fused": fused}

    @cached_property
    def fused(self) -> Image:
        """Fused image (h, w) or (h, w, 3)."""
        return _read(self.files["fused"], self.color)

    def __repr__(self) -> str:
        return f"FusedImage({self.id!r})"


class Photograph:
    """A photograph: `gray` is (h, w); read at first use."""

    def __init__(self, id: str, gray: Image | Path):
        self.id, self.files = id, {"photograph": gray}

    @cached_property
    def gray(self) -> Image:
        """Grey photograph (h, w)."""
        return _read(self.files["photograph"])

    def __repr__(self) -> str:
        return f"Photograph({self.id!r})"


class Dataset(Sequence):
    """Images of one set in order of their ids: `len`, iteration, slices (again a Dataset), `["06"]` by id.

    `expected` is how many a complete set has (None where unknown), `missing` the ids of the manifest that are not at hand, `items` the
    files by id and role.
    """

    def __init__(self, entry: Entry, items: listing.Items, color: bool = False):
        self.entry, self.items, self.color, self.ids = entry, items, color, list(items)
        self.name, self.title, self.kind, self.note, self.expected = entry.name, entry.title, entry.kind, entry.note, entry.expected
        self.missing = [id for id in entry.ids or () if id not in items]

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int | slice | str) -> Any:
        if isinstance(index, slice):
            part = Dataset(self.entry, {id: self.items[id] for id in self.ids[index]}, self.color)
            part.missing = self.missing
            return part
        id = index if isinstance(index, str) else self.ids[index]
        if id not in self.items:
            raise DatasetError(f"{self.name}: found no {id!r}, expected one of {', '.join(self.ids[:50])}")
        files = self.items[id]
        if self.kind == "pairs":
            return ImagePair(id, files["infrared"], files["visible"], files.get("truth"), self.color)
        return FusedImage(id, files["fused"], self.color) if self.kind == "fused" else Photograph(id, files["photograph"])

    @property
    def summary(self) -> str:
        """How much is at hand, such as "13 of 100 pairs"."""
        return self.entry.count(len(self))

    def headers(self, at_most: int | None = None) -> "pd.DataFrame":
        """One row per file, of its header alone: id, role, file, width, height, channels, bits (per channel), format.

        `at_most` so many files, evenly spread over the set. Files that are no images raise DatasetError.
        """
        import pandas as pd

        files = [(id, role, file) for id, roles in self.items.items() for role, file in roles.items()]
        step = -(-len(files) // at_most) if at_most else 1
        try:
            rows = [{"id": id, "role": role, "file": file.name, **images.read_header(file)} for id, role, file in files[::step]]
        except images.ImageError as error:
            raise DatasetError(str(error)) from error
        return pd.DataFrame(rows)

    def __repr__(self) -> str:
        return f"Dataset({self.name!r}, {self.summary})"


def _entries() -> dict[str, Entry]:
    """Sets of images by name: those of the manifest without the weights of methods."""
    return {name: entry for name, entry in manifest.load().items() if entry.kind != "weights"}


def names() -> list[str]:
    """Names of all sets of images of the manifest."""
    return list(_entries())


def available() -> list[str]:
    """Names of the sets of which at least one image is at hand, packed in an archive or not."""
    return [name for name, entry in _entries().items() if listing.state(entry)[0] != "absent"]


def dataset(
    name: str, *, color: bool = False, every: int = 1, infrared: str | Path | None = None, visible: str | Path | None = None
) -> Dataset:
    """The set of that name (see `names`), looked for in IVFNB_DATA, then in data/; or `dataset("folder", infrared=..., visible=...)`.

    `color` gives RGB visible and fused images where the files are coloured; `every` takes every n-th frame of each sequence of a set of
    sequences. An archive that lies in archives/ is unpacked into data/.unpacked/. DatasetError names what is absent and what to do.
    """
    if name == "folder":
        return _folder(infrared, visible, color)
    entries = _entries()
    if name not in entries:
        raise DatasetError(f"name: found {name!r}, expected 'folder' or one of {', '.join(entries)}")
    entry = entries[name]
    if every < 1 or (every > 1 and not entry.sequences):
        raise DatasetError(
            f"every: found {every} for {name}, expected {'1 or more' if entry.sequences else '1, since it has no sequences'}"
        )
    items = listing.home(entry)[1] or listing.unpacked(entry)
    if not items:
        folders = [f"{entry.sequences}/SEQUENCE/{folder}" if entry.sequences else folder for folder in entry.folders.values()]
        looked = ", ".join([*folders, *(archive.path for archive in entry.archives), *entry.packages])
        below = " or ".join(map(str, listing.roots()[:-1]))
        todo = f"get them with: python -m ivfnb fetch {name}" if entry.pins or entry.archives else entry.by_hand or entry.note
        raise DatasetError(f"{name}: found no images, expected {looked} below {below}; {todo}")
    if every > 1:
        frames = (list(group) for _, group in groupby(items, key=lambda id: id.rpartition("/")[0]))
        items = {id: items[id] for group in frames for id in group[::every]}
    return Dataset(entry, items, color)


def _folder(infrared: str | Path | None, visible: str | Path | None, color: bool) -> Dataset:
    if infrared is None or visible is None:
        raise DatasetError(f"infrared, visible: found {infrared!r} and {visible!r}, expected two folders of images")
    folders = {"infrared": Path(infrared), "visible": Path(visible)}
    for role, folder in folders.items():
        if not folder.is_dir():
            raise DatasetError(f"{role}: found no folder {folder}, expected one with images")
    items = listing.match("folder", folders)
    if not items:
        raise DatasetError(f"folder: found no image in {infrared} and {visible}, expected files {', '.join(sorted(listing.SUFFIXES))}")
    return Dataset(
        Entry("folder", "pairs", f"{infrared} and {visible}", folders={role: str(f) for role, f in folders.items()}), items, color
    )


def overview() -> "pd.DataFrame":
    """One row per set: name, kind, title, items at hand and expected, state, sizes and bits (from file headers), licence.

    Of a large set the headers of 200 files are read. Sets whose small archive is at hand are unpacked for it.
    """
    import pandas as pd

    rows = []
    for name, entry in _entries().items():
        state, found = listing.state(entry)
        row = {"set": name, "kind": entry.kind, "title": entry.title, "found": found, "expected": entry.expected, "state": state}
        row |= {"size": "", "bits": "", "channels": ""}
        if state != "absent":
            headers = dataset(name).headers(HEADERS_READ)
            sizes = sorted(
                {(height * width, f"{width}x{height}") for width, height in zip(headers["width"], headers["height"], strict=True)}
            )
            row["size"] = sizes[0][1] if len(sizes) == 1 else f"{sizes[0][1]} to {sizes[-1][1]}"
            row |= {key: ", ".join(map(str, sorted(headers[key].unique()))) for key in ("bits", "channels")}
        rows.append({**row, "licence": entry.licence, "note": entry.note})
    return pd.DataFrame(rows).astype({"expected": "Int64"})
