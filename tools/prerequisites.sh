#!/usr/bin/env bash
# Says plainly what is missing for the set-up; called by the Makefile with "python" or "node".
set -euo pipefail
PYTHON=${PYTHON:-python3}
as_root_on_debian() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }

case "${1:-}" in
python)
    command -v "$PYTHON" >/dev/null || { echo "mapsvc needs Python 3.11 or newer; '$PYTHON' was not found. Set PYTHON=... or install it." >&2; exit 1; }
    "$PYTHON" -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
        { echo "mapsvc needs Python 3.11 or newer; $("$PYTHON" --version) is too old. Set PYTHON=python3.11 or the like." >&2; exit 1; }
    if ! "$PYTHON" -c 'import ensurepip, venv' 2>/dev/null; then
        if as_root_on_debian; then
            apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends python3-venv
        else
            echo "Python's venv module is missing; on Debian: apt install python3-venv" >&2; exit 1
        fi
    fi ;;
node)
    command -v npm >/dev/null || { echo "mapsvc needs Node.js 20 or newer with npm for the libraries of its pages; npm was not found." >&2; exit 1; }
    node -e 'process.exit(Number(process.versions.node.split(".")[0]) < 20 ? 1 : 0)' ||
        { echo "mapsvc needs Node.js 20 or newer; $(node --version) is too old." >&2; exit 1; } ;;
*)
    echo "usage: prerequisites.sh python|node" >&2; exit 2 ;;
esac
