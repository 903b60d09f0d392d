"""Videos through `fuse`: frames, size and rate arrive, one range for all frames keeps them steady, and what does not fit is named."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from doors import command, cut, fuse

from ivfnb.evaluation import records, video
from ivfnb.images import to_gray

FRAMES, RATE, SIZE = 12, 25.0, 64


def write(path: Path, frames: list[np.ndarray], rate: float = RATE) -> Path:
    """A video of RGB or grey frames."""
    path.parent.mkdir(parents=True, exist_ok=True)
    height, width = frames[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*video.CODECS[path.suffix]), rate, (width, height))
    for frame in frames:
        writer.write(np.repeat(frame[..., None], 3, 2) if frame.ndim == 2 else np.ascontiguousarray(frame[..., ::-1]))
    writer.release()
    return path


def scene(count: int = FRAMES, size: int = SIZE) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """Infrared and visible frames that move over a sample pair."""
    infrared, visible = cut("coffee", size + count, 0)
    return [infrared[:size, i : i + size] for i in range(count)], [visible[:size, i : i + size] for i in range(count)]


def played(path: Path) -> list[np.ndarray]:
    return [frame.copy() for frame in video.frames(path)]


@pytest.fixture
def pair(tmp_path: Path) -> tuple[Path, Path]:
    infrared, visible = scene()
    return write(tmp_path / "ir.mkv", infrared), write(tmp_path / "vis.mkv", visible)


@pytest.mark.parametrize(("suffix", "off"), [(".mkv", 1.5), (".mp4", 12.0), (".avi", 12.0), (".mov", 12.0)])
def test_a_pair_of_videos_is_fused_frame_by_frame(pair: tuple[Path, Path], tmp_path: Path, suffix: str, off: float, capsys):
    target = tmp_path / f"fused{suffix}"
    assert fuse(*pair, target) == 0
    header = video.header(target)
    assert (header.rate, header.width, header.height, header.frames) == (RATE, SIZE, SIZE, FRAMES)
    found = played(target)
    assert len(found) == FRAMES
    for frame, infrared, visible in zip(found, *scene(), strict=True):
        expected = (infrared.astype(float) + to_gray(visible)) / 2
        assert np.abs(to_gray(frame).astype(float) - expected).mean() < off
    assert records.read(target)["how"]["method"] == "Mean"
    capsys.readouterr()
    assert fuse(*pair, target) == 0
    assert "1 kept" in capsys.readouterr().out


def test_frames_at_once_come_in_order(pair: tuple[Path, Path], tmp_path: Path):
    for jobs in (1, 2):
        assert fuse(*pair, tmp_path / f"fused{jobs}.mkv", "--jobs", jobs) == 0
    assert all(np.array_equal(*two) for two in zip(*(played(tmp_path / f"fused{jobs}.mkv") for jobs in (1, 2)), strict=True))


@pytest.mark.parametrize("left", ["infrared", "visible"])
def test_one_video_that_shows_both_side_by_side(pair: tuple[Path, Path], tmp_path: Path, left: str):
    infrared, visible = scene()
    halves = [(np.repeat(a[..., None], 3, 2), b) for a, b in zip(infrared, visible, strict=True)]
    both = write(tmp_path / "both.mkv", [np.hstack(half if left == "infrared" else half[::-1]) for half in halves])
    target = tmp_path / "fused.mkv"
    words = ("fuse", "--side-by-side", both, "--left", left, "--output", target, "--method", "Mean")
    assert command(*words) == 0
    assert fuse(*pair, tmp_path / "other.mkv") == 0
    assert np.abs(np.subtract(played(target), played(tmp_path / "other.mkv"), dtype=float)).max() <= 2


def test_one_range_for_all_frames_keeps_a_video_steady(tmp_path: Path, capsys):
    """A hot spot that comes and goes: by its own stretch the rest of each frame jumps, by one range it stays."""
    infrared, visible = scene(6)
    still = np.clip(infrared[0], 60, 120)
    frames = [still.copy() for _ in range(6)]
    for frame in frames[3:]:
        frame[:8, :8] = 250
    frames[0][-1, -1] = 0  # the range of the whole is 0 to 250
    sources = write(tmp_path / "ir.mkv", frames), write(tmp_path / "vis.mkv", [visible[0]] * 6)
    how = ("--set", "classifier=infrared", "--set", "ssr=none")
    jumps = {}
    for name, more in (("own", ()), ("minmax", ("--levels", "minmax")), ("range", ("--levels-infrared", "0:250"))):
        assert fuse(*sources, tmp_path / f"{name}.mkv", *how, *more) == 0
        found = np.array([to_gray(frame)[16:, 16:] for frame in played(tmp_path / f"{name}.mkv")], float)
        jumps[name] = np.abs(found[3] - found[2])[:-1, :-1].mean()
    assert jumps["own"] > 20
    assert jumps["minmax"] == jumps["range"] < 1


def test_videos_in_folders_go_on_past_a_broken_one(pair: tuple[Path, Path], tmp_path: Path, capsys):
    for role, path in zip(("ir", "vis"), pair, strict=True):
        (tmp_path / role).mkdir()
        for id in ("1", "2"):
            (tmp_path / role / f"{id}{path.suffix}").write_bytes(path.read_bytes())
    (tmp_path / "ir" / "1.mkv").write_bytes(b"no video")
    assert fuse(tmp_path / "ir", tmp_path / "vis", tmp_path / "fused") == 1
    assert "ir/1.mkv: found no video that OpenCV reads" in capsys.readouterr().err
    assert sorted(path.name for path in (tmp_path / "fused").iterdir()) == ["2.mkv", "2.mkv.json"]


def test_what_does_not_fit_is_named(pair: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys):
    infrared, visible = scene()
    slow = write(tmp_path / "slow.mkv", visible, 15.0)
    small = write(tmp_path / "small.mkv", [frame[:32, :32] for frame in visible])
    target = tmp_path / "fused.mp4"
    image = tmp_path / "x.png"
    cv2.imwrite(str(image), infrared[0])
    for words, message in (
        ((pair[0], slow, target), "found 25 and 15 frames a second, expected one rate"),
        ((pair[0], small, target), "found 64x64 and 32x32 pixels, expected one size"),
        ((pair[0], image, target), "expected two images or two videos"),
        ((*pair, tmp_path / "fused.png"), "found the suffix '.png', expected .mp4, .mov, .avi, .mkv for a video"),
        ((*pair, target, "--set", "classifier=none", "--weight-map", tmp_path / "w.mp4"), "weight maps are written of images"),
        ((pair[0], pair[0], target), "found one file for both"),
        ((*pair, pair[1]), "sources are never overwritten"),
    ):
        capsys.readouterr()
        assert fuse(*words) == 2
        assert message in capsys.readouterr().err
    monkeypatch.setattr(video, "header", lambda _: video.Header(RATE, 33, SIZE, FRAMES))
    assert command("fuse", "--side-by-side", pair[1], "--left", "visible", "--output", target, "--method", "Mean") == 2
    assert "found 33 pixels in width, expected an even number" in capsys.readouterr().err
    assert not target.exists()
    assert not list(tmp_path.glob(".*"))


def test_videos_have_even_sizes_and_it_is_said(pair: tuple[Path, Path], tmp_path: Path, capsys):
    assert fuse(*pair, tmp_path / "fused.mp4", "--set", "classifier=none", "--set", "size=33,48", "--set", "ssr=none") == 0
    assert "found frames of 48x33 pixels, expected even sizes: the last row is left out" in capsys.readouterr().err
    assert video.header(tmp_path / "fused.mp4").height == 32
    assert len(played(tmp_path / "fused.mp4")) == FRAMES


def test_of_different_length_the_shorter_one_counts_and_it_is_said(pair: tuple[Path, Path], tmp_path: Path, capsys):
    short = write(tmp_path / "short.mkv", scene()[1][:5])
    assert fuse(pair[0], short, tmp_path / "fused.mkv") == 0
    assert "found 12 and 5 frames; the first 5 are fused" in capsys.readouterr().err
    assert len(played(tmp_path / "fused.mkv")) == 5
