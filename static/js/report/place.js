// Where: the device's position when it is good enough, a tap, or the place under the cross in the middle of the map.

import { say } from "../words.js";

const GOOD_M = 100;
/** A position this vague is drawn and named, never taken: the wrong block would get the report. */

const OPTIONS = { enableHighAccuracy: true, timeout: 15000, maximumAge: 10000 };

export function wirePlace(form) {
  const button = form.querySelector("[data-locate]");
  const line = form.querySelector("[data-place-line]");
  if (!button) return;
  const missing = !window.isSecureContext ? "position_insecure" : navigator.geolocation ? "" : "position_missing";
  button.addEventListener("click", () => {
    if (missing) {
      line.textContent = say(missing);
      return;
    }
    button.setAttribute("aria-busy", "true");
    line.textContent = say("locating");
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        button.removeAttribute("aria-busy");
        take(form, line, coords);
      },
      (error) => {
        button.removeAttribute("aria-busy");
        line.textContent = say(error.code === error.PERMISSION_DENIED ? "position_denied" : "position_failed");
      },
      OPTIONS,
    );
  });
}

function take(form, line, { latitude, longitude, accuracy }) {
  const good = accuracy <= GOOD_M;
  const detail = { lat: latitude, lon: longitude, accuracy, source: "gps", move: true };
  form.dispatchEvent(new CustomEvent(good ? "put-place" : "look-at", { detail }));
  // What was there before stays: a vague position never moves a place that somebody tapped.
  if (!good) line.textContent = say("position_vague", { metres: Math.round(accuracy) });
}
