"""Windows of which one image is flat: what rounding leaves of their covariance counts as nothing."""

import numpy as np
import pytest

from ivfnb.metrics import filters, similarity


@pytest.mark.parametrize("turned", [False, True])
def test_a_flat_window_has_no_structure_in_common_with_another(turned):
    noise, flat = np.random.default_rng(0).uniform(0, 255, (40, 50)), np.full((40, 50), 201.7)
    window = filters.gaussian(11, 1.5)
    one, other = (similarity.local_of(image, window) for image in (noise, flat))
    assert (other.variance == 0).all()
    assert similarity.covariance(one, other, window).any(), "rounding leaves something"
    found = similarity.structure(*((other, one) if turned else (one, other)), window, 58.5225)
    assert np.array_equal(found, 58.5225 / (one.variance + 58.5225))
