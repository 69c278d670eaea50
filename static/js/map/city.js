// The city map: levels by zoom, layers on and off, a side panel for what is clicked, state in the address.

import { say } from "../words.js";
import { formatPlace, remember } from "./address.js";
import { wireCases } from "./citycases.js";
import { addHover } from "./hover.js";
import { LevelSwitch } from "./levels.js";
import { addLocate } from "./locate.js";
import { Measure } from "./measure.js";
import { Panel } from "./panel.js";
import { Search } from "./search.js";
import { toast } from "./toast.js";

export function city(map, data) {
  const state = new URLSearchParams(location.search);
  const panel = new Panel(document.getElementById("panel"));
  const levels = new LevelSwitch(map, { chosen: state.get("level") });
  const page = { map, data, panel, levels };

  levels.onChange = (leading) => {
    const shown = document.querySelector("[data-leading]");
    if (shown) shown.textContent = leading ? (data.level_names[leading] ?? leading) : "";
  };
  levels.update();
  wireSwitches(page, state);
  addLocate(map);
  addHover(map, () => levels.layer);
  tellFailures(map);
  page.measure = new Measure(
    map,
    document.querySelector("[data-measure-box]"),
    document.querySelector("[data-measure]"),
  );
  page.cases = wireCases(page, state);
  wireClicks(page);
  wireSearch(page);
  wireLegend(state);
  map.on("moveend", () => {
    const { lat, lng } = map.getCenter();
    remember({ at: formatPlace({ zoom: map.getZoom(), lat, lon: lng }) });
  });
  panel.onClose = () => {
    for (const layer of map.mapsvc.areas) layer.select(null);
    levels.relabel();
    remember({ area: null, here: null });
    page.cases?.keys.comeBack();
  };
  const [level, code] = (state.get("area") ?? "").split(":");
  if (level && code) showArea(page, level, code, { zoom: !state.has("at") });
}

/** Say once in a while that areas did not come. */
function tellFailures(map) {
  let at = -Infinity;
  for (const layer of map.mapsvc.areas) {
    layer.on("failed", () => {
      if (performance.now() - at > 10_000) toast(map, say("areas_failed"));
      at = performance.now();
    });
  }
}

function wireSwitches({ map, data, levels }, state) {
  const [off, on] = ["off", "on"].map((name) => new Set((state.get(name) ?? "").split(",").filter(Boolean)));
  for (const box of document.querySelectorAll("[data-layer]")) {
    const show = switchOf(map, box.dataset.layer);
    if (!show) continue;
    // A layer that is on by itself is kept when it is off, and the other way round.
    const { layer: name } = box.dataset;
    const [kept, stands] = box.defaultChecked ? [off, false] : [on, true];
    box.checked = kept.has(name) ? stands : box.defaultChecked;
    if (kept.has(name)) show(box.checked);
    explain(name, box.checked);
    box.addEventListener("change", () => {
      show(box.checked);
      explain(name, box.checked);
      kept[box.checked === stands ? "add" : "delete"](name);
      remember({ off: [...off].join(","), on: [...on].join(",") });
    });
  }
  for (const radio of document.querySelectorAll("[name=level]")) {
    radio.checked = radio.value === (levels.chosen ?? "");
    radio.addEventListener("change", () => {
      levels.choose(radio.value || null);
      remember({ level: radio.value });
    });
  }
  const shade = document.querySelector("[data-shade]");
  if (shade && data.figures_url) wireShade(map, data, shade, state);
}

/** Keep in the legend only what is drawn of the ground. */
function explain(name, shown) {
  const [kind, code] = name.split(":");
  if (kind !== "ground") return;
  for (const line of document.querySelectorAll(`[data-ground="${CSS.escape(code)}"]`)) line.hidden = !shown;
}

/** Return what shows or hides a layer by its name; `ground:roads` is one layer of the ground. */
function switchOf(map, name) {
  const [kind, code] = name.split(":");
  const layer = map.mapsvc[kind];
  if (!layer) return null;
  if (code) return (shown) => layer.toggle(code, shown);
  return (shown) => (shown ? layer.addTo(map) : layer.remove());
}

