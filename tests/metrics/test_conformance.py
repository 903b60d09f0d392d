"""The conformance kit is what its script makes, its values are those of the metrics, and a comparison tells right from wrong."""

import json
import math

import numpy as np
import pytest
import scripts_read

from ivfnb.metrics import CONVENTIONS, METRICS, conformance, score

KIT = conformance.kit()
SLOW = ("FMI_pixel", "FMI_w", "FMI_dct")  # seconds on the larger triples, which the script itself computes


@pytest.fixture(scope="module")
def script():
    return scripts_read.script("make_conformance")


def test_there_are_eight_small_ones():
    assert len(KIT.triples) == 8
    assert sum(file.stat().st_size for file in KIT.triples["real"].folder.parent.rglob("*")) < 400_000
    assert all(image.dtype == np.uint8 for triple in KIT.triples.values() for image in triple.images)
    assert KIT.tolerances.keys() == {name for name, each in METRICS.items() if each.function.__module__.startswith("ivfnb.")}


def test_images_are_those_of_the_script(script):
    made = script.triples()
    assert list(made) == list(KIT.triples)
    for name, (what, *images) in made.items():
        assert KIT.triples[name].what == what
        assert all(np.array_equal(image, kept) for image, kept in zip(images, KIT.triples[name].images, strict=True)), name


@pytest.mark.parametrize("name", KIT.triples)
def test_values_are_those_of_the_metrics(name, script):
    triple = KIT.triples[name]
    for convention, expected in triple.values.items():
        wanted = [each for each in expected if each not in SLOW or (convention == "standard" and name in ("constant", "identical"))]
        found = score(*triple.images, wanted, convention) if wanted else {}
        for metric, value in found.items():
            relative, absolute = KIT.tolerances[metric]
            assert conformance.agrees(value, expected[metric], (relative / 100, absolute)), (convention, metric, value)


@pytest.mark.parametrize("name", ["real", "resized", "constant"])
def test_what_has_a_value_is_there(name, script):
    """Every metric that can be computed is in the kit, but for the few that rounding errors decide."""
    for convention, expected in KIT.triples[name].values.items():
        fits = convention == "as_released" or name != "resized"
        known = CONVENTIONS[convention].names if CONVENTIONS[convention].only_names else KIT.tolerances
        small = min(KIT.triples[name].images[0].shape[:2])
        assert set(expected) == {
            each for each in known if fits and METRICS[each].smallest <= small and each not in script.UNSURE.get(name, ())
        }


def test_values_known_without_computing():
    same, flat = KIT.triples["identical"].values, KIT.triples["constant"].values["standard"]
    assert [same["standard"][name] for name in ("SSIM", "CC", "VIFF")] == pytest.approx([1, 1, 1], abs=1e-10)
    assert [same["standard"][name] for name in ("CE", "RMSE", "Nabf")] == [0, 0, 0]
    assert same["standard"]["PSNR"] == math.inf
    assert same["standard"]["MI"] == pytest.approx(2 * same["standard"]["EN"])
    assert same["vifb"]["SSIM"] == 2.0
    assert {flat[name] for name in ("EI", "SF", "EN", "SD", "DF", "AG", "MI", "SCD")} == {0.0}
    assert flat["PSNR"] == pytest.approx(10 * math.log10(255**2 / 25**2))
    for triple in KIT.triples.values():
        assert triple.values["as_released"]["MI"] == pytest.approx(2 * triple.values["as_released"]["EN"])


def test_own_metrics_agree():
    found = list(conformance.compare(lambda *images: score(*images, ["EN", "SD", "SCD"]), color=True))
    assert len(found) == 7 * 3
    assert all(each.agrees for each in found)


def vectorless(fused, infrared, visible):
    """Small mistakes: SD with divisor N, SCD of uint8 without a rule for constant images, an entropy in nats."""
    counts = np.bincount(fused.ravel(), minlength=256) / fused.size
    with np.errstate(invalid="ignore"):
        first, second = (
            np.corrcoef((fused - one).ravel(), other.ravel())[0, 1] for one, other in ((visible, infrared), (infrared, visible))
        )
    return {"SD": fused.std(), "SCD": first + second, "EN": -np.sum(counts[counts > 0] * np.log(counts[counts > 0])), "mine": 7}


@pytest.mark.filterwarnings("ignore:invalid value:RuntimeWarning")
def test_mistakes_are_found():
    found = list(conformance.compare(vectorless))
    assert {each.metric for each in found} == {"SD", "SCD", "EN"}
    assert {each.triple for each in found if each.metric == "SD" and each.agrees} == {"constant"}
    assert {each.triple for each in found if each.metric == "SCD" and not each.agrees} >= {"real", "constant", "identical"}
    assert all(each.difference == math.inf for each in found if each.found != each.found)
    assert {each.triple for each in found if each.metric == "EN" and each.agrees} == {"constant"}


@pytest.mark.parametrize(("expected", "found", "difference"), [(-2.0, -2.5, 0.25), (0.0, -0.5, 0.5), (3.0, 3.0, 0), (0.0, None, math.inf)])
def test_differences_are_relative_but_to_zero(expected, found, difference):
    assert conformance.Comparison("made up", "SD", expected, found, False).difference == difference


def test_one_metric_from_the_fused_image_alone():
    found = list(conformance.compare(lambda image: image.std(), metric="SD", convention="vifb"))
    assert [each.agrees for each in found] == [True] * 6
    handed = []
    list(conformance.compare(lambda a, b, c=None: handed.append(c is None) or 0.0, metric="SD"))
    assert handed == [False] * 6


def test_a_function_that_raises():
    def picky(fused, infrared, visible):
        if fused.std() == 0:
            raise ZeroDivisionError("flat")
        return {"SD": fused.std(ddof=1)}

    wrong = [each for each in conformance.compare(picky) if not each.agrees]
    assert [(each.triple, each.metric, each.found, each.error) for each in wrong] == [("constant", "SD", None, "ZeroDivisionError: flat")]
    never = list(conformance.compare(lambda *images: 3))
    assert {(each.metric, each.agrees) for each in never} == {("", False)}
    assert "found int, expected a mapping" in never[0].error


def test_images_are_copies():
    def careless(fused, infrared, visible):
        fused[:] = 0
        return {}

    list(conformance.compare(careless))
    assert KIT.triples["real"].images[0].max() > 0
    assert conformance.kit().triples["real"].images[0].max() > 0


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"convention": "strict"}, "convention: found 'strict', expected one of"),
        ({"metric": "PSNRB"}, "metric: found 'PSNRB', expected one of"),
    ],
)
def test_refusals(arguments, message):
    with pytest.raises(ValueError, match=message):
        list(conformance.compare(lambda *images: {}, **arguments))


def test_another_kit(tmp_path):
    with pytest.raises(ValueError, match=r"found no expected\.json"):
        conformance.kit(tmp_path)
    told = {"metrics": {"EN": {"relative": 0, "absolute": 1}}, "triples": {}}
    (tmp_path / "expected.json").write_text(json.dumps(told))
    assert conformance.kit(tmp_path).tolerances == {"EN": (0, 1)}
