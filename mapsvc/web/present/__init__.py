"""Values as they leave the house, for the API and for pages."""
