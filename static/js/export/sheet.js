// What a stand-alone map does: colours, a click says what an area is, layers may be switched.

import { fillOf } from "../insight/fill.js";
import { LevelSwitch } from "../map/levels.js";
import { say } from "../words.js";
import { findAt } from "./shapes.js";

export function sheet(map, data) {
  const levels = new LevelSwitch(map, { chosen: data.level });
  levels.update();
  const layer = levels.layer;
  const card = document.querySelector("[data-card]");
  card.querySelector("[data-close]").addEventListener("click", () => select(null));
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") select(null);
  });

  function select(feature) {
    layer?.select(feature?.properties.code ?? null);
    levels.relabel();
    card.hidden = !feature;
    if (feature) tell(card, feature.properties, data);
  }

  layer?.whenLoaded().then(() => {
    const { shades, frame } = data;
    const colours = layer.list().map(({ properties: { code } }) => [code, fillOf(frame[code] ?? [0, 0, 2], data)]);
    if (shades.length) layer.colour(Object.fromEntries(colours));
    else if (data.bare) layer.colour({}); // what lies beneath is what is shown
    levels.relabel();
    map.on("click", ({ latlng }) => select(findAt(layer.list(), [latlng.lng, latlng.lat]) ?? null));
    for (const row of document.querySelectorAll("[data-code]"))
      row.addEventListener("click", () => {
        const feature = layer.find(row.dataset.code);
        map.fitBounds(layer.boundsOf(row.dataset.code), { maxZoom: 16 });
        select(feature);
      });
    document.documentElement.dataset.drawn = "";
  });
  for (const box of document.querySelectorAll("[data-layer]"))
    box.addEventListener("change", () => toggle(map, levels, box.dataset.layer, box.checked));
}

function toggle(map, levels, name, shown) {
  const { areas, labels, extra } = map.mapsvc;
  const layer = { labels, theme: extra }[name] ?? areas.find(({ options }) => options.level === name);
  if (!layer) return;
  if (shown) map.addLayer(layer);
  else map.removeLayer(layer);
  levels.relabel();
}

function tell(card, { name, code, above, counts }, data) {
  const lines = [[say("code"), code], ...above.map(([level, title]) => [level, title])];
  if (counts) lines.push(...data.columns.map((title, at) => [title, counts[at]]));
  card.querySelector("h2").textContent = name;
  card.querySelector("dl").replaceChildren(
    ...lines.map(([title, text]) => {
      const [row, term, value] = ["div", "dt", "dd"].map((tag) => document.createElement(tag));
      term.textContent = title;
      value.textContent = text;
      row.append(term, value);
      return row;
    }),
  );
}
