"""Heat rasters of one process: made once for a question, then every tile and the legend read from the same one."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable

import numpy as np
from numpy.typing import NDArray

from mapsvc.cases.queries.columns.table import CaseColumns
from mapsvc.geo.heat import Box
from mapsvc.insight.queries.heat import Heat, make_heat
from mapsvc.insight.queries.walked import Walked, make_walked_heat

KEPT = 8
"""Rasters kept: at most 16 MB each, far less for a town."""


class Heats:
    """The rasters that were asked for last."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[Hashable, Heat] = OrderedDict()

    def get(
        self,
        key: Hashable,
        columns: CaseColumns,
        shown: NDArray[np.bool_],
        box: Box | None,
        width_m: float | None,
        walked: Callable[[], Walked] | None = None,
    ) -> Heat:
        """Return the raster of the marked cases, per km2 or, with what was `walked`, per kilometre.

        `key` names the question, and the state of the cases with it.

        The first who asks makes it, and whoever wants the same meanwhile (a map asks for many tiles at once) waits.
        """
        with self._lock:
            found = self._kept.get(key)
            if found is None:
                if walked is None:
                    found = make_heat(columns, shown, box, width_m)
                else:
                    found = make_walked_heat(columns, shown, walked(), box, width_m)
                self._kept[key] = found
                while len(self._kept) > KEPT:
                    self._kept.popitem(last=False)
            self._kept.move_to_end(key)
            return found
