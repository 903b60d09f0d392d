"""The registry: what is known of each metric, how one is added, and what is refused; work that metrics share is done once."""

import dataclasses
import gc
import inspect
import re
import subprocess
import sys
import threading
import warnings
from collections import Counter
from collections.abc import Mapping

import numpy as np
import pytest

from ivfnb import metrics
from ivfnb.images import ImageError
from ivfnb.metrics import CONVENTIONS, ELEVEN, METRICS, planes, registry, score

RANDOM = np.random.default_rng(4)
FUSED, INFRARED, VISIBLE = (RANDOM.integers(0, 256, (48, 52)).astype(np.uint8) for _ in range(3))
ABOUT = {"direction": "higher", "unit": "1", "value_range": (0, 1), "reference": "nobody 2026"}


@pytest.fixture
def registered(monkeypatch):
    """The registry as it is, whatever a test adds to it."""
    monkeypatch.setattr(registry, "_REGISTERED", dict(registry._REGISTERED))
    monkeypatch.setattr(registry, "_VARIANTS", dict(registry._VARIANTS))


@pytest.fixture
def installed(tmp_path):
    """Function that puts a package `name` with an entry point beside others in a folder, and gives the folder."""

    def install(name: str, code: str) -> str:
        (tmp_path / f"{name}.py").write_text(code)
        info = tmp_path / f"{name}-1.5.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.5\n")
        (info / "entry_points.txt").write_text(f"[ivfnb.metrics]\n{name} = {name}\n")
        return str(tmp_path)

    return install


def python(code: str, folder: str = "") -> subprocess.CompletedProcess:
    """A fresh process that runs `code`, with `folder` among those that packages are looked for in."""
    code = f"import sys; sys.path.append({folder!r})\n{code}"
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)


def test_registry_is_complete():
    assert tuple(name for name, metric in METRICS.items() if metric.eleven) == ELEVEN == tuple(METRICS)[:11]
    assert set(CONVENTIONS) == {"standard", "as_released", "vifb"}
    assert set(CONVENTIONS["vifb"].names) == {"CE", "EN", "MI", "PSNR", "AG", "EI", "Qabf", "SD", "SF", "RMSE", "SSIM", "Qcb", "Qcv"}
    assert CONVENTIONS["vifb"].side_by_side == ("SF",)
    replaced = {name: set(convention.replaced) for name, convention in CONVENTIONS.items()}
    assert replaced == {"standard": set(), "as_released": {"SCD", "MI"}, "vifb": {"MI", "RMSE", "PSNR", "SSIM", "SD"}}
    assert isinstance(METRICS, Mapping)
    assert len(METRICS) == len(list(METRICS)) == 26
    assert "SF" in METRICS
    assert "SF" in repr(METRICS)
    for name, metric in METRICS.items():
        assert metric.name == name
        assert metric.direction in ("higher", "lower")
        assert metric.arrow in "↑↓"
        assert metric.unit
        assert re.search(r"\d{4}", metric.reference)
    with pytest.raises(dataclasses.FrozenInstanceError):
        METRICS["EN"].unit = "nat"


@pytest.mark.parametrize("name", METRICS)
def test_a_metric_is_a_function_of_the_package_with_its_page(name):
    metric = METRICS[name]
    function = metric.function
    assert vars(metrics)[function.__name__] is function
    assert function.__name__ in metrics.__all__
    assert tuple(inspect.signature(function).parameters) == (("fused", "infrared", "visible") if metric.needs_sources else ("fused",))
    assert inspect.signature(function).return_annotation is float
    page = function.__doc__
    assert f"({name}" in page.splitlines()[0] or name.startswith("FMI")
    assert metric.reference in page
    for section in ("Parameters", "Returns", "Raises", "References", "Examples"):
        assert f"    {section}\n    {'-' * len(section)}\n" in page


def test_functions_take_what_score_takes():
    for name, metric in METRICS.items():
        if metric.smallest <= 48:
            images = {"fused": FUSED, "infrared": INFRARED, "visible": VISIBLE}
            given = images if metric.needs_sources else {"fused": FUSED}
            value = metric.function(**given)
            assert type(value) is float
            assert value == score(**images, names=name)[name] == metric(*given.values())


