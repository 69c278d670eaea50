"""Browser tests: real pages of a real server in Chromium."""
