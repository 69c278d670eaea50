#!/usr/bin/env bash
# Installs everything the tests need, then runs every check and test. Under CI=true nothing but
# an absent ../shared/data may be skipped (tests/conftest.py sees to that).
set -euo pipefail
cd "$(dirname "$0")/.."

# Real parts for the tests, from Debian's packages, where this machine lets us install them.
missing=()
command -v chromium >/dev/null || missing+=(chromium)
fc-list 2>/dev/null | grep -qi 'noto.*cjk' || missing+=(fonts-noto-cjk fontconfig)
command -v ogr2ogr >/dev/null || missing+=(gdal-bin)
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
compgen -G '/usr/share/postgresql/*/extension/postgis.control' >/dev/null || missing+=('postgresql-*-postgis-[0-9]')
if [ ${#missing[@]} -gt 0 ]; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing ${missing[*]}"
        apt-get update -qq
        if printf '%s\n' "${missing[@]}" | grep -q postgis; then
            # The server's own major version decides which PostGIS package fits.
            DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends postgresql >/dev/null
            version=$(ls /usr/lib/postgresql | sort -n | tail -1)
            missing=("${missing[@]/postgresql-\*-postgis-\[0-9\]/postgresql-$version-postgis-3}")
        fi
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
    else
        echo "Not installed here, the tests that need them will be skipped: ${missing[*]}" >&2
    fi
fi

make --no-print-directory .venv/.dev static/vendor/.stamp
tools/lint.sh
node --test tests/js/
# Whole files go to a worker: what a file has built for its tests is built once. (Groups by mark need node ids that
# pytest 9.2 no longer lets xdist change.)
exec .venv/bin/python -m pytest -n 2 --dist loadfile --durations 30 "$@"
