// The map of one area: it is outlined, its neighbours dimmed; signs lead to their cases.

import { LevelSwitch } from "./levels.js";

export function area(map, data) {
  const levels = new LevelSwitch(map, { chosen: data.level });
  levels.update();
  const layer = levels.layer;
  if (layer) {
    layer.select(data.code);
    layer.whenLoaded().then(() => {
      const bounds = layer.boundsOf(data.code);
      if (bounds && !new URLSearchParams(location.search).has("at")) map.fitBounds(bounds, { padding: [16, 16] });
      levels.relabel();
    });
  }
  map.on("click", ({ containerPoint }) => {
    const picked = map.mapsvc.cases?.pick(containerPoint);
    if (!picked) return;
    if (picked.cases.length === 1) location.assign(`${data.case_url}/${picked.cases[0].id}`);
    else map.fitBounds(L.latLngBounds(picked.cases.map(({ lat, lon }) => [lat, lon])).pad(0.3));
  });
}
