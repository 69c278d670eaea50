"""Maps composed with folium: our own elements that load by address, and the maps of pages."""
