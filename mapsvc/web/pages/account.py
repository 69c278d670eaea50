"""Log-in and log-out."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import flash, g, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from mapsvc.base.errors import NotAuthenticated, TooManyRequests
from mapsvc.people.rules.permissions import allows
from mapsvc.web import sessions
from mapsvc.web.csrf import csrf_token
from mapsvc.web.guard import permission
from mapsvc.web.pages.blueprint import pages
from mapsvc.web.pages.frame import is_staff, own_area_url, speech
from mapsvc.web.pages.kept import carried_form
from mapsvc.web.parts import actor, now, parts
from mapsvc.web.respond import json_response

LONGEST_NAME = 200


def safe_next(text: str) -> str:
    """Return where to go after the log-in: a path of our own, never another site."""
    split = urlsplit(text)
    ours = text.startswith("/") and not text.startswith(("//", "/\\")) and not split.scheme and not split.netloc
    return text if ours and "\\" not in text and text.isprintable() else ""


@pages.get("/login")
@permission("public")
def login() -> str | Response:
    next_page = safe_next(request.args.get("next", ""))
    if is_staff():
        return redirect(next_page or url_for("pages.city_map"), 303)
    return render_template("login.html", next=next_page, name="", problem="", out=request.args.get("out") == "1")


@pages.post("/login")
@permission("public")
def log_in() -> str | tuple[str, int] | Response:
    name, password = request.form.get("name", "")[:LONGEST_NAME], request.form.get("password", "")
    next_page, carried = safe_next(request.form.get("next", "")), carried_form()
    failures, address = parts().log_in_failures, request.remote_addr or ""
    try:
        failures.check(address, now())
        user = sessions.log_in(name, password)
    except TooManyRequests as error:
        # As JSON errors carry it, so that programs wait too.
        seconds = error.detail["retry_after_s"]
        problem = speech().t("login.wait", minutes=max(1, -(-seconds // 60)))
        page = render_template("login.html", next=next_page, name=name, problem=problem, carried=carried)
        return Response(page, 429, headers={"Retry-After": str(seconds)}, mimetype="text/html")
    except NotAuthenticated:
        failures.note(address, now())
        problem = speech().t("login.wrong")
        return render_template("login.html", next=next_page, name=name, problem=problem, carried=carried), 401
    if carried is not None and safe_next(carried.action):
        g.actor = sessions.find_actor()  # the page that follows is this person's
        if carried.writer == str(user.id):
            return render_template("resend.html", carried=carried)
        flash(speech().t("login.not_yours"))
    return redirect(next_page or url_for("pages.start"), 303)


@pages.get("/start")
@permission("account.own")
def start() -> Response:
    """Go where one's day begins: the own area, the office, the unit, else the map."""
    who = actor()
    own = own_area_url(who) if allows(who, "patch.view") else None
    if own:
        return redirect(own[0], 303)
    if not who.roles and who.person_id is not None:  # a chief whose post has ended
        return redirect(url_for("pages.own_patch"), 303)
    for name, endpoint in (("office.view", "office"), ("unit.work", "unit"), ("case.view", "case_list")):
        if allows(who, name):
            return redirect(url_for(f"pages.{endpoint}"), 303)
    return redirect(url_for("pages.city_map"), 303)


@pages.post("/logout")
@permission("account.own")
def logout() -> Response:
    sessions.log_out()
    return redirect(url_for("pages.login", out=1), 303)


@pages.get("/session")
@permission("public")
def session_now() -> Response:
    """Say to a script of our own pages whose session this is, and the token that its forms need now."""
    answer = json_response({"user": actor().user_id, "csrf": csrf_token()})
    answer.headers["Cache-Control"] = "no-store"
    return answer
