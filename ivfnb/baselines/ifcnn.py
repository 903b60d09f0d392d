"""IFCNN: features of both sources, fused element by element and decoded by a small convolutional network.

Recipe, parameters and departures stand with the network, in `networks/ifcnn.py`.
"""

from ivfnb.baselines.registry import Competitor, Late, Published, Variant, register

register(
    Competitor(
        "IFCNN",
        Late("ivfnb.baselines.networks.ifcnn"),
        "Zhang, Liu, Sun, Yan, Zhao and Zhang, IFCNN: A general image fusion framework based on convolutional "
        "neural network, Information Fusion 54:99-118, 2020",
        "10.1016/j.inffus.2019.07.011",
        row=14,
        variants=(Variant(words="elementwise maximum", published=("tno21", "vifb21")),),
        published={"tno21": Published("elementwise maximum"), "vifb21": Published("VIFB's run")},
        color=Late("ivfnb.baselines.networks.ifcnn", "fuse_color"),
        fetched=True,
    )
)
