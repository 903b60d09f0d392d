"""Names to images: `dataset("tno21")` gives exactly the pairs the manifest names, lazily read, or says what to do.

A set is sized, iterable, sliceable and in order of its ids. Only names of files are looked at until an image is asked for.
"""

import warnings
from collections.abc import Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from ivfnb.datasets import listing, manifest, remote
from ivfnb.datasets.items import FusedImage, ImagePair, Photograph, meant
from ivfnb.datasets.manifest import DatasetError, DatasetWarning, Entry

if TYPE_CHECKING:
    import pandas as pd

    from ivfnb.datasets.items import Meant
    from ivfnb.images import Levels


class Dataset(Sequence[Any]):
    """Images of one set in order of their ids: `len`, iteration, slices (again a Dataset), `["06"]` by id.

    `expected` is how many a complete set has (None where unknown), `missing` the ids of the manifest that are not at hand, `items` the
    files by id and role.

    Examples
    --------
    >>> sample = dataset("sample")
    >>> sample, sample[1:3].ids, sample["camera"]
    (Dataset('sample', 5 pairs), ['camera', 'chelsea'], ImagePair('camera'))
    """

    def __init__(self, entry: Entry, items: listing.Items, color: bool = False, levels: "dict[str, Levels | None] | None" = None):
        self.entry, self.items, self.color, self.ids, self.levels = entry, items, color, list(items), levels or {}
        self.name, self.title, self.kind, self.note, self.expected = entry.name, entry.title, entry.kind, entry.note, entry.expected
        self.missing = [id for id in entry.ids or () if id not in items]

    def __len__(self) -> int:
        return len(self.ids)

    def __getitem__(self, index: int | slice | str) -> Any:
        if isinstance(index, slice):
            part = Dataset(self.entry, {id: self.items[id] for id in self.ids[index]}, self.color, self.levels)
            part.missing = self.missing
            return part
        id = index if isinstance(index, str) else self.ids[index]
        if id not in self.items:
            raise DatasetError(f"{self.name}: found no {id!r}, expected one of {', '.join(self.ids[:50])}")
        files = self.items[id]
        if self.kind == "pairs":
            sides = {f"levels_{role}": self.levels.get(role) for role in ("infrared", "visible")}
            return ImagePair(id, files["infrared"], files["visible"], files.get("truth"), self.color, **sides)
        if self.kind == "fused":
            return FusedImage(id, files["fused"], self.color, self.levels.get("fused"))
        return Photograph(id, files["photograph"])

    @property
    def summary(self) -> str:
        """How much is at hand, such as "13 of 100 pairs"."""
        return self.entry.count(len(self))

    def headers(self, at_most: int | None = None) -> "pd.DataFrame":
        """One row per file, of its header alone.

        Parameters
        ----------
        at_most : so many files, evenly spread over the set; None for all.

        Returns
        -------
        DataFrame
            Columns id, role, file, width and height (pixels), channels, bits (per channel), mode, format.

        Raises
        ------
        DatasetError
            For a file that is no image.

        Examples
        --------
        >>> headers = dataset("sample").headers()
        >>> headers.id[0], headers.role[0], int(headers.width[0]), int(headers.height[0]), int(headers.bits[0])
        ('astronaut', 'infrared', 352, 352, 8)
        """
        import pandas as pd

        from ivfnb import images

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
    """Names of the sets of which at least one image is at hand, packed in an archive or not.

    Examples
    --------
    >>> "sample" in available()
    True
    """
    return [name for name, entry in _entries().items() if any(listing.state(entry)[1:])]


