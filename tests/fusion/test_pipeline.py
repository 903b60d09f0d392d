import warnings
from dataclasses import fields, replace

import cv2
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage

from ivfnb import enhance, fusion, images
from ivfnb.classifier import network, windows
from ivfnb.classifier.network import EResNet
from ivfnb.evaluation import experiments
from ivfnb.fusion import AS_PAPER, AS_RELEASED, Protocol, UndefinedDistanceWarning, fuse, protocol, weightmap

ENERGY_PAPER = replace(AS_PAPER, classifier="gradient_energy")
ENERGY_RELEASED = replace(AS_RELEASED, classifier="gradient_energy")


def textured(seed: int, shape: tuple[int, int]) -> np.ndarray:
    """Shapes over smooth light, uint8 (h, w); the brightest and the darkest level are rare."""
    random = np.random.default_rng(seed)
    light = ndimage.gaussian_filter(random.uniform(0, 1, shape), 9)
    texture = ndimage.gaussian_filter(random.uniform(0, 1, shape), 0.7)
    image = 150 * (light - light.min()) / np.ptp(light) + 80 * (texture - texture.min()) / np.ptp(texture)
    return image.astype(np.uint8)


@pytest.fixture(scope="module")
def pair() -> tuple[np.ndarray, np.ndarray]:
    """(infrared, visible) 75x90 of which each is blurred on one side, with a black spot in both."""
    infrared, visible = textured(1, (75, 90)), textured(2, (75, 90))
    infrared[:, :40] = cv2.GaussianBlur(infrared, (13, 13), 9)[:, :40]
    visible[:, 40:] = cv2.GaussianBlur(visible, (13, 13), 9)[:, 40:]
    infrared[10:14, 60:66] = 0
    visible[50:53, 12:15] = 0
    return infrared, visible


@pytest.fixture(scope="module")
def small_pair(pair) -> tuple[np.ndarray, np.ndarray]:
    """A part of it with few windows, for the network."""
    return tuple(image[20:55, 25:63] for image in pair)


@pytest.fixture(scope="module")
def networks():
    """Networks with random weights by branches; their probabilities are not saturated."""
    found = {}
    with torch.random.fork_rng():
        for branches in ("gray", "gradients"):
            torch.manual_seed(5)
            found[branches] = EResNet(branches).eval()
            found[branches].head[-1].weight.data *= 0.1
    return found


# --- distance transforms ---


def test_distance_to_zero_equals_brute_force():
    random = np.random.default_rng(0)
    image = random.integers(0, 12, (14, 17))
    zeros = np.argwhere(image == 0)
    points = np.argwhere(np.ones_like(image)).reshape(14, 17, 1, 2)
    expected = np.sqrt(((points - zeros) ** 2).sum(axis=3)).min(axis=2)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(fusion.distance_to_zero(image), expected)


def test_undefined_distance_is_scipys_ramp_and_warned_about():
    with pytest.warns(UndefinedDistanceWarning, match="without a zero pixel is undefined"):
        ramp = fusion.distance_to_zero(np.ones((20, 31), np.uint8))
    rows, columns = np.indices((20, 31))
    np.testing.assert_allclose(ramp, np.sqrt((rows + 1) ** 2 + columns**2))
    # what the installed SciPy does is what the released script saw; should SciPy change, the formula above stays
    np.testing.assert_allclose(ramp, ndimage.distance_transform_edt(np.ones((20, 31))), atol=1e-12)


@pytest.mark.parametrize("number", ["01", "02"])
def test_stages_equal_the_released_script(golden, number):
    with np.load(golden / "fusion" / f"tno{number}.npz") as expected, warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedDistanceWarning)
        infrared, visible = expected["enhanced_infrared"], expected["enhanced_visible"]
        blended, weight = fusion.blend_by_distance(infrared, visible, expected["visible_mask"])
        assert np.abs(blended - expected["blended"]).max() <= 1e-4
        stretched = enhance.stretch(blended).astype(np.uint8)
        np.testing.assert_array_equal(stretched, expected["stretched"])
        np.testing.assert_array_equal(enhance.ssr(stretched).astype(np.uint8), expected["ssr"])
        np.testing.assert_allclose(weight * visible + (1 - weight) * infrared, blended, atol=1e-10)


