// Says what this device and browser can do in the field, and what to do where they cannot. Nothing here may fail.

import { readBrowser } from "./browser.js";
import { say } from "./words.js";

const ROOM_MB = 200;
const SLOW_MS = 1500;

function mark(check, works, key = works ? "yes" : "no", values = {}) {
  const item = document.querySelector(`[data-check="${check}"]`);
  if (!item) return;
  const template = document.querySelector(works ? "[data-yes]" : "[data-no]");
  item.querySelector("[data-mark]").replaceChildren(template.content.cloneNode(true));
  item.querySelector("[data-line]").textContent = say(`device.${check}_${key}`, values);
}

function checkBrowser() {
  const { name, version, below } = readBrowser(navigator.userAgent);
  const fit = document.documentElement.classList.contains("js") && !below;
  mark("browser", fit, fit ? "yes" : "no", { name: name || say("device.browser_unknown"), version: version || "" });
}

function checkPosition() {
  if (!window.isSecureContext) return mark("position", false, "insecure");
  if (!navigator.geolocation) return mark("position", false, "missing");
  const line = document.querySelector('[data-check="position"] [data-line]');
  const button = document.querySelector("[data-try]");
  button.hidden = false;
  line.textContent = say("device.position_ask");
  button.addEventListener("click", () => {
    line.textContent = say("locating");
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        const metres = Math.round(coords.accuracy);
        mark("position", metres <= 100, metres <= 100 ? "yes" : "vague", { metres });
      },
      (error) => mark("position", false, error.code === error.PERMISSION_DENIED ? "denied" : "no"),
      { enableHighAccuracy: true, timeout: 15000 },
    );
  });
  return undefined;
}

async function checkCamera() {
  const takes = "capture" in document.createElement("input");
  try {
    const devices = await navigator.mediaDevices.enumerateDevices();
    const found = devices.some(({ kind }) => kind === "videoinput");
    mark("camera", found || takes, found || takes ? "yes" : "no");
  } catch {
    mark("camera", takes);
  }
}

async function checkStorage() {
  try {
    if (!window.indexedDB) throw new Error("no database");
    const { quota = 0, usage = 0 } = await navigator.storage.estimate();
    const left = Math.round((quota - usage) / 1e6);
    const kept = (await navigator.storage.persisted?.()) ?? false;
    if (left < ROOM_MB) mark("storage", false, "little", { left });
    else mark("storage", true, kept ? "kept" : "yes", { left });
    const button = document.querySelector("[data-persist]");
    button.hidden = kept || !navigator.storage.persist;
    button.onclick = async () => {
      await navigator.storage.persist();
      button.hidden = true;
      checkStorage();
    };
  } catch {
    mark("storage", Boolean(window.indexedDB), window.indexedDB ? "untold" : "no");
  }
}

async function checkAwake() {
  try {
    const lock = await navigator.wakeLock.request("screen");
    await lock.release();
    mark("awake", true);
  } catch {
    mark("awake", false);
  }
}

/** The way to the server, there and back, the better of two. */
async function checkNetwork() {
  const times = [];
  try {
    for (let turn = 0; turn < 2; turn += 1) {
      const began = performance.now();
      const answer = await fetch("/healthz", { cache: "no-store" });
      if (!answer.ok) throw new Error(String(answer.status));
      await answer.text(); // an answer left unread may stay open, and it is the whole way that counts
      times.push(performance.now() - began);
    }
    const ms = Math.round(Math.min(...times));
    mark("network", ms < SLOW_MS, ms < SLOW_MS ? "yes" : "slow", { ms });
  } catch {
    mark("network", false);
  }
}

mark("secure", window.isSecureContext);
mark("offline", window.isSecureContext && "serviceWorker" in navigator);
checkBrowser();
checkPosition();
checkCamera();
checkStorage();
checkAwake();
checkNetwork();
window.addEventListener("online", checkNetwork);
window.addEventListener("offline", checkNetwork);