def test_functions_name_the_argument_that_is_bad():
    with pytest.raises(ImageError, match="fused: found 40x52 pixels, expected at least 41x41 for VIFF"):
        metrics.viff(FUSED[:40], INFRARED[:40], VISIBLE[:40])
    with pytest.raises(ImageError, match=r"visible: found shape \(47, 52\), expected that of fused, \(48, 52\)"):
        metrics.qabf(FUSED, INFRARED, VISIBLE[1:])
    with pytest.raises(ImageError, match="infrared: found levels from 0 to 300, expected finite grey levels"):
        metrics.scd(FUSED, np.where(INFRARED > 200, 300.0, 0.0), VISIBLE)
    with pytest.raises(ImageError, match="visible: found None, expected an image for CE"):
        METRICS["CE"](FUSED, INFRARED)
    with pytest.raises(TypeError, match="visible"):
        metrics.qabf(FUSED, INFRARED)


def test_an_added_metric_sees_levels_and_is_scored(registered):
    seen = []

    @metrics.register("brightest", **ABOUT, smallest=3)
    def brightest(fused, infrared, visible):
        seen.extend((fused, infrared, visible))
        return fused.max() - min(infrared.min(), visible.min())

    assert list(METRICS)[-1] == "brightest"
    assert not METRICS["brightest"].eleven
    deep = [image.astype(np.uint16) * 257 for image in (FUSED, INFRARED, VISIBLE)]
    value = float(FUSED.max()) - min(INFRARED.min(), VISIBLE.min())
    assert brightest(*deep) == value
    for image, levels in zip((FUSED, INFRARED, VISIBLE), seen, strict=True):
        assert levels.dtype == np.float64
        np.testing.assert_array_equal(image, levels)
        assert not levels.flags.writeable
    assert score(FUSED, INFRARED, VISIBLE, names=["brightest", "SF"])["brightest"] == value
    assert type(score(FUSED, INFRARED, VISIBLE, names="brightest")["brightest"]) is float
    assert tuple(score(FUSED, INFRARED, VISIBLE)) == ELEVEN
    with pytest.raises(ImageError, match="expected at least 3x3 for brightest"):
        brightest(FUSED[:2], INFRARED[:2], VISIBLE[:2])


def test_what_is_taken_or_unknown_is_refused(registered):
    def darkest(fused):
        return fused.min()

    def between(first, second):
        return 0.0

    with pytest.raises(ValueError, match=r"SF: found ivfnb\.metrics\.contrast\.spatial_frequency registered already, .*darkest"):
        metrics.register("SF", **ABOUT)(darkest)
    with pytest.raises(ValueError, match=r"between: found the parameters \('first', 'second'\), expected fused"):
        metrics.register("between", **ABOUT)(between)
    with pytest.raises(ValueError, match="direction: found 'up', expected 'higher' or 'lower'"):
        metrics.register("darkest", **{**ABOUT, "direction": "up"})
    with pytest.raises(ValueError, match="convention: found 'vifp', expected one of"):
        metrics.register("darkest", **ABOUT, conventions=("vifp",))
    assert "darkest" not in METRICS
    metrics.register("darkest", **ABOUT)(darkest)
    again = metrics.register("darkest", **{**ABOUT, "unit": "grey levels"})(darkest)  # a notebook's cell that is run again
    assert METRICS["darkest"].function is again
    assert METRICS["darkest"].unit == "grey levels"


