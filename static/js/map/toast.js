// A short line over the foot of a map that goes by itself; read out by screen readers.

const SHOWN_MS = 6000;

export function toast(map, text) {
  const frame = map.getContainer().parentElement;
  let line = frame.querySelector(".map-toast");
  if (!line) {
    line = document.createElement("p");
    line.className = "map-toast";
    line.setAttribute("role", "status");
    frame.append(line);
  }
  line.textContent = text;
  line.hidden = false;
  clearTimeout(line.timer);
  line.timer = setTimeout(() => (line.hidden = true), SHOWN_MS);
}
