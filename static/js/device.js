// Says what this device and browser can do in the field, and what to do where they cannot.

import { say } from "./words.js";

function mark(check, works, key = works ? "yes" : "no") {
  const item = document.querySelector(`[data-check="${check}"]`);
  const template = document.querySelector(works ? "[data-yes]" : "[data-no]");
  item.querySelector("[data-mark]").replaceChildren(template.content.cloneNode(true));
  item.querySelector("[data-line]").textContent = say(`device.${check}_${key}`);
}

mark("secure", window.isSecureContext);
mark("camera", Boolean(navigator.mediaDevices) || "capture" in document.createElement("input"));
mark("offline", window.isSecureContext && "serviceWorker" in navigator);
mark("awake", window.isSecureContext && "wakeLock" in navigator);

if (navigator.storage?.estimate) {
  navigator.storage.estimate().then(
    ({ quota = 0, usage = 0 }) => mark("storage", quota - usage > 200e6),
    () => mark("storage", false),
  );
} else mark("storage", false);

if (!window.isSecureContext || !navigator.geolocation) mark("position", false, "insecure");
else {
  const button = document.querySelector("[data-try]");
  button.hidden = false;
  document.querySelector('[data-check="position"] [data-line]').textContent = say("device.position_ask");
  button.addEventListener("click", () => {
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        mark("position", true);
        const line = document.querySelector('[data-check="position"] [data-line]');
        line.textContent = say("device.position_yes", { metres: Math.round(coords.accuracy) });
      },
      () => mark("position", false),
      { enableHighAccuracy: true, timeout: 15000 },
    );
  });
}
