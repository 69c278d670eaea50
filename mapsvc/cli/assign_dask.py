"""`mapsvc assign --engine dask`: partitions of the file in several processes, all mapping the same index file.

As many processes as there are cores; rows come back a few partitions at a time and are written in their order.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import lru_cache
from importlib import import_module
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from mapsvc.base.errors import InvalidInput, Misconfigured
from mapsvc.cli.assign_chunks import Totals, assign_chunk
from mapsvc.cli.context import progress
from mapsvc.geo.assign import Assigner, open_assigner
from mapsvc.geo.pointfile import CsvPoints, ParquetPoints, PointFile, read_floats, read_numbers

PART_BYTES = 16 * 1024 * 1024


def assign_by_dask(
    source: PointFile, out: Path, column: str, assigner: Assigner, codes: Sequence[str], datum: str
) -> Totals:
    """Write the rows of a file of points with the codes of their areas; the same result as the local engine."""
    try:
        # By name, because Dask says nothing about its types.
        dask: Any = import_module("dask")
        frames: Any = import_module("dask.dataframe")
    except ImportError as error:
        raise Misconfigured(
            "dask_missing", "The engine dask is not installed.", hint="Install it: pip install 'mapsvc[dask]'."
        ) from error
    labels = np.array([*codes, ""], dtype=object)
    totals = Totals()
    with (
        tempfile.TemporaryDirectory(prefix="mapsvc-assign-") as folder,
        ProcessPoolExecutor(os.cpu_count(), mp_context=get_context("spawn")) as pool,
    ):
        assigner.save(Path(folder))
        text = isinstance(source, CsvPoints)
        places = source.columns.index(source.lon_field), source.columns.index(source.lat_field)
        parts = [
            dask.delayed(assign_part)(part, folder, places, datum, text) for part in _read(frames, source).to_delayed()
        ]
        with progress() as bar, source.writer(out, column) as sink:
            task = bar.add_task("parts", total=len(parts))
            step = 2 * (os.cpu_count() or 1)
            for first in range(0, len(parts), step):
                # A few at a time: their rows wait in this process until they are written.
                for rows, numbers, counted in _compute(dask, source, parts[first : first + step], pool):
                    sink.write(_to_rows(source, rows), labels[numbers].tolist())
                    totals = totals + counted
                    bar.advance(task)
    return totals


def assign_part(frame: Any, folder: str, places: tuple[int, int], datum: str, text: bool) -> tuple[Any, Any, Totals]:
    """Answer one partition in a worker: its rows, the areas of their points, what was counted."""
    if text:
        rows: Any = frame.fillna("").to_numpy(dtype=object).tolist()
        lon, lat = (read_numbers(rows, place) for place in places)
    else:
        rows = frame
        lon, lat = (read_floats(pa.Array.from_pandas(frame.iloc[:, place])) for place in places)
    numbers, counted = assign_chunk(_assigner(folder), lon, lat, datum)
    return rows, numbers, counted


@lru_cache(maxsize=1)
def _assigner(folder: str) -> Assigner:
    return open_assigner(Path(folder))


def _read(frames: Any, source: PointFile) -> Any:
    if isinstance(source, ParquetPoints):
        return frames.read_parquet(
            source.path, columns=list(source.columns), index=False, split_row_groups=True, dtype_backend="pyarrow"
        )
    assert isinstance(source, CsvPoints)
    return frames.read_csv(
        source.path,
        dtype=str,
        keep_default_na=False,
        encoding=source.encoding,
        sep=source.delimiter,
        # A line break inside quotation marks would be cut through: then the file stays one part.
        blocksize=None if _breaks_in_quotes(source) else PART_BYTES,
    )


def _breaks_in_quotes(source: CsvPoints) -> bool:
    with source.path.open(encoding=source.encoding, newline="") as file:
        return any(line.count('"') % 2 for line in file)


def _compute(dask: Any, source: PointFile, parts: Sequence[Any], pool: ProcessPoolExecutor) -> Any:
    from pandas.errors import ParserError

    try:
        return dask.compute(*parts, scheduler="processes", pool=pool)
    except ParserError as error:
        raise InvalidInput(
            "broken_csv", f"{source.path.name} is broken: {error}.", hint="Often a text lacks its quotation marks."
        ) from error


def _to_rows(source: PointFile, rows: Any) -> Any:
    if isinstance(source, ParquetPoints):
        return pa.RecordBatch.from_pandas(rows, schema=source.schema, preserve_index=False)
    return rows
