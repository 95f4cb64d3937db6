"""The region version (Novotny et al. 2018): boxes, soft seeds and kernel masks."""

from .instances import Instance, find_instances, paint
from .losses import region_losses
from .network import RegionHeads

__all__ = ["Instance", "RegionHeads", "find_instances", "paint", "region_losses"]
