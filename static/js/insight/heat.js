// Where cases lie close together: tiles in the classes of one legend, which holds for every month of the slider.

import { load } from "../map/load.js";

const address = (url, values) => `${url}?${new URLSearchParams(values)}`;
const number = (value) => (value >= 10 ? String(Math.round(value)) : value.toPrecision(2));

/** Draw the heat of a window; returns a function that shows another month. Tiles and legend share their classes. */
export async function heat(map, { tiles_url: tilesUrl, legend_url: legendUrl, filter, whole, first, last, legend }) {
  const months = await load(address(legendUrl, { ...filter, ...whole, by: "month" }));
  let layer = null;
  const show = async (window, step) => {
    const found = await load(address(legendUrl, { ...filter, ...window, ...(step ? { step } : {}) }));
    layer?.remove();
    const values = { ...filter, ...window, width_m: found.width_m, ...(found.step ? { step: found.step } : {}) };
    layer = L.tileLayer(address(tilesUrl, values), { className: "heat-tiles", maxZoom: 20, zIndex: 5 }).addTo(map);
    explain(document.querySelector("[data-heat-legend]"), found, legend);
  };
  await show({ from: first, to: last }, null);
  return (at) => {
    const month = months.months[at];
    return month ? show({ from: month.first, to: month.last }, months.step) : null;
  };
}

function explain(element, { width_m: width, n, classes }, text) {
  if (!element) return;
  const list = document.createElement("ul");
  list.className = "classes";
  for (const { at_least: low, below, colour, opacity } of classes) list.append(entry(low, below, colour, opacity));
  const words = document.createElement("p");
  words.textContent = text.replace("{width}", number(width)).replace("{count}", String(n));
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
