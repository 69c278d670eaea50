// The cases on the city map: what a click or Enter on them does, and what is said when they do not come.

import { say } from "../words.js";
import { readBox, remember } from "./address.js";
import { CaseKeys } from "./casekeys.js";
import { toast } from "./toast.js";

export function wireCases({ map, data, panel }, state) {
  const { cases } = map.mapsvc;
  if (!cases) return null;
  const open = (item, options) => {
    if (cases.zoomTo(item)) return null;
    if (item.count === 1) return panel.open(`${data.case_cards_url}?ids=${item.id}`, options);
    return showList(item.box, options);
  };
  const showList = (box, options) => {
    remember({ area: null, here: box.join(",") });
    return panel.open(`${data.case_cards_url}?box=${box.join(",")}`, options);
  };
  const keys = new CaseKeys(map, cases, (item) => open(item, { focus: true }));
  let told = false;
  cases.on("failed", () => {
    if (!told) toast(map, say("cases_failed"));
    told = true;
  });
  cases.on("drawn", ({ whole }) => (told &&= !whole));
  const box = readBox(state.get("here"));
  if (box) showList(box);
  return { keys, pick: (point) => (map.hasLayer(cases) ? cases.pick(point) : null), open };
}
