"""`python3 -m lab sweep` removes what a killed run left behind; `python3 -m lab check` raises a
home without porchlight and proves each of its parts."""

from __future__ import annotations

import sys
import time

from . import Home, sweep
from .check import check

if sys.argv[1:] == ["sweep"]:
    for removed in sweep():
        print(f"removed {removed}")
elif sys.argv[1:] == ["check"]:
    start = time.monotonic()
    with Home() as home:
        print(f"raised in {time.monotonic() - start:.1f} s")
        check(home)
else:
    sys.exit(__doc__)
