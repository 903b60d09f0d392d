"""DDcGAN: a generator trained against two discriminators, one of each source.

Recipe, parameters and departures stand with the network, in `networks/ddcgan.py`.
"""

from ivfnb.baselines.registry import Competitor, Late, Published, Variant, register

register(
    Competitor(
        "DDcGAN",
        Late("ivfnb.baselines.networks.ddcgan"),
        "Ma, Xu, Jiang, Mei and Zhang, DDcGAN: A dual-discriminator conditional generative adversarial network for multi-resolution "
        "image fusion, IEEE Transactions on Image Processing 29:4980-4995, 2020",
        "10.1109/TIP.2020.2977573",
        row=8,
        cost="slow",
        variants=(
            Variant("", {"trained": "by the authors"}),
            Variant("retrained", {"trained": "here"}, "retrained here on these pairs", weights="ddcgan.safetensors"),
        ),
        published={"tno21": Published("cropped to multiples of 4")},
        fetched=True,
    )
)
