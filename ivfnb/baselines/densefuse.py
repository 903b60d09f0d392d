"""DenseFuse: both sources encoded by one densely connected network, the codes added, and the sum decoded.

Recipe, parameters and departures stand with the network, in `networks/densefuse.py`.
"""

from ivfnb.baselines.registry import Competitor, Late, Published, Variant, register

register(
    Competitor(
        "DenseFuse",
        Late("ivfnb.baselines.networks.densefuse"),
        "Li and Wu, DenseFuse: A fusion approach to infrared and visible images, IEEE Transactions on Image "
        "Processing 28(5):2614-2623, 2019",
        "10.1109/TIP.2018.2887342",
        row=6,
        variants=(Variant(published=("tno21",)),),
        published={"tno21": Published("addition")},
        fetched=True,
    )
)
