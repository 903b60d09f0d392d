"""What comparison methods learn here, one file a method: `train` or `learn_...` of samples; the scripts in scripts/ call them."""
