"""NestFuse: an auto-encoder with nested connections, whose features are weighted by channel and by place.

Recipe, parameters and departures stand with the network, in `networks/nestfuse.py`.
"""

from ivfnb.baselines.registry import Competitor, Late, Published, Variant, register

register(
    Competitor(
        "NestFuse",
        Late("ivfnb.baselines.networks.nestfuse"),
        "Li, Wu and Durrani, NestFuse: An infrared and visible image fusion architecture based on nest connection and spatial/channel "
        "attention models, IEEE Transactions on Instrumentation and Measurement 69(12):9645-9656, 2020",
        "10.1109/TIM.2020.3005230",
        row=7,
        variants=(
            Variant("", {"weights": "authors"}, published=("tno21",)),
            Variant("retrained", {"weights": "own"}, "retrained here", weights="nestfuse.safetensors"),
        ),
        published={"tno21": Published("pair 01 by its authors, else a third party's run")},
        cost="slow",
        fetched=True,
    )
)
