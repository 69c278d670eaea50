"""Pure geometry in numpy, shapely and pyproj: values in, values out; WGS 84 longitude/latitude unless a name says otherwise."""
