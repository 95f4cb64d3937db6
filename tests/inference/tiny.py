"""A small network with random weights: it finds something, but nothing true."""

import torch

from napari_semiconv.network.embedder import Embedder
from napari_semiconv.network.model_folder import ModelInfo
from napari_semiconv.network.weights import Model
from napari_semiconv.settings import (
    NETWORK_PRESETS,
    HdbscanSettings,
    SegmentSettings,
    VotesSettings,
)

# A random network finds crumbs.
CRUMBS = SegmentSettings(
    cell_size=24,
    device="cpu",
    votes=VotesSettings(smallest=0.01),
    hdbscan=HdbscanSettings(foreground=0.3, smallest=0.01, coordinate_weight=0.2),
)


def tiny_model(folder, memory="gru", digest="a"):
    torch.manual_seed(0)
    settings = NETWORK_PRESETS["tiny"].model_copy(
        update={"memory": memory, "memory_from": 0}
    )
    network = Embedder(settings).eval()
    network.heads.draw(0.5)
    return Model(ModelInfo("random", folder, settings, 24.0, "", digest), network)
