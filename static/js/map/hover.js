// The name of the area under the mouse, beside it; nothing for a finger, which has clicks only.

const ASIDE_PX = 14;

export function addHover(map, leading) {
  const line = document.createElement("p");
  line.className = "map-hover";
  line.setAttribute("aria-hidden", "true");
  line.hidden = true;
  map.getContainer().append(line);
  let last = null;
  let frame = 0;
  const hide = () => {
    last = null;
    line.hidden = true;
  };
  const show = () => {
    frame = 0;
    if (!last) return;
    const text = leading()?.nameAt(last.latlng) ?? "";
    line.hidden = !text;
    if (line.textContent !== text) line.textContent = text;
    const { x, y } = last.containerPoint;
    const beyond = x > map.getSize().x / 2;
    line.style.transform = `translate(${x + (beyond ? -ASIDE_PX : ASIDE_PX)}px, ${y + ASIDE_PX}px) translateX(${beyond ? "-100%" : "0"})`;
  };
  map.on("mousemove", (event) => {
    if (event.originalEvent?.sourceCapabilities?.firesTouchEvents || map.dragging.moving()) return;
    last = event;
    frame ||= requestAnimationFrame(show);
  });
  map.on("mouseout movestart zoomstart resize", hide);
  for (const control of map.getContainer().querySelectorAll(".leaflet-control")) {
    control.addEventListener("mouseenter", hide);
  }
}
