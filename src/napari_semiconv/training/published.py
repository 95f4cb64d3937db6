"""What Payer et al. trained their networks with, as far as a setting decides it."""

from typing import Any

# Standard deviation of uniform shifts of up to 10 px; recordings are 1.33 times finer.
ELASTIC = round(1.33 * 10 / 3**0.5, 1)
BOTH: dict[str, Any] = {
    "steps": 40_000,
    "batch": 1,
    "crop": 256,
    "learning_rate": 1e-4,
    "schedule": "step",
    "warm_up": 0,
    "weight_decay": 1e-5,
    "elastic": ELASTIC,
    "elastic_share": 1.0,
    "simulated": 0.0,
    "average": 0.0,
}
# The neighbour radius is left out: it was set anew for each data set, in frames of
# another scale. 2018 says Adam in print and is Nadam in code.
PUBLISHED: dict[str, dict[str, Any]] = {
    "payer2018": {
        **BOTH,
        "frames": 10,
        "optimiser": "nadam",
        "pull": "cos",
        "background": "mean",
        "neighbour_rule": "2018",
        "most_cells": 16,
        "elastic_nodes": 8,
    },
    "payer2019": {
        **BOTH,
        "frames": 8,
        "optimiser": "adam",
        "pull": "cos2",
        "background": "fixed",
        "neighbour_rule": "2019",
        "neighbour_dilation": 5,
        "most_cells": 31,
        "elastic_nodes": 6,
    },
}
