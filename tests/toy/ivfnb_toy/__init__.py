"""A comparison method and a metric that live outside ivfnb."""

import numpy as np

from ivfnb.baselines import Competitor, register
from ivfnb.metrics import register as metric


def fuse(infrared, visible):
    """Pixelwise minimum of the sources."""
    return np.minimum(np.asarray(infrared, float), visible)


register(Competitor("Toy minimum", fuse, "Nobody, The darker of two images, 2024"))


@metric("Brightness", direction="higher", unit="grey levels", value_range=(0, 255), reference="Nobody 2024")
def brightness(fused):
    """Mean level of the fused image."""
    return float(np.mean(fused))
