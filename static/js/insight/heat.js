// Where cases lie close together: tiles in the classes of one legend, which holds for every month of the slider.

import { load } from "../map/load.js";
import { fill } from "../words.js";

const address = (url, values) => `${url}?${new URLSearchParams(values)}`;
const number = (value) => (value >= 10 ? String(Math.round(value)) : value.toPrecision(2));

/** Draw the heat of a window; returns a function that shows another month. Tiles and legend share their classes. */
export async function heat(
  map,
  { tiles_url: tilesUrl, legend_url: legendUrl, filter, whole, first, last, legend, unknown },
) {
  const months = await load(address(legendUrl, { ...filter, ...whole, by: "month" }));
  map.createPane("heat").classList.add("pane-heat"); // over streets and parks, under borders and names
  let layer = null;
  const show = async (window, step) => {
    const found = await load(address(legendUrl, { ...filter, ...window, ...(step ? { step } : {}) }));
    layer?.remove();
    const values = { ...filter, ...window, width_m: found.width_m, ...(found.step ? { step: found.step } : {}) };
    layer = L.tileLayer(address(tilesUrl, values), { className: "heat-tiles", maxZoom: 20, pane: "heat" }).addTo(map);
    explain(document.querySelector("[data-heat-legend]"), found, { legend, unknown });
  };
  await show({ from: first, to: last }, null);
  return (at) => {
    const month = months.months[at];
    return month ? show({ from: month.first, to: month.last }, months.step) : null;
  };
}

function explain(element, { width_m: width, n, classes, km, least_km_per_km2: least }, { legend, unknown }) {
  if (!element) return;
  const list = document.createElement("ul");
  list.className = "classes";
  for (const { at_least: low, below, colour, opacity } of classes) list.append(entry(low, below, colour, opacity));
  if (km !== null) list.append(hatched(unknown));
  const words = document.createElement("p");
  words.textContent = fill(legend, { width: number(width), count: n, km: number(km ?? 0), least: number(least ?? 0) });
  element.replaceChildren(words, list);
}

function entry(low, below, colour, opacity) {
  const picture = L.SVG.create("svg");
  picture.setAttribute("viewBox", "0 0 24 16");
  picture.setAttribute("aria-hidden", "true");
  const box = L.SVG.create("rect");
  for (const [name, value] of Object.entries({ width: 24, height: 16, rx: 2, fill: colour, "fill-opacity": opacity }))
    box.setAttribute(name, value);
  picture.append(box);
  const item = document.createElement("li");
  item.append(picture, below === null ? `≥ ${number(low)}` : `${number(low)}–${number(below)}`);
  return item;
}

/** The line of the legend for ground of which nothing can be told: the hatch that stands on the tiles. */
function hatched(text) {
  const item = entry(0, 1, "none", 0);
  const lines = L.SVG.create("path");
  lines.setAttribute("class", "hatch");
  lines.setAttribute("d", "M0 8 8 0M0 16 16 0M8 16 24 0M16 16 24 8");
  item.querySelector("svg").append(lines);
  item.lastChild.textContent = text;
  return item;
}
