// The page of figures: selectors that act at once, charts where scripts run (their tables are there without).

import { funnel, trend } from "./charts.js";

const form = document.querySelector("[data-filters]");

/** What is not chosen need not stand in the address. */
function leaveOutEmpty() {
  for (const field of form.elements) if (field.name && field.value === "") field.disabled = true;
}
form?.addEventListener("submit", leaveOutEmpty);
form?.addEventListener("change", () => {
  leaveOutEmpty();
  form.submit(); // says nothing to "submit", and every browser of the floor has it
});
addEventListener("pageshow", () => {
  for (const field of form?.elements ?? []) field.disabled = false;
});

function inkOf() {
  const style = getComputedStyle(document.documentElement);
  const of = (name) => style.getPropertyValue(name).trim();
  return {
    text: of("--ink"),
    line: of("--line-2"),
    faint: of("--line"),
    accent: of("--accent"),
    danger: of("--danger"),
    paper: of("--paper"),
    font: of("--font"),
  };
}

const figures = JSON.parse(document.getElementById("figures").textContent);
const charts = [];

function draw(name, make, wanted) {
  const frame = document.querySelector(`[data-chart=${name}]`);
  if (!frame || !wanted || !window.echarts) return;
  frame.hidden = false;
  const heading = frame.closest("section").querySelector("h2").textContent;
  const chart = window.echarts.init(frame.querySelector(".canvas"), null, { renderer: "svg" });
  const paint = () => chart.setOption(make(figures, inkOf(), heading), true);
  paint();
  charts.push({ chart, paint });
}

draw("funnel", funnel, figures.areas?.length);
draw(
  "trend",
  trend,
  figures.trend?.some(({ share }) => share !== null),
);
addEventListener("resize", () => charts.forEach(({ chart }) => chart.resize()));
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => charts.forEach(({ paint }) => paint()));
