"""The design system, shown: every component that pages are made of, as a page would use it, with made-up figures."""

from __future__ import annotations

from datetime import date, timedelta

from flask import Blueprint, render_template

bp = Blueprint("design", __name__)

SIZES = (412, 418, 431, 425, 440, 452, 449, 463, 470, 468, 481, 495, 490, 512)
ENTERED = (9, 6, 13, 2, 15, 12, 5, 14, 7, 4, 13, 14, 3, 22)
FIRST = date(2026, 11, 1)


@bp.get("/design")
def show() -> str:
    days = [FIRST + timedelta(days=at) for at in range(len(SIZES))]
    return render_template("design/show.html", days=days, sizes=SIZES, entered=ENTERED)
