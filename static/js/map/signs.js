// The signs of case states on a canvas; the same shapes as static/img/signs.svg (a test compares them).

const CIRCLE = "M12 5a7 7 0 1 0 0 14a7 7 0 1 0 0 -14z";

export const SHAPES = {
  received: [["line", CIRCLE]],
  assigned: [["fill", CIRCLE]],
  in_progress: [
    ["line", CIRCLE],
    ["fill", "M12 5a7 7 0 0 0 0 14z"],
  ],
  fixed: [
    ["line", "M12 4a8 8 0 1 0 0 16a8 8 0 1 0 0 -16z"],
    ["line", "M8 12.2l2.8 2.8l5.2 -5.6"],
  ],
  closed: [["line", "M5 12.5l4.5 4.5l9.5 -10"]],
  returned: [
    ["line", "M9 6l-4.5 4.5l4.5 4.5"],
    ["line", "M4.5 10.5h10a4.5 4.5 0 0 1 0 9h-2"],
  ],
  suspended: [
    ["fill", "M7 5h3.5v14h-3.5z"],
    ["fill", "M13.5 5h3.5v14h-3.5z"],
  ],
};

const paths = new Map();

function path(text) {
  if (!paths.has(text)) paths.set(text, new Path2D(text));
  return paths.get(text);
}

/** Read the colours of the page, so that maps follow dark mode and high contrast. */
export function readColours(element = document.documentElement) {
  const style = getComputedStyle(element);
  const read = (name) => style.getPropertyValue(`--${name}`).trim();
  return {
    accent: read("accent"),
    paper: read("paper"),
    ink: read("ink"),
    line: read("line-2"),
    faint: read("line"),
    danger: read("danger"),
    edge: read("edge"),
    done: read("done"),
    halo: read("map-halo"),
    mapInk: read("map-ink"),
    street: read("map-street-ink"),
    building: read("map-building-ink"),
    water: read("map-water-ink"),
    green: read("map-green-ink"),
    onGround: read("ink-2"),
    font: read("font"),
  };
}

/** Draw one sign centred on (x, y); `flags` may hold overdue and edge. */
export function drawSign(context, state, x, y, size, colours, flags = {}) {
  const colour = state === "closed" ? colours.done : colours.accent;
  context.save();
  context.translate(x - size / 2, y - size / 2);
  context.scale(size / 24, size / 24);
  context.beginPath();
  context.arc(12, 12, 11, 0, 2 * Math.PI);
  context.fillStyle = colours.paper;
  context.fill();
  drawRing(context, colours, flags);
  context.lineWidth = 2.25;
  context.lineCap = "round";
  context.lineJoin = "round";
  for (const [how, text] of SHAPES[state] ?? SHAPES.received) {
    if (how === "fill") {
      context.fillStyle = colour;
      context.fill(path(text));
    } else {
      context.strokeStyle = colour;
      context.stroke(path(text));
    }
  }
  context.restore();
}

function drawRing(context, colours, flags) {
  context.lineWidth = flags.overdue || flags.edge ? 2.75 : 1;
  context.strokeStyle = flags.overdue ? colours.danger : colours.line;
  context.stroke();
  if (!flags.edge) return;
  context.beginPath();
  context.arc(12, 12, 11, -Math.PI / 2, Math.PI / 2);
  context.strokeStyle = colours.edge;
  context.stroke();
}
