"""A cheque clerk: reads the amount of each scanned cheque, and says which may be booked.

    lenet5 serve &
    python -m examples.desks.cheque_clerk

writes cheques.csv, a row for each cheque, and cheques.html, in which a person sees what was not accepted, types what it
says, and saves that as a table too. A cheque is booked when its dollars and its cents are both accepted; --target-error
moves the line between the two. The scanner has named each page by the number that is printed on the cheque.
"""

import sys
from collections.abc import Sequence
from decimal import Decimal

from examples.desks.desk import Desk, run
from examples.desks.pages import Field, Page

DOLLARS = Field("dollars", (906, 183, 121, 51), {"kind": "amount"})
CENTS = Field("cents", (1030, 183, 61, 51), {"length": 2})


def row(page: Page) -> dict[str, str]:
    """The amount is right when both its parts are."""
    dollars, cents = page.readings
    return {
        "number": page.file.stem,
        "amount": f"{dollars.text}.{cents.text}",
        "confidence": f"{dollars.confidence * cents.confidence:.4f}",
        "accepted": "yes" if page.accepted else "no",
        "reasons": " ".join(f"{one.field.name}:{reason}" for one in page.readings for reason in one.reasons),
    }


def summary(accepted: Sequence[Page]) -> str:
    """What is booked."""
    return f"Booked: {sum((Decimal(row(page)['amount']) for page in accepted), Decimal()):.2f}"


DESK = Desk("cheques", (DOLLARS, CENTS), target_error=0.02, row=row, summary=summary)

if __name__ == "__main__":
    sys.exit(run(DESK, __doc__))
