"""Videos of one's own, fused frame by frame: two files, or one that shows both images side by side."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from tqdm import tqdm

from ivfnb import files, images, parallel
from ivfnb.evaluation.recipe import Recipe
from ivfnb.images import Image, ImageError, Levels

CODECS = {".mp4": "mp4v", ".mov": "mp4v", ".avi": "MJPG", ".mkv": "FFV1"}  # what OpenCV's wheels write; FFV1 alone is lossless
SUFFIXES = {*CODECS, ".m4v", ".webm", ".mpg", ".mpeg", ".wmv"}  # what they read
SIDES = {"infrared_left": ("infrared", "visible"), "visible_left": ("visible", "infrared")}  # role of a file -> what its halves show
SAME_RATE = 0.005  # share by which frame rates of a pair may differ: headers round them


def is_video(path: str | Path) -> bool:
    """Whether a file is a video, by its suffix.

    Examples
    --------
    >>> is_video("walk.MP4"), is_video("walk.png")
    (True, False)
    """
    return Path(path).suffix.lower() in SUFFIXES


def check_format(path: str | Path) -> None:
    """Whether a video can be written to a file, by its suffix.

    Parameters
    ----------
    path : str or Path

    Raises
    ------
    ImageError
        For another suffix than those of `CODECS`.

    Examples
    --------
    >>> check_format("fused.mkv")
    """
    if Path(path).suffix.lower() not in CODECS:
        raise ImageError(f"{path}: found the suffix {Path(path).suffix!r}, expected {', '.join(CODECS)} for a video")


@dataclass(frozen=True)
class Header:
    """What a video says of itself: frames a second, pixels, and how many frames (0 where it does not say)."""

    rate: float
    width: int
    height: int
    frames: int


def header(path: str | Path) -> Header:
    """Header of a video.

    Parameters
    ----------
    path : str or Path

    Returns
    -------
    Header

    Raises
    ------
    ImageError
        For a file that is absent, no video, or without a frame rate.
    """
    path = Path(path)
    if not path.is_file():
        raise ImageError(f"{path}: found no such file, expected a video")
    capture = cv2.VideoCapture(str(path))
    try:
        if not capture.isOpened():
            raise ImageError(f"{path}: found no video that OpenCV reads, expected {', '.join(sorted(SUFFIXES))}")
        values = [capture.get(each) for each in (cv2.CAP_PROP_FPS, cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)]
        count = capture.get(cv2.CAP_PROP_FRAME_COUNT)
    finally:
        capture.release()
    if not (np.isfinite(values).all() and min(values) > 0):
        raise ImageError(f"{path}: found {values[1]:g}x{values[2]:g} pixels at {values[0]:g} frames a second, expected a video with both")
    return Header(values[0], int(values[1]), int(values[2]), int(count) if 0 < count < 1e9 else 0)


def frames(path: str | Path) -> Iterator[Image]:
    """Frames of a video, one after the other, as RGB images (h, w, 3), uint8."""
    capture = cv2.VideoCapture(str(path))
    try:
        while True:
            there, frame = capture.read()
            if not there:
                return
            yield frame[..., ::-1]
    finally:
        capture.release()


def _pairs(sources: Mapping[str, Path]) -> Iterator[tuple[Image, Image]]:
    """Infrared (grey) and visible frames, as long as there are both."""
    for role, (left, _) in SIDES.items():
        if role in sources:
            for frame in frames(sources[role]):
                half = frame.shape[1] // 2
                first, second = np.ascontiguousarray(frame[:, :half]), np.ascontiguousarray(frame[:, half:])
                yield (images.to_gray(first), second) if left == "infrared" else (images.to_gray(second), first)
            return
    for infrared, visible in zip(frames(sources["infrared"]), frames(sources["visible"]), strict=False):
        yield images.to_gray(np.ascontiguousarray(infrared)), np.ascontiguousarray(visible)


def _checked(sources: Mapping[str, Path]) -> tuple[Header, list[str]]:
    """Header of the video to write, and what is to be said of the sources."""
    found = {role: header(path) for role, path in sources.items()}
    first, *others = found.values()
    if not others:
        path = next(iter(sources.values()))
        if first.width % 2:
            raise ImageError(f"{path}: found {first.width} pixels in width, expected an even number: two images side by side")
        return replace(first, width=first.width // 2), []
    where = f"{sources['infrared']}, {sources['visible']}"
    infrared, visible = found["infrared"], found["visible"]
    if (infrared.width, infrared.height) != (visible.width, visible.height):
        sizes = f"{infrared.width}x{infrared.height} and {visible.width}x{visible.height}"
        raise ImageError(f"{where}: found {sizes} pixels, expected one size")
    if abs(infrared.rate / visible.rate - 1) > SAME_RATE:
        raise ImageError(f"{where}: found {infrared.rate:g} and {visible.rate:g} frames a second, expected one rate")
    if infrared.frames and visible.frames and infrared.frames != visible.frames:
        count = min(infrared.frames, visible.frames)
        return replace(visible, frames=count), [
            f"{where}: found {infrared.frames} and {visible.frames} frames; the first {count} are fused"
        ]
    return visible, []


def _range(sources: Mapping[str, Path], meant: Levels | None) -> Levels | None:
    """Levels of the infrared frames: one range for the whole video, that of all its frames for "minmax"."""
    if meant is None or meant.kind != "minmax":
        return meant
    low, high = 255, 0
    for infrared, _ in _pairs(sources):
        low, high = min(low, int(infrared.min())), max(high, int(infrared.max()))
    return Levels.parse((low, high)) if low < high else None


def _steady(recipe: Recipe) -> Recipe:
    """The recipe without the stretch of each infrared frame, where levels have stretched all frames alike."""
    if recipe.method or recipe.protocol.enhance_infrared != "stretch":
        return recipe
    return replace(recipe, protocol=replace(recipe.protocol, enhance_infrared="none"))


def _fused(recipe: Recipe, meant: Levels | None, infrared: Image, visible: Image) -> Image:
    """A fused frame in BGR, as OpenCV writes it."""
    fused = recipe.fuse(infrared if meant is None else meant.applied(infrared, "infrared"), visible).fused
    return np.repeat(fused[..., None], 3, axis=2) if fused.ndim == 2 else np.ascontiguousarray(fused[..., ::-1])


def fuse(
    sources: Mapping[str, Path], output: str | Path, recipe: Recipe, levels: Mapping[str, Any] | None = None, jobs: int = 1
) -> list[str]:
    """Fuse a video, frame by frame, at the size that the recipe gives and the rate of the sources; sound is left out.

    Parameters
    ----------
    sources : mapping of str to Path
        "infrared" and "visible"; or "infrared_left" or "visible_left", one video that shows both side by side.
    output : str or Path
        Its suffix chooses format and codec, see `CODECS`. Written whole or not at all.
    recipe : Recipe
    levels : mapping, optional
        "levels_infrared", or else "levels": what the levels of the infrared frames are taken for, "LOW:HIGH" or "minmax" (of all frames
        together). The stretch of each frame by its own range, which makes a video flicker, is then left out.
    jobs : int
        Frames fused at once.

    Returns
    -------
    list of str
        What is to be said: sources of different length, fewer frames than a header promises.

    Raises
    ------
    ImageError
        For what is no video, sizes or rates that differ, and a video without frames.
    ValueError
        As the recipe raises it.
    """
    output = Path(output)
    check_format(output)
    shape, said = _checked(sources)
    given = levels or {}
    meant = _range(sources, Levels.parse(given.get("levels_infrared") or given.get("levels")))
    chosen = recipe if meant is None else _steady(recipe)
    tasks = ((chosen, meant, infrared, visible) for infrared, visible in _pairs(sources))
    bar = tqdm(
        parallel.stream(_fused, tasks, jobs, here=True),
        desc=output.name,
        total=shape.frames or None,
        unit="frame",
        disable=None,
        leave=False,
    )
    written, writer, size = 0, None, (0, 0)
    with files.replacing(output) as beside:
        try:
            for frame in bar:
                if writer is None:
                    size = frame.shape[1], frame.shape[0]
                    writer = cv2.VideoWriter(str(beside), cv2.VideoWriter.fourcc(*CODECS[output.suffix.lower()]), shape.rate, size)
                    if not writer.isOpened():
                        raise ImageError(
                            f"{output}: found that OpenCV does not write {CODECS[output.suffix.lower()]} here, expected another suffix"
                        )
                writer.write(frame)
                written += 1
        finally:
            bar.close()
            if writer is not None:
                writer.release()
        if not written:
            raise ImageError(f"{', '.join(map(str, sources.values()))}: found no frame, expected a video")
    if size[0] % 2 or size[1] % 2:
        cut = " and ".join(f"the last {name}" for name, side in (("column", size[0]), ("row", size[1])) if side % 2)
        said.append(f"{output}: found frames of {size[0]}x{size[1]} pixels, expected even sizes: {cut} is left out")
    if shape.frames and written != shape.frames:
        said.append(f"{output}: found {written} frames, expected {shape.frames} by the header: {written} are fused")
    return said
