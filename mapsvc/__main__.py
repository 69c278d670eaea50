"""`mapsvc` and `python -m mapsvc`."""

from __future__ import annotations

from mapsvc.cli.main import cli


def main() -> None:
    """Run the command line."""
    cli(prog_name="mapsvc")


if __name__ == "__main__":
    main()