@pytest.mark.parametrize("number", ["01", "02"])
def test_fuse_as_released_equals_the_released_script_from_its_votes_on(golden, number, networks, monkeypatch):
    with np.load(golden / "fusion" / f"tno{number}.npz") as expected, warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedDistanceWarning)
        says_infrared = expected["window_says_infrared"]
        scores = np.zeros((2, *says_infrared.shape, 2), np.float32)
        scores[0, ..., 1] = scores[1, ..., 0] = np.where(says_infrared, 1, -1)
        monkeypatch.setattr(windows, "window_scores", lambda *_: scores)
        already_enhanced = replace(AS_RELEASED, enhance_infrared="none", enhance_visible="none", jpeg_quality=None)
        result = fuse(expected["enhanced_infrared"], expected["enhanced_visible"], networks["gradients"], already_enhanced)
        np.testing.assert_array_equal(result.votes, expected["votes"])
        assert np.abs(result.blended - expected["blended"]).max() <= 1e-4
        np.testing.assert_array_equal(result.stretched, expected["stretched"])
        np.testing.assert_array_equal(result.fused, expected["ssr"])


# --- the whole way, against a plain reading of the released script ---


def released_script(infrared: np.ndarray, visible: np.ndarray) -> np.ndarray:
    """The released steps with gradient energy for the network, written as loops: the oracle."""
    stored = []
    for image in (enhance.stretch(infrared), enhance.hdrc(visible), infrared):
        _, file = cv2.imencode(".jpg", np.floor(image + 0.5).astype(np.uint8), [cv2.IMWRITE_JPEG_QUALITY, 75])
        stored.append(cv2.imdecode(file, cv2.IMREAD_GRAYSCALE))
    infrared, visible, original = (cv2.resize(image, (456, 456)) for image in stored)
    energy = [
        cv2.Sobel(image, cv2.CV_64F, 1, 0, borderType=cv2.BORDER_REPLICATE) ** 2
        + cv2.Sobel(image, cv2.CV_64F, 0, 1, borderType=cv2.BORDER_REPLICATE) ** 2
        for image in (original, visible)
    ]
    votes = np.zeros((456, 456), int)
    for row in range(0, 456 - 31, 8):
        for column in range(0, 456 - 31, 8):
            window = np.s_[row : row + 32, column : column + 32]
            votes[window] += -1 if energy[0][window].sum() > energy[1][window].sum() else 1
    mask = (votes >= 0).astype(np.uint8)
    edt = ndimage.distance_transform_edt
    common, inside_visible, inside_infrared = edt(np.where(mask, visible, infrared)), edt(mask), edt(1 - mask)
    blended = common * infrared + common * visible + inside_infrared * infrared + inside_visible * visible
    blended /= 2 * common + inside_infrared + inside_visible
    stretched = ((blended - blended.min()) * 255 / (blended.max() - blended.min())).astype(np.uint8)
    return enhance.ssr(stretched).astype(np.uint8)


def test_as_released_equals_the_plain_script(pair):
    result = fuse(*pair, None, ENERGY_RELEASED)
    np.testing.assert_array_equal(result.fused, released_script(*pair))
    assert result.fused.shape == (456, 456)


def test_as_paper_keeps_the_size_and_prefers_the_sharper_side(pair):
    result = fuse(*pair, None, ENERGY_PAPER)
    assert result.fused.dtype == np.uint8
    assert result.fused.shape == result.weight_map.shape == result.votes.shape == (75, 90)
    assert result.weight_map[:, :20].min() > 0.5 > result.weight_map[:, 70:].max()
    np.testing.assert_array_equal(result.enhanced_infrared, enhance.stretch(pair[0]))
    np.testing.assert_array_equal(result.enhanced_visible, enhance.hdrc(pair[1]))
    np.testing.assert_array_equal(result.fused, enhance.ssr(result.blended).astype(np.uint8))
    assert result.protocol is ENERGY_PAPER


