"""Pictures and curves for the page: files of images, the weight map over an image, histograms."""

import base64
from collections.abc import Mapping

import cv2
import numpy as np
import pandas as pd
import PIL.Image

from ivfnb import images
from ivfnb.images import Image

SHOWN_AT_MOST = 1600  # longer side of what the page shows, pixels; the download holds every pixel
BIN = 4  # levels a bin of the histograms


def png(image: Image) -> bytes:
    """PNG file of an image, levels rounded to 8 bits.

    Examples
    --------
    >>> png(np.zeros((2, 2)))[1:4]
    b'PNG'
    """
    levels = images.to_uint8(image)
    _, encoded = cv2.imencode(".png", levels if levels.ndim == 2 else levels[..., ::-1], [cv2.IMWRITE_PNG_COMPRESSION, 3])
    return encoded.tobytes()


def shown(image: Image) -> Image:
    """An image as the page shows it: uint8, and reduced where it is larger than a screen.

    Examples
    --------
    >>> shown(np.zeros((1000, 3200))).shape
    (500, 1600)
    """
    levels = images.to_uint8(image)
    scale = SHOWN_AT_MOST / max(levels.shape[:2])
    if scale >= 1:
        return levels
    height, width = (max(1, round(scale * side)) for side in levels.shape[:2])
    return cv2.resize(levels, (width, height), interpolation=cv2.INTER_AREA)


def data_url(image: Image) -> str:
    """An image as an address that holds it, so that no other file is asked for."""
    return "data:image/png;base64," + base64.b64encode(png(shown(image))).decode("ascii")


def coloured(weight: np.ndarray) -> Image:
    """Weights 0..1 in the colours of viridis, which the colour-blind can read.

    Examples
    --------
    >>> coloured(np.array([[0.0, 1.0]])).tolist()
    [[[68, 1, 84], [253, 231, 37]]]
    """
    return np.ascontiguousarray(cv2.applyColorMap(images.to_uint8(255 * weight), cv2.COLORMAP_VIRIDIS)[..., ::-1])


def overlay(image: Image, weight: np.ndarray, opacity: float) -> Image:
    """Weight map in colours over a grey image.

    Parameters
    ----------
    image : array (h, w) or (h, w, 3)
        Levels 0..255; colours are shown in grey, so that the map's stand out.
    weight : array
        0..1, resized to the image's size where it differs.
    opacity : float
        0 shows the image alone, 1 the map alone.

    Returns
    -------
    array (h, w, 3), uint8

    Examples
    --------
    >>> overlay(np.full((1, 2), 90), np.array([[0.0, 1.0]]), 0).tolist()
    [[[90, 90, 90], [90, 90, 90]]]
    """
    grey = images.to_gray(image).astype(np.float64)
    colours = coloured(images.resize(weight, grey.shape)).astype(np.float64)
    return images.to_uint8((1 - opacity) * grey[..., None] + opacity * colours)


def histograms(stages: Mapping[str, Image]) -> pd.DataFrame:
    """How often each level occurs in images.

    Parameters
    ----------
    stages : mapping of str to array
        Levels 0..255; of colours the luma is counted.

    Returns
    -------
    DataFrame
        Columns `image`, `level` (the middle of a bin of 4) and `share`, percent of the image's pixels.

    Examples
    --------
    >>> histograms({"flat": np.full((2, 2), 9)}).query("share > 0").to_dict("records")
    [{'image': 'flat', 'level': 9.5, 'share': 100.0}]
    """
    frames = []
    for name, image in stages.items():
        counts = np.bincount(images.to_uint8(images.to_gray(image)).ravel(), minlength=256).reshape(-1, BIN).sum(axis=1)
        levels = np.arange(counts.size) * BIN + (BIN - 1) / 2
        frames.append(pd.DataFrame({"image": name, "level": levels, "share": 100 * counts / counts.sum()}))
    return pd.concat(frames, ignore_index=True)


def icon() -> PIL.Image.Image:
    """Icon of the page: a disc that is warm on the left and grey on the right.

    Examples
    --------
    >>> icon().size, icon().mode
    ((64, 64), 'RGBA')
    """
    down, across = np.mgrid[-1:1:64j, -1:1:64j]
    warm, grey = np.array([230, 159, 0]), np.array([90, 90, 90])  # Okabe and Ito's orange
    colours = np.where(across[..., None] < 0, warm, grey)
    inside = 255 * (down**2 + across**2 < 0.9)
    return PIL.Image.fromarray(np.dstack([colours, inside]).astype(np.uint8))
