"""CNN: a siamese network weighs the sources, which are fused band by band in Laplacian pyramids.

Recipe, parameters and departures stand with the network, in `networks/cnn.py`.
"""

from ivfnb.baselines.registry import Competitor, Late, Published, Variant, register

register(
    Competitor(
        "CNN",
        Late("ivfnb.baselines.networks.cnn"),
        "Liu, Chen, Cheng, Peng and Wang, Infrared and visible image fusion with convolutional neural "
        "networks, International Journal of Wavelets, Multiresolution and Information Processing "
        "16(3):1850018, 2018",
        "10.1142/S0219691318500182",
        row=11,
        variants=(Variant(published=("tno21",)),),
        published={"tno21": Published("a third party's run")},
        color=Late("ivfnb.baselines.networks.cnn", "fuse_color"),
        fetched=True,
    )
)