def test_gradient_energy_scores_equal_the_loop(pair):
    infrared, visible = pair
    scores = fusion.gradient_energy_scores(visible, infrared, 12)
    energy = {}
    for order, image in enumerate((visible, infrared)):
        gx, gy = (cv2.Sobel(image.astype(float), cv2.CV_64F, *axis, borderType=cv2.BORDER_REPLICATE) for axis in ((1, 0), (0, 1)))
        energy[order] = gx**2 + gy**2
    assert scores.shape == (2, 4, 5, 2)
    for row in range(4):
        for column in range(5):
            window = np.s_[12 * row : 12 * row + 32, 12 * column : 12 * column + 32]
            sums = [np.log(energy[image][window].sum() + 1e-3) for image in (0, 1)]
            np.testing.assert_allclose(scores[0, row, column], sums, rtol=1e-9)
            np.testing.assert_allclose(scores[1, row, column], sums[::-1], rtol=1e-9)


def test_no_classifier_is_the_mean_of_the_enhanced_pair(pair):
    for base in (AS_PAPER, AS_RELEASED):
        result = fuse(*pair, None, replace(base, classifier="none"))
        np.testing.assert_array_equal(result.blended, (result.enhanced_visible.astype(float) + result.enhanced_infrared) / 2)
        assert (result.weight_map == 0.5).all()
        assert result.votes is None
        assert result.scores is None


def test_plain_mean_of_the_sources(pair):
    plain = replace(AS_PAPER, classifier="none", enhance_infrared="none", enhance_visible="none", ssr="none")
    expected = np.floor((pair[0].astype(float) + pair[1]) / 2 + 0.5)
    np.testing.assert_array_equal(fuse(*pair, None, plain).fused, expected)


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    shape=st.tuples(st.integers(32, 60), st.integers(32, 60)),
    weighting=st.sampled_from(protocol.CHOICES["weighting"]),
    stride=st.integers(1, 32),
    eight_bit=st.booleans(),
)
def test_the_blend_lies_between_the_sources(seed, shape, weighting, stride, eight_bit):
    infrared, visible = textured(seed, shape), textured(seed + 1, shape)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UndefinedDistanceWarning)
        result = fuse(infrared, visible, None, replace(ENERGY_PAPER, weighting=weighting, stride=stride, eight_bit=eight_bit))
    assert result.weight_map.min() >= 0
    assert result.weight_map.max() <= 1
    sources = np.stack([result.enhanced_infrared, result.enhanced_visible]).astype(float)
    assert (result.blended >= sources.min(axis=0) - 1e-9).all()
    assert (result.blended <= sources.max(axis=0) + 1e-9).all()
    mixed = result.weight_map * sources[1] + (1 - result.weight_map) * sources[0]
    np.testing.assert_allclose(result.blended, mixed, atol=1e-9)


# --- every field of Protocol counts ---

CHANGES = {
    "size": (ENERGY_PAPER, (64, 80)),
    "stride": (ENERGY_PAPER, 16),
    "classifier": (ENERGY_PAPER, "none"),
    "branches": (AS_PAPER, "gray"),
    "trained_on": (AS_PAPER, "gray"),
    "classifier_infrared": (AS_PAPER, "original"),
    "normalisation": (AS_PAPER, "released"),
    "ties": (replace(AS_PAPER, weighting="votes"), "infrared"),
    "weighting": (ENERGY_PAPER, "mask"),
    "enhance_infrared": (ENERGY_PAPER, "none"),
    "enhance_visible": (ENERGY_PAPER, "clahe"),
    "eight_bit": (ENERGY_PAPER, True),
    "jpeg_quality": (ENERGY_PAPER, 75),
    "stretch": (ENERGY_PAPER, True),
    "ssr": (ENERGY_PAPER, "none"),
    "ssr_sigma": (ENERGY_PAPER, 20.0),
    "ssr_unit": (replace(ENERGY_PAPER, ssr_sigma=0.3), "image"),
    "clip": (ENERGY_PAPER, "none"),
}


def test_the_list_of_changes_is_complete():
    assert set(CHANGES) == {field.name for field in fields(Protocol)}


@pytest.mark.parametrize("field", CHANGES)
def test_each_field_changes_the_fused_image(field, pair, small_pair, networks):
    base, value = CHANGES[field]
    changed = replace(base, **{field: value})
    results = [
        fuse(*small_pair, networks[each.trained_on], each) if each.classifier == "cnn" else fuse(*pair, None, each)
        for each in (base, changed)
    ]
    assert results[0].fused.shape != results[1].fused.shape or not np.array_equal(results[0].fused, results[1].fused)