function wireLegend(state) {
  const legend = document.querySelector("[data-legend]");
  if (!legend) return;
  legend.open = state.has("legend");
  legend.addEventListener("toggle", () => remember({ legend: legend.open ? "1" : null }));
}

/** Shade areas by their open cases; the classes and their colours come from the page's legend. */
function wireShade(map, data, box, state) {
  const apply = async () => {
    document.querySelector("[data-shade-legend]")?.toggleAttribute("hidden", !box.checked);
    for (const layer of map.mapsvc.areas) {
      if (!box.checked) layer.colour(null);
      else await layer.shade(data.figures_url, (count) => shadeOf(count, data.shades));
    }
  };
  box.checked = state.get("shade") === "open";
  box.addEventListener("change", () => {
    apply();
    remember({ shade: box.checked ? "open" : null });
  });
  if (box.checked) apply();
}

/** Return the colour of the first class whose upper end holds the value. */
export function shadeOf(value, shades) {
  return (shades.find(({ upto }) => upto === null || value <= upto) ?? shades[shades.length - 1]).colour;
}

/** Go to what was found: an area is opened, a place is shown. */
function wireSearch(page) {
  const form = document.querySelector("[data-search]");
  new Search(form, page.data.search_url, (found) => {
    if (found.code && page.map.mapsvc.areas.length) return showArea(page, found.level, found.code, { zoom: true });
    const place = L.latLng(found.lat, found.lon);
    if (found.box) {
      const [west, south, east, north] = found.box;
      const bounds = L.latLngBounds([south, west], [north, east]);
      page.map.fitBounds(bounds, { maxZoom: 18, padding: [48, 48] });
      if (!page.map.getBounds().contains(place)) page.map.panTo(place);
    } else page.map.setView(place, 16);
    toast(page.map, `${found.name} · ${found.about}`);
  });
}

function wireClicks(page) {
  const { map, data, panel } = page;
  // The ring in the middle, where Enter picks, is for those who move the map by keys.
  map.getContainer().addEventListener("keydown", () => map.getContainer().classList.add("keyed"));
  map.getContainer().addEventListener("keyup", () => map.getContainer().classList.add("keyed"));
  map.getContainer().addEventListener("pointerdown", () => map.getContainer().classList.remove("keyed"));
  map.getContainer().addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.target !== map.getContainer()) return;
    event.preventDefault();
    const latlng = map.getCenter();
    map.fire("click", { latlng, containerPoint: map.latLngToContainerPoint(latlng) });
  });
  map.on("click", async ({ latlng, containerPoint }) => {
    if (page.measure.active) return page.measure.add(latlng);
    const picked = page.cases?.pick(containerPoint);
    if (picked) return page.cases.open(picked);
    if (!page.levels.leading) return;
    const url = `${data.locate_url}?lon=${latlng.lng.toFixed(7)}&lat=${latlng.lat.toFixed(7)}`;
    try {
      const answer = await (await fetch(url, { headers: { Accept: "application/json" } })).json();
      const found = answer.areas?.find((area) => area.level === page.levels.leading) ?? answer.areas?.[0];
      if (found) await showArea(page, found.level, found.code);
      else panel.say(say("no_area_here"));
    } catch {
      panel.say(say("no_answer"));
    }
  });
}

async function showArea({ map, data, panel, levels }, level, code, { zoom = false } = {}) {
  const layer = map.mapsvc.areas.find((candidate) => candidate.options.level === level);
  for (const other of map.mapsvc.areas) other.select(other === layer ? code : null);
  remember({ area: `${level}:${code}`, here: null });
  await panel.open(`${data.area_url}/${encodeURIComponent(level)}/${encodeURIComponent(code)}/card`);
  if (layer && zoom) {
    const bounds = await layer.whereIs(code);
    if (bounds) map.fitBounds(bounds, { maxZoom: 17 });
    if (levels.leading !== level) {
      levels.choose(level);
      const radio = document.querySelector(`[name=level][value="${CSS.escape(level)}"]`);
      if (radio) radio.checked = true;
    }
  }
  levels.relabel();
}