def dataset(
    name: str,
    *,
    color: bool = False,
    every: int = 1,
    infrared: str | Path | None = None,
    visible: str | Path | None = None,
    patterns: Mapping[str, str] | None = None,
    levels: "Meant" = None,
    levels_infrared: "Meant" = None,
    levels_visible: "Meant" = None,
) -> Dataset:
    """The set of that name, looked for in IVFNB_DATA, then in data/; or one of two folders.

    Parameters
    ----------
    name : one of `names`, or "folder".
    color : gives RGB visible and fused images where the files are coloured; else grey ones.
    every : takes every n-th frame of each sequence of a set of sequences.
    infrared, visible : with the name "folder", two folders of images, matched by name (`listing.match`); they may be one folder, or lie
         behind URLs that fsspec knows, such as s3://bucket/ir (then of equal names).
    patterns : of the two folders, role -> how its files are named, such as {"infrared": "{id}_T.jpg", "visible": "{id}_W.jpg"}.
    levels : what the numbers of images of more than 8 bits mean: "full", "minmax" or "LOW:HIGH", see `images.Levels`.
    levels_infrared, levels_visible : the same of one side, whatever its depth.

    Returns
    -------
    Dataset
        Images in order of their ids, read when they are looked at. An archive that lies in archives/ is unpacked into data/.unpacked/.

    Raises
    ------
    DatasetError
        Where nothing of the set is at hand, or two files have one id; the message names what is absent and what to do.

    Warns
    -----
    DatasetWarning
        Where images of a named set lack their partners: it is given without them. In one's own folders that is an error.

    Examples
    --------
    >>> pair = dataset("sample")["camera"]
    >>> pair.infrared.shape, pair.infrared.dtype, pair.visible.shape
    ((320, 320), dtype('uint8'), (320, 320))
    """
    if name == "folder":
        return _folder(infrared, visible, patterns, color, meant(levels, levels_infrared, levels_visible))
    entries = _entries()
    if name not in entries:
        raise DatasetError(f"name: found {name!r}, expected 'folder' or one of {', '.join(entries)}")
    entry = entries[name]
    if every < 1 or (every > 1 and not entry.sequences):
        raise DatasetError(
            f"every: found {every} for {name}, expected {'1 or more' if entry.sequences else '1, since it has no sequences'}"
        )
    copy = _copy(entry)
    if copy.doubled:
        raise DatasetError(f"{name}: {listing.told(copy.doubled)}")
    if not copy.items:
        raise DatasetError(f"{name}: {_nothing(entry, copy)}")
    if copy.lonely:
        warnings.warn(f"{name}: {listing.told(copy.lonely)}; {entry.count(len(copy.items))} are given; {_todo(entry)}", DatasetWarning, 2)
    items = copy.items
    if every > 1:
        frames = (list(group) for _, group in groupby(items, key=lambda id: id.rpartition("/")[0]))
        items = {id: items[id] for group in frames for id in group[::every]}
    return Dataset(entry, items, color, meant(levels, levels_infrared, levels_visible))


def _copy(entry: Entry) -> listing.Copy:
    """The copy at hand; that of an archive is unpacked, or unpacked again where a part of it is gone."""
    copy = listing.at_hand(entry)
    cached = copy.root is not None and copy.root.name == ".unpacked" and listing.state(entry, copy)[0] == "partial"
    return listing.unpacked(entry) if (not copy.items or cached) and listing.packed(entry) else copy


def _nothing(entry: Entry, copy: listing.Copy) -> str:
    folders = [f"{entry.sequences}/SEQUENCE/{folder}" if entry.sequences else folder for folder in entry.folders.values()]
    looked = ", ".join([*folders, *(archive.path for archive in entry.archives), *entry.packages])
    below = " or ".join(map(str, listing.roots()[:-1]))
    found = listing.told(copy.lonely) if copy.lonely else f"found no images, expected {looked} below {below}"
    return f"{found}; {_todo(entry)}"


def _todo(entry: Entry) -> str:
    fetched = any(pin.url for pin in entry.pins) or entry.archives
    return f"get them with: python -m ivfnb fetch {entry.name}" if fetched else entry.by_hand or entry.note


def _folder(
    infrared: str | Path | None,
    visible: str | Path | None,
    patterns: Mapping[str, str] | None,
    color: bool,
    levels: "dict[str, Levels | None]",
) -> Dataset:
    if infrared is None or visible is None:
        raise DatasetError(f"infrared, visible: found {infrared!r} and {visible!r}, expected two folders of images")
    if remote.is_url(infrared) or remote.is_url(visible):
        urls = {"infrared": str(infrared), "visible": str(visible)}
        return Dataset(Entry("folder", "pairs", f"{infrared} and {visible}", folders=urls), cast(listing.Items, remote.match(urls)), color)
    folders = {"infrared": Path(infrared), "visible": Path(visible)}
    for role, folder in folders.items():
        if not folder.is_dir():
            raise DatasetError(f"{role}: found no folder {folder}, expected one with images")
    items = listing.match("folder", folders, patterns=patterns)
    if not items:
        raise DatasetError(f"folder: found no image in {infrared} and {visible}, expected files {', '.join(sorted(listing.SUFFIXES))}")
    entry = Entry("folder", "pairs", f"{infrared} and {visible}", folders={role: str(folder) for role, folder in folders.items()})
    return Dataset(entry, items, color, levels)
