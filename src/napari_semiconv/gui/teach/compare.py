"""Before and after, side by side: images with the outlines that were found."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from qtpy.QtCore import QRect, QRectF, QSize
from qtpy.QtGui import QColor, QImage, QPainter, QPaintEvent
from qtpy.QtWidgets import QSizePolicy, QWidget

from .pictures import CheckPicture, outline, sampled

TRUTH, FOUND = (60, 220, 90), (255, 210, 0)
GAP = 6
HEIGHT = 110
LEGEND = (
    "<qt>Yellow: what the model finds, before it was taught (left) and now (right). "
    "Green: your outlines, where the model does not match them.</qt>"
)


class Comparison(QWidget):
    """Shows a picture twice: with what was found before, and with what is found now."""

    def __init__(self) -> None:
        super().__init__()
        self.picture: CheckPicture | None = None
        self._painted: list[tuple[QSize, QImage]] = []
        self.setMinimumHeight(HEIGHT)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setToolTip(LEGEND)

    def show_picture(self, picture: CheckPicture | None) -> None:
        """Show another picture, or none."""
        if picture is not self.picture:
            self.picture, self._painted = picture, []
            self.update()

    def places(self) -> list[QRect]:
        """Where both lie: as large as there is room, in the middle."""
        picture = self.picture
        if picture is None:
            return []
        height, width = picture.image.shape
        half = (self.width() - GAP) / 2
        scale = min(half / width, self.height() / height)
        size = QSize(max(1, int(width * scale)), max(1, int(height * scale)))
        top = (self.height() - size.height()) // 2
        left = int((half - size.width()) / 2)
        right = int(half) + GAP + left
        return [QRect(x, top, size.width(), size.height()) for x in (left, right)]

    def paintEvent(self, event: QPaintEvent | None) -> None:
        """Paint both."""
        picture = self.picture
        if picture is None:
            return
        painter = QPainter(self)
        places = self.places()
        ratio = self.devicePixelRatioF()
        size = places[0].size() * ratio
        if not self._painted or self._painted[0][0] != size:
            shape = max(1, size.height()), max(1, size.width())
            self._painted = [
                (size, _image(painted(picture, found, shape)))
                for found in (picture.before, picture.after)
            ]
        for place, (_, image) in zip(places, self._painted, strict=True):
            painter.drawImage(QRectF(place), image)
            painter.setPen(QColor(128, 128, 128))
            painter.drawRect(place.adjusted(0, 0, -1, -1))


def painted(
    picture: CheckPicture, found: NDArray[np.int32], shape: tuple[int, int]
) -> NDArray[np.uint8]:
    """Draw the outlines of what was found, and the user's, over the image.

    Parameters
    ----------
    picture
        Image and truth.
    found
        Labels that a model found, (Y, X).
    shape
        Height and width to be drawn, px.

    Returns
    -------
    NDArray
        Red, green and blue, (height, width, 3).
    """
    grey = sampled(picture.image.astype(np.int32), shape).astype(np.uint8)
    image = np.repeat(grey[..., None], 3, axis=2)
    for labels, colour in ((picture.truth, TRUTH), (found, FOUND)):
        image[outline(labels, shape)] = colour
    return image


def _image(pixels: NDArray[np.uint8]) -> QImage:
    height, width = pixels.shape[:2]
    data = np.ascontiguousarray(pixels)
    kind = QImage.Format.Format_RGB888
    # The bytes go when this returns: the copy has its own.
    return QImage(data.tobytes(), width, height, 3 * width, kind).copy()


def arrow_text(place: int, pictures: Sequence[CheckPicture]) -> str:
    """Say which of the pictures is shown; after the last one comes the curve."""
    total = len(pictures) + 1
    if place < len(pictures):
        return f"{place + 1} of {total} · {pictures[place].caption()}"
    return f"{total} of {total} · How it learned."
