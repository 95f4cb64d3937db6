"""Save the lineage as a picture: SVG, or PNG where it is not too large for one."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from qtpy.QtCore import QBuffer, QByteArray, QIODevice, QRectF, QSize
from qtpy.QtGui import QImage, QPainter
from qtpy.QtSvg import QSvgGenerator

from ...errors import BadInputError
from ...safe import replacing
from ...workflows.progress import Progress, Steps, Stop, StoppedError
from .painting import Drawing
from .scale import AXIS, Scale

# Rows that are painted before the next word of progress.
BATCH = 200
# A PNG has so many pixels for one of the screen, and at most so many in all and a side.
FINE, MOST, LONGEST = 2, 100_000_000, 32_000
# Narrowest picture of a whole movie, px.
NARROWEST = 800
ENDINGS = (".svg", ".png")


@dataclass(frozen=True)
class Picture:
    """A drawing with its place on a sheet, apart from all that may change meanwhile.

    Parameters
    ----------
    drawing
        What is drawn.
    scale
        How large.
    """

    drawing: Drawing
    scale: Scale

    @classmethod
    def of(cls, drawing: Drawing, scale: Scale, *, whole: bool) -> "Picture":
        """Take what is in view, or all frames and rows as large as they are in view."""
        labels = np.unique(drawing.rows.labels).astype(np.int32)
        known = np.asarray(drawing.colours(labels))
        still = replace(
            drawing,
            tracks=dict(drawing.tracks),
            colours=lambda some: known[np.searchsorted(labels, some)],
            selection=frozenset(),
            frame=None,
        )
        if whole:
            width = max(round(scale.frame_width * scale.frames), NARROWEST)
            height = AXIS + scale.content[1] + 2
            scale = replace(
                scale, width=width, height=height, zoom=0.0, first=0.0, top=0
            )
        return cls(still, scale)

    def write(self, path: Path, stop: Stop) -> Steps[Path]:
        """Paint it into a file, by its ending.

        Raises
        ------
        BadInputError
            When it is too large for a PNG.
        SaveError
            When the disk fails.
        StoppedError
            When ``stop`` asked for it.
        """
        size = QSize(self.scale.width, self.scale.height)
        content = QByteArray()
        buffer = QBuffer(content)
        buffer.open(QIODevice.OpenModeFlag.WriteOnly)
        if path.suffix.lower() == ".png":
            self._check(path)
            image = QImage(size * FINE, QImage.Format.Format_RGB32)
            yield from self._paint(image, FINE, stop)
            image.save(buffer, "PNG")
        else:
            paper = QSvgGenerator()
            paper.setOutputDevice(buffer)
            paper.setSize(size)
            paper.setViewBox(QRectF(0, 0, size.width(), size.height()))
            paper.setTitle("Lineage")
            yield from self._paint(paper, 1, stop)
        buffer.close()
        with replacing(path, sync=False) as stream:
            stream.write(content.data())
        return path

    def _paint(self, paper: Any, factor: int, stop: Stop) -> Steps[None]:
        rows = self.scale.shown_rows
        painter = QPainter(paper)
        try:
            painter.scale(factor, factor)
            self.drawing.paint_paper(painter, self.scale)
            for first in range(rows.start, rows.stop, BATCH):
                if stop():
                    raise StoppedError
                batch = range(first, min(first + BATCH, rows.stop))
                self.drawing.paint_rows(painter, self.scale, batch)
                yield Progress("writing", batch.stop - rows.start, len(rows))
            self.drawing.paint_axis(painter, self.scale)
        finally:
            painter.end()

    def _check(self, path: Path) -> None:
        width, height = self.scale.width * FINE, self.scale.height * FINE
        if width * height > MOST or max(width, height) > LONGEST:
            raise BadInputError(
                f"{path.name}: expected a picture of up to {MOST // 10**6} million "
                f"pixels, {LONGEST} a side, found {width} x {height}. Save it as SVG, "
                f"or show fewer cells."
            )
