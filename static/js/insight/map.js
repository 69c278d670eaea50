// The map of figures: areas in the colours of a rate, a slider through the months, a click leads to an area.

import { LevelSwitch } from "../map/levels.js";
import { load } from "../map/load.js";
import { say } from "../words.js";
import { fillOf } from "./fill.js";
import { heat } from "./heat.js";
import { Slider } from "./slider.js";

export function insight(map, data) {
  const levels = new LevelSwitch(map, { chosen: data.level });
  levels.update();
  const layer = levels.layer;
  if (data.heat) {
    layer?.colour({}); // lines only: a tint would change the colours of the heat
    return void showHeat(map, data);
  }
  if (!layer) return;
  const paint = (frame) => {
    const codes = layer.list().map(({ properties }) => properties.code);
    layer.colour(Object.fromEntries(codes.map((code) => [code, fillOf(frame[code] ?? [0, 0, 2], data)])));
  };
  const begin = () => {
    paint(data.frame);
    levels.relabel();
  };
  layer.whenLoaded().then(begin);
  const slider = new Slider(document.querySelector("[data-slider]"), data.months);
  slider.onMove = async (at) => {
    try {
      const frames = await load(data.frames_url);
      if (slider.at === at) paint(frameAt(frames, at));
    } catch {
      slider.tell(say("no_answer"));
    }
  };
}

async function showHeat(map, data) {
  const slider = new Slider(document.querySelector("[data-slider]"), data.months);
  try {
    const move = await heat(map, data.heat);
    slider.onMove = (at) => move(at)?.catch(() => slider.tell(say("no_answer")));
  } catch {
    slider.tell(say("no_answer"));
  }
}

/** Return the counts by code of one month. Pure. */
export function frameAt({ codes, numerators, totals, standings }, at) {
  return Object.fromEntries(
    codes.map((code, row) => [code, [numerators[at][row], totals[at][row], standings[at][row]]]),
  );
}
