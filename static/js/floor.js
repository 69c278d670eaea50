// Runs in every browser, however old: no module, ES5 only. Below the floor it says so; above it, scripts may run.
(function () {
  "use strict";
  var root = document.documentElement;
  // `replaceChildren` came with Chromium 86 and Safari 14, `BigInt64Array` with Safari 15 and Chromium 67.
  var fit =
    "replaceChildren" in Element.prototype && "BigInt64Array" in window && "noModule" in HTMLScriptElement.prototype;
  if (fit) {
    root.className += " js";
    return;
  }
  root.className += " old";
  function tell() {
    var note = document.getElementById("old-browser");
    if (note) note.removeAttribute("hidden");
  }
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", tell);
  else tell();
})();
