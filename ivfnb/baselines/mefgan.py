"""MEF-GAN: a local branch and one of self-attention, merged; trained to fuse exposures, here given infrared and visible images.

Recipe, parameters and departures stand with the network, in `networks/mefgan.py`.
"""

from ivfnb.baselines.registry import Competitor, Late, Published, register

register(
    Competitor(
        "MEF-GAN",
        Late("ivfnb.baselines.networks.mefgan"),
        "Xu, Ma and Zhang, MEF-GAN: Multi-exposure image fusion via generative adversarial networks, IEEE "
        "Transactions on Image Processing 29:7203-7216, 2020",
        "10.1109/TIP.2020.2999855",
        row=9,
        published={"tno21": Published("cropped to multiples of 8, a third party's run")},
        fetched=True,
    )
)
