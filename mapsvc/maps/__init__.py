"""Maps composed with folium from the layer files, with elements of our own that load by address."""