OF_THE_NETWORK = (
    "branches",
    "trained_on",
    "classifier",
    "classifier_infrared",
    "normalisation",
)  # two values each but for classifier: tested above


@pytest.mark.filterwarnings("ignore::ivfnb.fusion.UndefinedDistanceWarning")
@pytest.mark.parametrize("field", [field for field in protocol.CHOICES if field not in OF_THE_NETWORK])
def test_no_two_values_of_a_field_do_the_same(field, pair, networks, monkeypatch):
    infrared, visible = pair
    scores = np.random.default_rng(3).normal(0, 1, (2, 7, 9, 2))  # half of the windows contradict themselves
    monkeypatch.setattr(windows, "window_scores", lambda *_: scores)
    base = replace(AS_PAPER, ssr_sigma=0.4 if field == "ssr_unit" else 300.0, weighting="mask" if field == "ties" else "soft")
    found = {
        fuse(infrared, visible, networks["gradients"], replace(base, **{field: value})).fused.tobytes() for value in protocol.CHOICES[field]
    }
    assert len(found) == len(protocol.CHOICES[field])


def test_undecided_pixels_follow_the_ties(monkeypatch, pair, networks):
    # two windows side by side that vote for different images leave the columns between them without a majority
    infrared, visible = pair[0][:32, :48], pair[1][:32, :48]
    scores = np.zeros((2, 1, 2, 2), np.float32)
    scores[0, 0, :, 0] = scores[1, 0, :, 1] = (3, -1)  # the left window is surer of visible than the right one of infrared
    monkeypatch.setattr(windows, "window_scores", lambda *_: scores)
    weights = {}
    for ties in protocol.CHOICES["ties"]:
        result = fuse(infrared, visible, networks["gradients"], replace(AS_PAPER, stride=16, weighting="mask", ties=ties))
        assert (result.votes[:, 16:32] == 0).all()
        weights[ties] = result.weight_map[0]
        np.testing.assert_array_equal(weights[ties][:16], 1)
        np.testing.assert_array_equal(weights[ties][32:], 0)
    assert [set(weights[ties][16:32]) for ties in ("visible", "infrared", "score")] == [{1.0}, {0.0}, {1.0}]


def test_released_normalisation_leaves_the_callers_network_alone(pair, networks):
    net = networks["gray"]
    before = net.normalisation.clone()
    fuse(pair[0][:32, :32], pair[1][:32, :32], net, replace(AS_PAPER, branches="gray", trained_on="gray", normalisation="released"))
    assert (net.normalisation == before).all()


def test_choices_are_those_of_the_modules():
    assert protocol.CHOICES["ties"] == weightmap.TIES
    assert set(weightmap.KINDS) <= set(protocol.CHOICES["weighting"])
    assert protocol.CHOICES["clip"] == enhance.CLIPS
    assert set(protocol.CHOICES["enhance_visible"]) == set(enhance.VISIBLE)
    assert set(protocol.CHOICES["enhance_infrared"]) == set(enhance.INFRARED)


def test_fusing_twice_gives_equal_images_and_leaves_the_inputs(small_pair, networks):
    infrared, visible = (image.copy() for image in small_pair)
    first, second = (fuse(infrared, visible, networks["gradients"]) for _ in range(2))
    np.testing.assert_array_equal(first.fused, second.fused)
    np.testing.assert_array_equal(infrared, small_pair[0])
    np.testing.assert_array_equal(visible, small_pair[1])
    assert first.scores.shape == (2, 2, 2, 2)  # 35x38 is padded to 40x40


# --- colour, depth, odd images ---


