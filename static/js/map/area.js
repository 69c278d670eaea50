// The map of one area: it is outlined, its neighbours dimmed; signs lead to their cases.

import { CaseKeys } from "./casekeys.js";
import { LevelSwitch } from "./levels.js";

export function area(map, data) {
  const levels = new LevelSwitch(map, { chosen: data.level });
  levels.update();
  const layer = levels.layer;
  if (layer) {
    layer.select(data.code);
    layer.whereIs(data.code).then((bounds) => {
      if (bounds && !new URLSearchParams(location.search).has("at")) map.fitBounds(bounds, { padding: [16, 16] });
      levels.relabel();
    });
  }
  const { cases } = map.mapsvc;
  if (!cases) return;
  const open = (item) => {
    if (item.count === 1) location.assign(`${data.case_url}/${item.id}`);
    else if (!cases.zoomTo(item)) location.assign(`${data.case_url}?area=${data.level}:${data.code}&box=${item.box}`);
  };
  map.on("click", ({ containerPoint }) => {
    const picked = cases.pick(containerPoint);
    if (picked) open(picked);
  });
  new CaseKeys(map, cases, open);
}
