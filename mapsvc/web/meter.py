"""How the service fares, counted in the memory of each process; addresses and persons are never kept."""

from __future__ import annotations

import os
import threading
from collections import defaultdict

BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class Meter:
    """Counts and durations by route. With several workers each has its own; the label `process` tells them apart."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._requests: dict[tuple[str, str, int], int] = defaultdict(int)
        self._seconds: dict[str, list[float]] = {}

    def note(self, endpoint: str, method: str, status: int, seconds: float) -> None:
        """Count one answer."""
        with self._lock:
            self._requests[endpoint, method, status] += 1
            row = self._seconds.get(endpoint)
            if row is None:
                row = self._seconds[endpoint] = [0.0] * (len(BUCKETS_S) + 2)
            row[-1] += seconds
            row[_bucket(seconds)] += 1

    def lines(self) -> list[str]:
        """Return the text that Prometheus reads."""
        process = f'process="{os.getpid()}"'
        with self._lock:
            requests = sorted(self._requests.items())
            seconds = sorted((endpoint, list(row)) for endpoint, row in self._seconds.items())
        lines = [
            "# HELP mapsvc_requests_total Answers by route, method and status.",
            "# TYPE mapsvc_requests_total counter",
        ]
        for (endpoint, method, status), count in requests:
            labels = f'{process},route="{endpoint}",method="{method}",status="{status}"'
            lines.append(f"mapsvc_requests_total{{{labels}}} {count}")
        lines += ["# HELP mapsvc_request_seconds Time to answer.", "# TYPE mapsvc_request_seconds histogram"]
        for endpoint, row in seconds:
            total = 0.0
            for limit, counted in zip((*map(str, BUCKETS_S), "+Inf"), row, strict=False):
                total += counted
                lines.append(f'mapsvc_request_seconds_bucket{{{process},route="{endpoint}",le="{limit}"}} {total:.0f}')
            lines.append(f'mapsvc_request_seconds_sum{{{process},route="{endpoint}"}} {row[-1]:.6f}')
            lines.append(f'mapsvc_request_seconds_count{{{process},route="{endpoint}"}} {total:.0f}')
        return lines


def _bucket(seconds: float) -> int:
    for number, limit in enumerate(BUCKETS_S):
        if seconds <= limit:
            return number
    return len(BUCKETS_S)
