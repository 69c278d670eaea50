// The city map: levels by zoom, layers on and off, a side panel for what is clicked, state in the address.

import { say } from "../words.js";
import { formatPlace, remember } from "./address.js";
import { wireCases } from "./citycases.js";
import { LevelSwitch } from "./levels.js";
import { load } from "./load.js";
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

function wireSwitches({ map, data, levels }, state) {
  const off = new Set((state.get("off") ?? "").split(",").filter(Boolean));
  for (const box of document.querySelectorAll("[data-layer]")) {
    const show = switchOf(map, box.dataset.layer);
    if (!show) continue;
    box.checked = !off.has(box.dataset.layer);
    if (!box.checked) show(false);
    box.addEventListener("change", () => {
      show(box.checked);
      off[box.checked ? "delete" : "add"](box.dataset.layer);
      remember({ off: [...off].join(",") });
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
      else {
        const { open } = await load(`${data.figures_url}?level=${layer.options.level}`);
        await layer.whenLoaded();
        const entries = layer.list().map(({ properties: { code } }) => [code, shadeOf(open[code] ?? 0, data.shades)]);
        layer.colour(Object.fromEntries(entries));
      }
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
    await layer.whenLoaded();
    const bounds = layer.boundsOf(code);
    if (bounds) map.fitBounds(bounds, { maxZoom: 17 });
    if (levels.leading !== level) {
      levels.choose(level);
      const radio = document.querySelector(`[name=level][value="${CSS.escape(level)}"]`);
      if (radio) radio.checked = true;
    }
  }
  levels.relabel();
}
