"""Published weights of the comparison methods by method and file name."""

from pathlib import Path

from ivfnb import paths
from ivfnb.datasets import DatasetError


def files(method: str) -> dict[str, Path]:
    """Weight files of a method by file name, from the data root or from `data/`.

    Parameters
    ----------
    method : str
        Name of the comparison method, such as "IFCNN".

    Returns
    -------
    dict of str to Path
        The files at hand; the first folder that holds any of them is taken.

    Raises
    ------
    DatasetError
        If no file is at hand; the message names the command that gets them.
    """
    folders = [root / "published-weights" / method for root in (paths.data_root(), paths.root() / "data")]
    for folder in folders:
        found = {file.name: file for file in sorted(folder.glob("*")) if file.is_file()}
        if found:
            return found
    raise DatasetError(f"{method}: found no weights in {folders[0]}, get them with: ivfnb fetch weights/{method}")