@pytest.mark.parametrize("base", [ENERGY_PAPER, ENERGY_RELEASED])
def test_colour_fuses_luma_and_carries_chroma(pair, base):
    infrared, gray = pair
    visible = np.stack([gray // 2 + 60, gray // 2 + 50, gray // 2 + 40], axis=2)
    planes = images.to_ycbcr(visible)
    in_colour, in_gray = fuse(infrared, visible, None, base), fuse(infrared, images.to_gray(visible), None, base)
    np.testing.assert_array_equal(in_colour.blended, in_gray.blended)
    assert in_colour.fused.shape == (*in_gray.fused.shape, 3)
    result = images.to_ycbcr(in_colour.fused)
    chroma = images.resize(planes[..., 1:], in_gray.fused.shape)
    free = ((in_colour.fused > 0) & (in_colour.fused < 255)).all(axis=2)  # saturation gives chroma up
    assert free.mean() > 0.5
    assert np.abs(result[..., 0] - in_gray.fused)[free].max() <= 0.51
    assert np.abs(result[..., 1:] - chroma)[free].max() <= 1


@pytest.mark.parametrize("base", [ENERGY_PAPER, ENERGY_RELEASED])
def test_three_equal_channels_stay_grey(pair, base):
    infrared, gray = pair
    fused = fuse(infrared, np.dstack([gray] * 3), None, base).fused
    assert (fused == fused[..., :1]).all()
    assert fuse(infrared, gray, None, base).fused.ndim == 2


def test_16_bit_pairs_fuse_as_their_levels(pair):
    deep = [image.astype(np.uint16) * 257 for image in pair]
    np.testing.assert_array_equal(fuse(*deep, None, ENERGY_RELEASED).fused, fuse(*pair, None, ENERGY_RELEASED).fused)


@pytest.mark.filterwarnings("ignore::ivfnb.fusion.UndefinedDistanceWarning")
@pytest.mark.parametrize("base", [ENERGY_PAPER, ENERGY_RELEASED, replace(AS_RELEASED, classifier="none")])
@pytest.mark.parametrize("levels", [(0, 0), (255, 255), (90, 90), (0, 255), (40, 180)])
def test_constant_and_two_level_pairs_give_an_image(base, levels):
    visible = np.full((48, 40), levels[0], np.uint8)
    visible[:, 20:] = levels[1]
    infrared = visible[::-1, ::-1].copy()
    result = fuse(infrared, visible, None, base)
    assert np.isfinite(result.blended).all()
    if levels[0] == levels[1]:
        assert (result.fused == levels[0]).all()


def test_pairs_smaller_than_a_window_need_no_classifier_or_a_size(pair):
    infrared, visible = pair[0][:20, :25], pair[1][:20, :25]
    with pytest.raises(ValueError, match="at least 32x32"):
        fuse(infrared, visible, None, ENERGY_PAPER)
    assert fuse(infrared, visible, None, replace(AS_PAPER, classifier="none")).fused.shape == (20, 25)
    assert fuse(infrared, visible, None, replace(ENERGY_PAPER, size=(40, 50))).fused.shape == (40, 50)


# --- what is refused ---


def test_bad_pairs_and_networks_are_refused(pair, networks):
    infrared, visible = pair
    for bad, message in (
        ((infrared, visible[:-1]), r"infrared, visible: found sizes \(75, 90\) and \(74, 90\), expected one size"),
        ((np.dstack([infrared] * 3), visible), r"infrared: found an array of shape \(75, 90, 3\), expected a grey image"),
        ((infrared, np.dstack([visible] * 4)), r"visible: found an array of shape \(75, 90, 4\), expected"),
        ((infrared, np.where(visible > 50, np.nan, 1.0)), "visible: found levels from nan"),
    ):
        with pytest.raises(ValueError, match=message):
            fuse(*bad, None, ENERGY_PAPER)
    with pytest.raises(ValueError, match="net: found a network with gray branches, expected gradients"):
        fuse(infrared, visible, networks["gray"], AS_RELEASED)
    with pytest.raises(ValueError, match="found shapes"):
        fusion.blend_by_distance(infrared, visible, np.ones((3, 3), bool))


SMALL_RELEASED = replace(AS_RELEASED, size=(64, 80))


@pytest.mark.parametrize("base", [AS_PAPER, SMALL_RELEASED, replace(SMALL_RELEASED, trained_on="gray")])
def test_without_a_network_the_weights_that_the_protocol_names_are_loaded_once(pair, base, monkeypatch):
    before = network.loaded.cache_info().misses
    found = fuse(*pair, None, base)
    np.testing.assert_array_equal(found.fused, fuse(*pair, network.load(base.weights), base).fused)
    fuse(*pair, None, base)
    assert network.loaded.cache_info().misses <= before + 1


@pytest.mark.parametrize(("who", "weight"), [("visible", 1.0), ("infrared", 0.0)])
@pytest.mark.parametrize("base", [AS_PAPER, AS_RELEASED])
def test_one_image_everywhere(pair, who, weight, base):
    result = fuse(*pair, None, replace(base, classifier=who))
    assert result.votes is None
    assert result.scores is None
    if base.weighting == "soft":
        assert (result.weight_map == weight).all()
        np.testing.assert_array_equal(result.blended, getattr(result, f"enhanced_{who}"))
    else:
        mask = np.full(result.weight_map.shape, who == "visible")
        expected, weights = fusion.blend_by_distance(result.enhanced_infrared, result.enhanced_visible, mask)
        np.testing.assert_array_equal(result.blended, expected)
        np.testing.assert_array_equal(result.weight_map, weights)


@pytest.mark.parametrize("field", protocol.CHOICES)
def test_unknown_values_name_the_known_ones(field):
    with pytest.raises(ValueError, match=f"{field}: found 'guess', expected one of") as caught:
        Protocol(**{field: "guess"})
    assert str(protocol.CHOICES[field][-1]) in str(caught.value)
    with pytest.raises(ValueError, match=f"{field}: found 1, expected"):
        Protocol(**{field: 1})


@pytest.mark.parametrize(
    "bad",
    [
        *({"stride": value} for value in (0, 33, 8.0, "8", True, None)),
        *({"size": value} for value in ((456,), (456, 20), (100.0, 100), "456", 456, ("a", "b"))),
        *({"jpeg_quality": value} for value in (0, 101, 75.0, "75", True)),
        *({"ssr_sigma": value} for value in (0, -1.0, float("inf"), float("nan"), "300", None, True)),
        {"ssr_sigma": 300.0, "ssr_unit": "share"},
    ],
)
def test_bad_numbers_are_refused(bad):
    with pytest.raises(ValueError, match=r"found .*, expected"):
        Protocol(**bad)


# --- the tables' rows ---


def test_switches_change_one_thing_at_a_time():
    rows = experiments.switches()
    assert next(iter(rows)) == "base"
    assert rows["base"] == AS_RELEASED
    assert rows["as paper"] == AS_PAPER
    assert len(set(rows.values())) == len(rows)
    differing = {
        name: {field.name for field in fields(Protocol) if getattr(each, field.name) != getattr(AS_RELEASED, field.name)}
        for name, each in rows.items()
        if name not in ("base", "as paper")
    }
    unit = {"ssr_sigma", "ssr_unit"}  # a share of the image is a number in another unit
    assert all(len(names) == 1 or names == unit for names in differing.values())
    assert set().union(*differing.values()) == {field.name for field in fields(Protocol)}


def test_ablations_are_all_combinations():
    rows = experiments.ablations()
    seen = {(each.classifier, each.enhance_infrared, each.enhance_visible, each.ssr) for each in rows.values()}
    assert len(rows) == len(seen) == 24
    assert rows["CNN / both / SSR"] == AS_RELEASED
    assert rows["no classifier / both / SSR"] == replace(AS_RELEASED, classifier="none")
    assert rows["gradient energy / HDRC only / no SSR"].weights is None
    assert experiments.ablations(AS_PAPER)["CNN / both / SSR"] == AS_PAPER
    assert AS_PAPER.weights == "eresnet-gradients"
    assert AS_RELEASED.weights == "eresnet-gradients"
    assert replace(AS_RELEASED, trained_on="gray").weights == "eresnet-gray"


@pytest.mark.filterwarnings("ignore::ivfnb.fusion.UndefinedDistanceWarning")
def test_every_switch_and_ablation_that_needs_no_network_runs(pair):
    small = {"size": (64, 72)}
    rows = {**experiments.switches(ENERGY_RELEASED), **experiments.ablations()}
    outputs = {name: fuse(*pair, None, replace(each, **small)).fused for name, each in rows.items() if each.weights is None}
    assert len(outputs) >= 32
    assert all(np.ptp(image) > 50 for image in outputs.values())
