"""Training of the comparison networks whose weights this project makes itself: NestFuse, RFN-Nest and DDcGAN.

Each module has a configuration and `train(config, samples, folder)`; `scripts/train_baselines.py` calls them.
"""
