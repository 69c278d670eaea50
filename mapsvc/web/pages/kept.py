"""A form that was sent after its session had ended: its words go through the log-in and are sent by the same person.

Scripts log in without leaving the page (`static/js/relogin.js`); this is the way for browsers without them.
Photos cannot be carried: the page says so.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import request, url_for

from mapsvc.web.csrf import FIELD, writer_of
from mapsvc.web.parts import actor

PREFIX = "kept."
ACTION, WRITER = "kept-action", "kept-writer"
MOST_FIELDS = 30
LONGEST = 5_000


@dataclass(frozen=True)
class Kept:
    """A form as it was filled in: where it goes, who filled it in, its fields, whether photos came with it."""

    action: str
    writer: str
    fields: tuple[tuple[str, str], ...]
    had_photos: bool = False


def kept_form() -> Kept | None:
    """Return what an account of ours sent without a session that holds; None for every other request."""
    if request.method != "POST" or actor().user_id is not None or request.url_rule is None:
        return None
    writer = writer_of(request.form.get(FIELD, ""))
    if not writer or request.path in {url_for("pages.login"), url_for("pages.logout")}:
        return None
    fields = [(name, value[:LONGEST]) for name, value in request.form.items(multi=True) if name != FIELD]
    photos = any(file.filename for file in request.files.values())
    return Kept(request.path, writer, tuple(fields[:MOST_FIELDS]), photos)


def carried_form() -> Kept | None:
    """Return the form that the log-in carries along; None where it carries none."""
    action, writer = request.form.get(ACTION, ""), request.form.get(WRITER, "")
    if not action or not writer:
        return None
    fields = [
        (name.removeprefix(PREFIX), value[:LONGEST])
        for name, value in request.form.items(multi=True)
        if name.startswith(PREFIX)
    ]
    return Kept(action, writer, tuple(fields[:MOST_FIELDS]), request.form.get("kept-photos") == "1")
