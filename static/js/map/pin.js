// Choosing a place: by a tap, the middle of the map, or the form's fields. Fields stay the truth.

const FIELDS = ["lon", "lat", "accuracy", "source"];

export function pin(map, data) {
  const form = document.getElementById(data.form);
  const fields = Object.fromEntries(FIELDS.map((name) => [name, form.elements[name]]));
  const marker = L.circleMarker([0, 0], { radius: 9, className: "pin", weight: 3, fillOpacity: 1, interactive: false });
  const circle = L.circle([0, 0], { radius: 0, className: "pin-accuracy", weight: 1, interactive: false });
  colourPin(marker, circle);

  const put = (lat, lon, { accuracy = "", source, move = false }) => {
    fields.lon.value = lon.toFixed(7);
    fields.lat.value = lat.toFixed(7);
    fields.accuracy.value = accuracy === "" ? "" : String(Math.round(accuracy));
    fields.source.value = source;
    draw(move);
    form.dispatchEvent(new CustomEvent("place", { bubbles: true }));
  };

  const draw = (move) => {
    const [lat, lon] = [Number(fields.lat.value), Number(fields.lon.value)];
    if (fields.lat.value === "" || fields.lon.value === "" || !Number.isFinite(lat) || !Number.isFinite(lon)) return;
    marker.setLatLng([lat, lon]).addTo(map);
    const accuracy = Number(fields.accuracy.value);
    if (accuracy > 0) circle.setLatLng([lat, lon]).setRadius(accuracy).addTo(map);
    else circle.remove();
    if (move) map.setView([lat, lon], Math.max(map.getZoom(), 17));
  };

  map.on("click", ({ latlng }) => put(latlng.lat, latlng.lng, { source: "tap" }));
  map.getContainer().addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target !== map.getContainer()) return;
    event.preventDefault();
    const middle = map.getCenter();
    put(middle.lat, middle.lng, { source: "tap" });
  });
  for (const name of ["lon", "lat"]) {
    fields[name].addEventListener("change", () => {
      fields.source.value = "typed";
      fields.accuracy.value = "";
      draw(true);
      form.dispatchEvent(new CustomEvent("place", { bubbles: true }));
    });
  }
  draw(fields.lat.value !== "");
  wireForm(form, map, circle, put, () => draw(true));
}

function colourPin(marker, circle) {
  const style = getComputedStyle(document.documentElement);
  const accent = style.getPropertyValue("--accent").trim();
  marker.setStyle({ color: style.getPropertyValue("--paper").trim(), fillColor: accent });
  circle.setStyle({ color: accent, fillColor: accent, fillOpacity: 0.12 });
}

/** The form says where to put the pin, or where to look without putting it; its button takes the middle of the map. */
function wireForm(form, map, circle, put, redraw) {
  form.addEventListener("put-place", ({ detail }) => put(detail.lat, detail.lon, detail));
  form.addEventListener("draw-place", redraw);
  form.addEventListener("look-at", ({ detail }) => {
    circle.setLatLng([detail.lat, detail.lon]).setRadius(detail.accuracy).addTo(map);
    map.fitBounds(circle.getBounds());
  });
  const button = form.querySelector("[data-put-middle]");
  if (!button) return;
  const cross = L.DomUtil.create("div", "crosshair", map.getContainer());
  cross.setAttribute("aria-hidden", "true");
  button.addEventListener("click", () => {
    const middle = map.getCenter();
    put(middle.lat, middle.lng, { source: "tap" });
  });
}
