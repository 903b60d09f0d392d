"""Fused images that were made elsewhere, and how their size relates to that of their pair."""

import warnings
from pathlib import Path

from ivfnb import images, paths
from ivfnb.datasets import Dataset, DatasetError, ImagePair, dataset
from ivfnb.datasets.listing import SUFFIXES
from ivfnb.evaluation.fitting import CROP_AT_MOST, fit
from ivfnb.evaluation.methods import Method
from ivfnb.images import Image, ImageError, Levels


class EvaluationWarning(UserWarning):
    """One image of one method could not be had or scored; the rest went on.

    The message names the set, the method, the pair and the reason.
    """


def external(data: Dataset, folder: str | Path | None = None, levels: Levels | str | tuple[float, float] | None = None) -> list[Method]:
    """Methods whose fused images a user put into a folder, each a row of a table.

    Parameters
    ----------
    data : Dataset
        A set of pairs.
    folder : str or Path, optional
        Stands in for `results/external`, where images lie as `<method>/<data set>/<id>.png` (or of another format).
    levels : Levels, str, (low, high) or None
        What the numbers of images of more than 8 bits mean, see `ivfnb.images.Levels`.

    Returns
    -------
    list of Method

    Warns
    -----
    EvaluationWarning
        For files that belong to no pair. A pair without a file, a file that is no image, and an image of a size that cannot be compared
        (larger than the pair, or smaller with another aspect ratio, the released script's 456x456 excepted) each become a warning in
        `evaluate`.

    Examples
    --------
    >>> external(dataset("sample"), "no/such/folder")
    []
    """
    folder = Path(folder) if folder is not None else paths.results_dir("external")
    places = sorted(place for place in folder.iterdir() if (place / data.name).is_dir()) if folder.is_dir() else []
    meant = images.by_role(levels)["fused"]
    return [_of_folder(place.name, place / data.name, data, meant) for place in places]


def _all_ids(data: Dataset) -> list[str]:
    """Ids of the whole set, of which `data` may be a slice."""
    try:
        return dataset(data.name).ids
    except DatasetError:
        return data.ids


def _of_folder(name: str, folder: Path, data: Dataset, meant: Levels | None) -> Method:
    files = sorted(path for path in folder.rglob("*") if path.suffix.lower() in SUFFIXES and not path.name.startswith("."))
    found = {path.relative_to(folder).with_suffix("").as_posix(): path for path in reversed(files)}
    if strange := sorted(set(found) - set(_all_ids(data))):
        text = f"found {len(strange)} files of no pair, such as {found[strange[0]].name}, expected names such as {data.ids[0]}.png"
        warnings.warn(f"{data.name}, {name} (external): {text}", EvaluationWarning, stacklevel=4)

    def read(pair: ImagePair) -> Image:
        path = found[pair.id]
        fused, size = images.read_gray(path, meant), pair.infrared.shape
        how = fit(fused.shape, size)
        if how in ("enlarged", "distorted"):
            raise ImageError(
                f"{path}: found an {how} image of {fused.shape[1]}x{fused.shape[0]} pixels, expected the pair's {size[1]}x{size[0]}, "
                f"a crop of it by less than {CROP_AT_MOST} pixels, or a smaller one of the same aspect ratio"
            )
        return fused

    return Method(f"{name} (external)", read, "user's folder")
