// Which colour a rate has on a map. Pure, but for the pattern of the hatch.

/** Return the class of an area: its colour and whether it rests on few cases; null where nothing fell due. */
export function classOf([numerator, total, standing], { show, few, shades, standings }) {
  if (!total) return null;
  if (show === "limits") {
    const name = { "-1": "below", 0: "within", 1: "above" }[standing];
    return { colour: standings[name], few: false };
  }
  const share = numerator / total;
  // The upper end belongs to the class below it, so that 0.9 is in 80-90 and 1 in 90-100.
  const shade = shades.find(({ upto }) => share <= upto + 1e-9) ?? shades[shades.length - 1];
  return { colour: shade.colour, few: total < few };
}

const SIZE = 10;
const made = new Map();

/** Return a hatch over a colour: wide for few cases, close and both grey for no case at all. */
export function hatch(colour, ink) {
  const key = `${colour} ${ink}`;
  if (!made.has(key)) {
    const tile = document.createElement("canvas");
    tile.width = tile.height = SIZE;
    const pen = tile.getContext("2d");
    pen.fillStyle = colour;
    pen.fillRect(0, 0, SIZE, SIZE);
    pen.strokeStyle = ink;
    pen.lineWidth = 1;
    pen.beginPath();
    for (const shift of [-SIZE, 0, SIZE]) {
      pen.moveTo(shift, SIZE);
      pen.lineTo(shift + SIZE, 0);
    }
    pen.stroke();
    made.set(key, pen.createPattern(tile, "repeat"));
  }
  return made.get(key);
}

/** Return what an area is filled with: a colour, or a pattern. */
export function fillOf(counts, page) {
  const found = classOf(counts, page);
  const ink = getComputedStyle(document.documentElement);
  if (!found) return hatch(ink.getPropertyValue("--sunk").trim(), ink.getPropertyValue("--line-2").trim());
  return found.few ? hatch(found.colour, ink.getPropertyValue("--paper").trim()) : found.colour;
}
