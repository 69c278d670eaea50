"""Pure geometry in numpy, shapely and pyproj: WGS 84, longitude first, unless named otherwise."""
