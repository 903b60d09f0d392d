"""Notebook 1: data sets by name, pinned in data/manifest.yaml, found on disk, fetched, and read lazily."""

from ivfnb.datasets.items import FusedImage, ImagePair, Photograph
from ivfnb.datasets.manifest import DatasetError, DatasetWarning
from ivfnb.datasets.overviews import overview
from ivfnb.datasets.sets import Dataset, available, dataset, names

__all__ = [
    "Dataset",
    "DatasetError",
    "DatasetWarning",
    "FusedImage",
    "ImagePair",
    "Photograph",
    "available",
    "dataset",
    "names",
    "overview",
]
