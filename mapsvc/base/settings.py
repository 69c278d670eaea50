"""Every setting in one table: name, type, default, explanation. Read from the environment once, at the edge."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mapsvc.base.basemap import parse_base_map
from mapsvc.base.errors import Misconfigured

PREFIX = "MAPSVC_"
MOST_PROXIES = 10


def _text(value: str) -> str:
    return value


def _flag(value: str) -> bool:
    if value.lower() in {"1", "true", "yes", "on"}:
        return True
    if value.lower() in {"0", "false", "no", "off", ""}:
        return False
    raise ValueError("is neither yes nor no")


def _zone(value: str) -> ZoneInfo:
    try:
        return ZoneInfo(value)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise ValueError("is not a time zone name such as Asia/Shanghai") from error


def _optional_path(value: str) -> Path | None:
    return Path(value) if value else None


def _base_map(value: str) -> str:
    if value:
        parse_base_map(value)
    return value


@dataclass(frozen=True)
class Setting:
    """One row of the table: `MAPSVC_<NAME>`, how its text is read, its default and what it does."""

    name: str
    read: Callable[[str], object]
    default: str
    help: str
    secret: bool = False


SETTINGS: tuple[Setting, ...] = (
    Setting("DATA_DIR", Path, "instance", "Folder for everything that is written: store, photos, index files, caches."),
    Setting(
        "DATABASE_URL", _text, "", "postgresql+psycopg://... for PostGIS; empty means SQLite in DATA_DIR.", secret=True
    ),
    Setting(
        "SECRET_KEY", _text, "", "Signs session cookies; empty means one is made and kept in DATA_DIR.", secret=True
    ),
    Setting("TIMEZONE", _zone, "Asia/Shanghai", "Time zone of working hours, dates on screens and imported times."),
    Setting("LEVELS_FILE", _optional_path, "", "Another levels.toml in place of the shipped one."),
    Setting("CATEGORIES_FILE", _optional_path, "", "Another categories.toml in place of the shipped one."),
    Setting("CALENDAR_FILE", _optional_path, "", "Overrides for holidays and make-up days (TOML)."),
    Setting("LAYERS_DIR", _optional_path, "", "Another folder of layer files in place of the shipped one."),
    Setting("NEAREST_M", float, "50", "Outside every area a report goes to the nearest one within this many metres."),
    Setting(
        "CERTAIN", float, "0.95", "At this probability or more a report is assigned hard; below it is an edge case."
    ),
    Setting("ACCURACY_LEVEL", float, "0.95", "Share of fixes that lie within the accuracy radius that devices tell."),
    Setting("MAP_REVIEW_NUMBER", _text, "", "审图号; without it no administrative border is shown to the public."),
    Setting("BASE_MAP_URL", _base_map, "", "Outside base map: {z}/{x}/{y}, WMTS or .pmtiles address; empty: none."),
    Setting("BASE_MAP_SUBDOMAINS", _text, "abc", "Letters or digits that stand for {s} in that address: 01234567."),
    Setting("BASE_MAP_ATTRIBUTION", _text, "", "Whose base map it is, as its terms want it said under every map."),
    Setting("BASE_MAP_DATUM", _text, "wgs84", "Datum of that tile service: wgs84 or gcj02."),
    Setting("MAX_BODY_BYTES", int, str(30 * 1024 * 1024), "Largest request body that is read."),
    Setting("MAX_PHOTO_BYTES", int, str(25 * 1024 * 1024), "Largest photo that is read."),
    Setting("MAX_PHOTO_PIXELS", int, str(60_000_000), "Largest photo that is decoded, in pixels."),
    Setting("MAX_IMPORT_BYTES", int, str(4 * 1024**3), "Largest file that an import reads, unpacked."),
    Setting("SESSION_HOURS", float, "12", "A log-in ends after this many hours without use."),
    Setting("SECURE_COOKIES", _flag, "no", "Send cookies over HTTPS only; set to yes wherever TLS is used."),
    Setting("PUBLIC_REPORTS_PER_HOUR", int, "60", "Reports without an account taken from one address in an hour."),
    Setting(
        "PUBLIC_BYTES_PER_HOUR",
        int,
        str(400 * 1024 * 1024),
        "Bytes of photos without an account taken from one address in an hour.",
    ),
    Setting(
        "PUBLIC_LOOKUPS_PER_HOUR",
        int,
        "1200",
        "Places that one address may ask for in an hour without an account; no limit where MAP_REVIEW_NUMBER is set.",
    ),
    Setting(
        "LOGIN_FAILURES_PER_ADDRESS",
        int,
        "60",
        "Log-ins that may fail at one address within five minutes before it has to wait.",
    ),
    Setting(
        "TRUSTED_PROXIES",
        int,
        "0",
        "How many proxies of yours stand in front; then X-Forwarded-For and -Proto are believed that far.",
    ),
    Setting("TRACK_DAYS", int, "90", "Days for which the tracks of patrols are kept; then only metres and minutes."),
    Setting("FONT_FILE", _optional_path, "", "Font with Chinese for pictures of briefings; empty means one is sought."),
    Setting("DISPLAY_NAME", _text, "", "Name of the district in page titles."),
    Setting("CAPTION", _text, "", "A line under every map, such as 内部使用 or 虚构城区示意图."),
)


@dataclass(frozen=True)
class Settings:
    """The checked settings of one process; see `SETTINGS` for what each means."""

    data_dir: Path
    database_url: str
    secret_key: str
    timezone: ZoneInfo
    levels_file: Path | None
    categories_file: Path | None
    calendar_file: Path | None
    layers_dir: Path | None
    nearest_m: float
    certain: float
    accuracy_level: float
    map_review_number: str
    base_map_url: str
    base_map_subdomains: str
    base_map_attribution: str
    base_map_datum: str
    max_body_bytes: int
    max_photo_bytes: int
    max_photo_pixels: int
    max_import_bytes: int
    session_hours: float
    secure_cookies: bool
    public_reports_per_hour: int
    public_bytes_per_hour: int
    public_lookups_per_hour: int
    login_failures_per_address: int
    trusted_proxies: int
    track_days: int
    font_file: Path | None
    display_name: str
    caption: str

    @property
    def store_url(self) -> str:
        """The database address, with the SQLite default filled in."""
        return self.database_url or f"sqlite:///{self.data_dir.absolute() / 'mapsvc.db'}"


def load_settings(environ: Mapping[str, str]) -> Settings:
    """Read and check every `MAPSVC_...` value; an unknown or wrong one raises `Misconfigured`."""
    known = {PREFIX + setting.name for setting in SETTINGS}
    unknown = sorted(name for name in environ if name.startswith(PREFIX) and name not in known)
    if unknown:
        raise Misconfigured(
            "unknown_setting",
            f"There is no setting {', '.join(unknown)}.",
            hint="`mapsvc settings` lists those there are.",
        )
    values: dict[str, object] = {}
    for setting in SETTINGS:
        text = environ.get(PREFIX + setting.name, setting.default)
        try:
            values[setting.name.lower()] = setting.read(text)
        except ValueError as error:
            raise Misconfigured(
                "bad_setting",
                f"{PREFIX}{setting.name}={text!r} cannot be used: {error}.",
                hint=setting.help,
            ) from error
    settings = Settings(**{field.name: values[field.name] for field in fields(Settings)})  # type: ignore[arg-type]  # each value was read by its own row
    if settings.base_map_datum not in {"wgs84", "gcj02"}:
        raise Misconfigured("bad_setting", f"{PREFIX}BASE_MAP_DATUM must be wgs84 or gcj02.")
    if not 0.5 <= settings.certain < 1 or not 0 < settings.accuracy_level < 1:
        raise Misconfigured("bad_setting", f"{PREFIX}CERTAIN lies in [0.5, 1), {PREFIX}ACCURACY_LEVEL in (0, 1).")
    if not 0 <= settings.trusted_proxies <= MOST_PROXIES:
        raise Misconfigured("bad_setting", f"{PREFIX}TRUSTED_PROXIES lies in 0 to {MOST_PROXIES}.")
    return settings


def secret_key(settings: Settings) -> str:
    """Return the key that signs cookies; made once and kept in the data folder when none is set."""
    if settings.secret_key:
        return settings.secret_key
    settings.data_dir.mkdir(parents=True, exist_ok=True)
    path = settings.data_dir / "secret_key"
    try:
        with path.open("x", encoding="ascii") as file:
            path.chmod(0o600)
            file.write(secrets.token_hex(32))
    except FileExistsError:
        pass
    return path.read_text(encoding="ascii")
