"""ivfnb: reproduction of Qi et al. 2024 (doi 10.1016/j.neucom.2024.127353), infrared and visible image fusion.

The modules are imported by name (`from ivfnb import fusion, metrics`); importing the package alone loads none of them, nor torch.
"""

__version__ = "0.1.0"