def test_variants_are_refused_or_take_the_metrics_place(registered):
    def contrast(fused):
        return 1.5

    with pytest.raises(ValueError, match="name: found 'no such', expected a registered metric"):
        metrics.variant("no such", convention="vifb")
    with pytest.raises(ValueError, match="convention: found 'other', expected one of"):
        metrics.variant("SF", convention="other")
    with pytest.raises(ValueError, match="found other parameters than those of MI, expected the same images"):
        metrics.variant("MI", convention="standard")(contrast)
    with pytest.raises(ValueError, match=r"SD in vifb: found ivfnb\.metrics\.contrast\.standard_deviation_vifb registered already"):
        metrics.variant("SD", convention="vifb")(contrast)
    metrics.variant("SF", convention="as_released")(contrast)
    assert score(FUSED, INFRARED, VISIBLE, names="SF", convention="as_released") == {"SF": 1.5}
    assert score(FUSED, INFRARED, VISIBLE, names="SF") == {"SF": metrics.spatial_frequency(FUSED)}


def test_shared_work_is_done_once(monkeypatch):
    calls = Counter()

    def counted(name):
        function = getattr(planes, name)

        def count(*arguments):
            shape = arguments[0].levels.shape if name == "_joint_probabilities" else arguments[0].shape
            calls[name, shape] += 1
            return function(*arguments)

        monkeypatch.setattr(planes, name, count)

    counted("_joint_probabilities")
    counted("_edges_valid")
    score(FUSED, INFRARED, VISIBLE, names=["EI", "Qabf", "Nabf", "MI", "NMI", "Qncie"])
    assert calls["_joint_probabilities", (48, 52)] == 3
    assert calls["_edges_valid", (48, 52)] == 3


def test_planes_are_found_by_their_levels_and_forgotten():
    gc.collect()
    before = len(planes._IN_USE)
    one = planes.plane(FUSED)
    assert planes.plane(one.levels) is one
    assert planes.plane(FUSED) is not one
    assert planes.plane(one.levels.copy()) is not one
    assert one.shared_bits(one) == pytest.approx(one.entropy, abs=1e-12)
    with pytest.raises(ValueError, match="read-only"):
        one.levels[0, 0] = 3
    score(FUSED, INFRARED, VISIBLE)
    del one
    gc.collect()
    assert len(planes._IN_USE) == before


def test_threads_score_alike():
    images = [np.roll(FUSED, shift) for shift in range(8)]
    expected = [score(image, INFRARED, VISIBLE) for image in images]
    found = [None] * len(images)

    def work(i):
        found[i] = score(images[i], INFRARED, VISIBLE)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(images))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == expected


ADDING = """
from ivfnb import metrics
print("loaded", len(metrics.METRICS))  # a look while it is loaded sees what there is
@metrics.register("half", direction="lower", unit="1", value_range=(0, 1), reference="nobody 2026")
def half(fused):
    return 0.5
"""
USING = """
from ivfnb import metrics
print("imported")
print(list(metrics.METRICS)[-1], "half" in metrics.METRICS)
print(metrics.score([[0, 1], [2, 3]], None, None, names=["half"]))
"""


def test_installed_packages_add_metrics_when_one_first_looks(installed):
    done = python(USING, installed("more_metrics", ADDING))
    assert done.stdout.splitlines() == ["imported", "loaded 26", "half True", "{'half': 0.5}"]
    assert not done.stderr


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        ("import no_such_module_at_all", "No module named 'no_such_module_at_all'"),
        (
            ADDING.replace('"half"', '"SF"'),
            r"SF: found ivfnb.metrics.contrast.spatial_frequency registered already, .* for bad_metrics.half",
        ),
    ],
)
def test_a_package_that_does_not_load_is_one_warning(installed, code, reason):
    folder = installed("bad_metrics", code)
    installed("more_metrics", ADDING)
    done = python(USING, folder)
    assert done.stdout.splitlines()[-2:] == ["half True", "{'half': 0.5}"]
    assert done.stderr.count("Warning") == 1
    assert re.search(rf"UserWarning: bad_metrics 1\.5: found that bad_metrics \(ivfnb\.metrics: bad_metrics\) .*{reason}", done.stderr)


def test_importing_is_light():
    slow = ("torch", "skimage", "matplotlib", "scipy", "pywt", "pandas", "importlib.metadata")
    done = python(f"import ivfnb.metrics\nprint([name for name in {slow} if name in sys.modules])")
    assert done.stdout.strip() == "[]"


def test_no_warning_of_installed_packages():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(METRICS) == 26
