"""A postal sorter: reads the ZIP on each scanned envelope, and says which bag the letter goes into.

    lenet5 serve &
    python -m examples.desks.postal_sorter

writes letters.csv, a row for each envelope with its ZIP and bag, and letters.html, in which a person sees what was not
accepted, types what it says, and saves that as a table too. --target-error moves the line between the two.
"""

import sys
from collections import Counter
from collections.abc import Sequence

from examples.desks.desk import Desk, run
from examples.desks.pages import Field, Page

ZIP = Field("zip", (714, 354, 170, 64), {"kind": "postal_code", "country": "US"})


def row(page: Page) -> dict[str, str]:
    """A bag is that of a ZIP's first three digits: they name the centre that sorts on from there."""
    (found,) = page.readings
    return {
        "page": page.file.name,
        "zip": found.text,
        "confidence": f"{found.confidence:.4f}",
        "accepted": "yes" if page.accepted else "no",
        "reasons": " ".join(found.reasons),
        "bag": found.text[:3] if page.accepted else "by hand",
    }


def summary(accepted: Sequence[Page]) -> str:
    """How many letters are in each bag."""
    bags = Counter(row(page)["bag"] for page in accepted)
    return "Bags: " + ", ".join(f"{bag} ({count})" for bag, count in sorted(bags.items()))


DESK = Desk("letters", (ZIP,), target_error=0.01, row=row, summary=summary)

if __name__ == "__main__":
    sys.exit(run(DESK, __doc__))
