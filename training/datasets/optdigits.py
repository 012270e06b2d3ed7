"""optdigits-orig of UCI: 32x32 bitmaps by 30 Turkish writers (Alpaydin and Kaynak, 1998)."""

import numpy as np

from training.datasets.npz import ArraySpec, NpzFile
from training.datasets.source import Dataset

URL = "https://archive.ics.uci.edu/dataset/80/optical+recognition+of+handwritten+digits"

ALL = Dataset(
    name="optdigits",
    title="UCI optdigits-orig, the 30 writers of its training part",
    url=URL,
    licence="CC BY 4.0",
    count=1934 + 946,
    files=(
        NpzFile(
            path="optdigits/optdigits.npz",
            arrays=(
                ArraySpec(
                    "x_train",
                    (1934, 32, 32),
                    "|u1",
                    "cc334a802c5bccc2650a24c7aaba4e584d89e400efad81927c09e9fe6cb7a324",
                ),
                ArraySpec(
                    "y_train", (1934,), "|u1", "dfd2f1ad54bc58884072082c0e7392874469ef8c357d3bd800561dd4384511cb"
                ),
                ArraySpec(
                    "x_test", (946, 32, 32), "|u1", "6bddad6ebd137590872f0e1bb30d1ae312e77abc3ff5722b8407379d0acb7cc3"
                ),
                ArraySpec("y_test", (946,), "|u1", "390982bf2fbde4a5c416dde2b40932a294ee7e7d4b3b07021b801d4891e0b572"),
            ),
            by_hand=(
                "It is made by hand from optdigits-orig.tra.Z (1,934 digits: x_train, y_train) and optdigits-orig.cv.Z "
                f"(946: x_test, y_test) of {URL}: each digit is 32 lines of 0 and 1, which become 0 and 255, and its "
                "label, all uint8; save them with numpy.savez_compressed."
            ),
        ),
    ),
    to_digits=lambda arrays: (
        np.concatenate([arrays["x_train"], arrays["x_test"]]),
        np.concatenate([arrays["y_train"], arrays["y_test"]]),
    ),
)
