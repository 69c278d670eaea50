"""Settings: one table, read once, every mistake told."""

from __future__ import annotations

import stat
from dataclasses import fields, replace
from pathlib import Path

import pytest

from mapsvc.base.errors import Misconfigured
from mapsvc.base.settings import PREFIX, SETTINGS, Settings, load_settings, secret_key


def test_the_table_and_the_values_name_the_same() -> None:
    assert [setting.name.lower() for setting in SETTINGS] == [field.name for field in fields(Settings)]
    assert all(setting.help for setting in SETTINGS)
    assert {setting.name for setting in SETTINGS if setting.secret} == {"DATABASE_URL", "SECRET_KEY"}


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = load_settings({"PATH": "/bin", "HOME": "/root"})
    assert settings.data_dir == Path("instance")
    assert settings.timezone.key == "Asia/Shanghai"
    assert settings.levels_file is None
    assert (settings.nearest_m, settings.certain) == (50.0, 0.95)
    assert settings.secure_cookies is False
    assert settings.store_url == f"sqlite:///{Path('instance').absolute() / 'mapsvc.db'}"


def test_values_are_read(tmp_path: Path) -> None:
    settings = load_settings(
        {
            "MAPSVC_DATA_DIR": str(tmp_path),
            "MAPSVC_DATABASE_URL": "postgresql+psycopg://h/n",
            "MAPSVC_SECURE_COOKIES": "YES",
            "MAPSVC_TIMEZONE": "UTC",
            "MAPSVC_LEVELS_FILE": "/etc/levels.toml",
            "MAPSVC_MAX_BODY_BYTES": "1000",
        }
    )
    assert settings.store_url == "postgresql+psycopg://h/n"
    assert settings.secure_cookies is True
    assert settings.levels_file == Path("/etc/levels.toml")
    assert settings.max_body_bytes == 1000


@pytest.mark.parametrize("text", ["0", "false", "no", "off", ""])
def test_the_ways_of_saying_no(text: str) -> None:
    assert load_settings({"MAPSVC_SECURE_COOKIES": text}).secure_cookies is False


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TIMEZONE", "Shanghai"),
        ("TIMEZONE", "../../etc/passwd"),
        ("SECURE_COOKIES", "perhaps"),
        ("NEAREST_M", "far"),
        ("MAX_BODY_BYTES", "1.5"),
        ("BASE_MAP_DATUM", "bd09"),
        ("CERTAIN", "0.4"),
        ("CERTAIN", "1"),
        ("ACCURACY_LEVEL", "0"),
    ],
)
def test_a_wrong_value_is_told_by_name(name: str, value: str) -> None:
    with pytest.raises(Misconfigured) as caught:
        load_settings({PREFIX + name: value})
    assert caught.value.code == "bad_setting"
    assert PREFIX + name in caught.value.message


def test_a_misspelt_setting_is_refused() -> None:
    with pytest.raises(Misconfigured) as caught:
        load_settings({"MAPSVC_DATADIR": "x"})
    assert caught.value.code == "unknown_setting"
    assert "MAPSVC_DATADIR" in caught.value.message


def test_a_secret_key_is_made_once_and_kept_for_the_owner_only(settings: Settings) -> None:
    key = secret_key(settings)
    assert len(key) == 64
    assert secret_key(settings) == key
    assert stat.S_IMODE((settings.data_dir / "secret_key").stat().st_mode) == 0o600
    assert secret_key(replace(settings, data_dir=settings.data_dir / "other")) != key


def test_a_secret_key_that_is_set_leaves_no_file(settings: Settings) -> None:
    assert secret_key(replace(settings, secret_key="given")) == "given"
    assert not (settings.data_dir / "secret_key").exists()
