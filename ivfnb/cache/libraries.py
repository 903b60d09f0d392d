"""Versions of the libraries that code imports: what they compute may change with them."""

import sys
from collections.abc import Iterable
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version

# modules whose distribution has another name; OpenCV's has several
DISTRIBUTIONS = {
    "PIL": ("pillow",),
    "cv2": ("opencv-python-headless", "opencv-python", "opencv-contrib-python-headless", "opencv-contrib-python", "opencv"),
    "pywt": ("PyWavelets",),
    "skimage": ("scikit-image",),
    "yaml": ("PyYAML",),
}


@lru_cache
def _version(top: str) -> str:
    for distribution in DISTRIBUTIONS.get(top, (top,)):
        try:
            return version(distribution)
        except PackageNotFoundError:
            continue
    return "absent"


def versions(names: Iterable[str]) -> list[str]:
    """Python and the libraries among imported modules, each with its version.

    Parameters
    ----------
    names : iterable of str
        Of modules, such as `scipy.ndimage`; those of the standard library are left out.

    Returns
    -------
    list of str
        Sorted, Python first, to its minor version; "absent" stands for the version of what is not installed.

    Examples
    --------
    >>> python, numpy = versions(["numpy.linalg", "numpy", "os.path"])
    >>> python.startswith("python 3."), numpy.startswith("numpy ")
    (True, True)
    """
    tops = {name.partition(".")[0] for name in names} - set(sys.stdlib_module_names)
    return ["python {}.{}".format(*sys.version_info), *(f"{top} {_version(top)}" for top in sorted(tops))]
