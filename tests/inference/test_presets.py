"""All thirteen rows of the published parameter tables, as they were published.

The numbers stand here a second time, in the layout of the publications, so that a slip
in the presets shows.
"""

import pytest

from napari_semiconv.inference.presets import PAPER_PRESETS
from napari_semiconv.settings import PayerSettings, SegmentSettings

# Payer et al. 2018, frames of 256 x 256 px, a data set per row: c, m, smoothing (px),
# ignore border in x and y, parent dilation, parent frames.
ROWS_2018 = """
dic    0.02   1000  2  25  25  0  8
msc    0.01    500  2  10  16  0  8
gowt1  0.001    50  2  12  12  5  2
sim    0.001   100  2   0   0  5  2
hela   0.01     25  1  12  18  3  2
u373   0.005   500  2  18  24  0  8
"""
# Payer et al. 2019, a data set per column; the first two rows are width and height of
# the frames that the network saw.
COLUMNS_2019 = """
set              dic  msc  gowt1  sim  hela  u373  psc
width            256  256    512  512  1100   512  720
height           256  256    512  512   700   384  576
smallest         500  100    100  100    50   500   50
border            50   50     50    0    25    50   25
parent_dilation    0    0      5    5     3     0    0
parent_frames      8    8      2    2     2     8    2
shortest_track     2    2      2    2     2     2    5
"""


def rows_2018():
    for line in ROWS_2018.strip().splitlines():
        name, *numbers = line.split()
        yield name, [float(number) for number in numbers]


def columns_2019():
    table = {
        line.split()[0]: line.split()[1:] for line in COLUMNS_2019.split("\n") if line
    }
    names = table.pop("set")
    for place, name in enumerate(names):
        yield name, {key: int(values[place]) for key, values in table.items()}


def test_every_data_set_of_both_tables_has_its_preset():
    named = {f"payer2018-{name}" for name, _ in rows_2018()}
    named |= {f"payer2019-{name}" for name, _ in columns_2019()}
    assert len(named) == 13
    assert set(PAPER_PRESETS) == named | {"payer2018", "payer2019"}


@pytest.mark.parametrize(("name", "row"), list(rows_2018()))
def test_a_row_of_2018(name, row):
    c, m, smoothing, border_x, border_y, dilation, frames = row
    payer = PayerSettings(
        coordinate_weight=c,
        smallest=int(m),
        smoothing=smoothing,
        border_x=int(border_x),
        border_y=int(border_y),
        parent_dilation=int(dilation),
        parent_frames=int(frames),
        shortest_track=1,  # tracks were not dropped for being short
        most_pixels=0,  # all pixels were clustered
    )
    assert PAPER_PRESETS[f"payer2018-{name}"] == SegmentSettings(
        engine="payer2018", resize="256x256", memory_span=0, payer=payer
    )


@pytest.mark.parametrize(("name", "column"), list(columns_2019()))
def test_a_column_of_2019(name, column):
    found = PAPER_PRESETS[f"payer2019-{name}"]
    assert (found.engine, found.memory_span) == ("payer2019", 0)
    assert found.network_shape == (column["height"], column["width"])
    assert found.payer.coordinate_weight == 0.005
    assert found.payer.border_x == found.payer.border_y == column["border"]
    for key in ("smallest", "parent_dilation", "parent_frames", "shortest_track"):
        assert getattr(found.payer, key) == column[key]
    # Not published: that of 2018, and for the small cells of PSC that of HeLa.
    assert found.payer.smoothing == (1 if name in ("hela", "psc") else 2)
