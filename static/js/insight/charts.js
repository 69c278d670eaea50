// What the charts draw: options for echarts, made from the page's figures. Pure.

const perCent = (share) => `${(share * 100).toFixed(1)} %`;
const whole = (share) => `${Math.round(share * 100)} %`;

const axes = (ink) => ({
  axisLine: { lineStyle: { color: ink.line } },
  axisLabel: { color: ink.text },
  splitLine: { lineStyle: { color: ink.faint } },
});

const common = (ink, label) => ({
  animation: false,
  aria: { enabled: true, label: { description: label }, decal: { show: true } },
  textStyle: { fontFamily: ink.font, color: ink.text },
  tooltip: { renderMode: "richText", backgroundColor: ink.paper, textStyle: { color: ink.text } },
  grid: { left: 56, right: 16, top: 24, bottom: 40 },
});

const SHAPES = { below: "triangle", within: "circle", above: "diamond" };

/** The control chart: a point for each area, the limits as stepped lines over n. */
export function funnel({ areas, centre }, ink, label) {
  const sorted = [...areas].sort((one, other) => one.n - other.n);
  const limit = (at, width) => ({
    type: "line",
    silent: true,
    symbol: "none",
    lineStyle: { color: ink.line, type: width > 1 ? "solid" : "dashed", width: 1 },
    data: sorted.map(({ n, limits }) => [n, limits[at]]),
  });
  const points = ["within", "below", "above"].map((standing) => ({
    type: "scatter",
    symbol: SHAPES[standing],
    symbolSize: standing === "within" ? 9 : 14,
    itemStyle: { color: standing === "within" ? ink.accent : ink.danger, borderColor: ink.paper },
    data: areas.filter((area) => area.standing === standing).map(({ name, n, share }) => ({ name, value: [n, share] })),
  }));
  return {
    ...common(ink, label),
    xAxis: { type: "value", name: "n", nameLocation: "middle", nameGap: 26, min: 0, ...axes(ink) },
    yAxis: {
      type: "value",
      min: 0,
      max: 1,
      ...axes(ink),
      axisLabel: { color: ink.text, formatter: whole },
    },
    tooltip: {
      ...common(ink, label).tooltip,
      formatter: ({ name, value }) => (name ? `${name}\n${perCent(value[1])} (n=${value[0]})` : ""),
    },
    series: [
      limit(0, 1),
      limit(1, 1),
      limit(2, 2),
      limit(3, 2),
      {
        type: "line",
        silent: true,
        symbol: "none",
        lineStyle: { color: ink.text, width: 1 },
        data: sorted.length ? [sorted[0], sorted[sorted.length - 1]].map(({ n }) => [n, centre]) : [],
      },
      ...points,
    ],
  };
}

/** The trend: the rate of each month, with a bar for its interval. */
export function trend({ trend: months }, ink, label) {
  const known = months.map((month) => month.share !== null);
  return {
    ...common(ink, label),
    xAxis: { type: "category", data: months.map(({ name }) => name), ...axes(ink) },
    yAxis: { type: "value", min: 0, max: 1, ...axes(ink), axisLabel: { color: ink.text, formatter: whole } },
    tooltip: {
      ...common(ink, label).tooltip,
      trigger: "axis",
      formatter: ([{ dataIndex }]) => {
        const { name, share, low, high, n } = months[dataIndex];
        return share === null ? name : `${name}\n${perCent(share)} (${perCent(low)} – ${perCent(high)}, n=${n})`;
      },
    },
    series: [
      { type: "line", stack: "band", silent: true, symbol: "none", lineStyle: { opacity: 0 }, data: lows(months) },
      {
        type: "line",
        stack: "band",
        silent: true,
        symbol: "none",
        lineStyle: { opacity: 0 },
        areaStyle: { color: ink.accent, opacity: 0.16 },
        data: months.map(({ low, high }) => (low === null ? null : high - low)),
      },
      {
        type: "line",
        symbol: (_value, { dataIndex }) => (months[dataIndex].few ? "emptyCircle" : "circle"),
        symbolSize: 8,
        lineStyle: { color: ink.accent },
        itemStyle: { color: ink.accent },
        data: months.map(({ share }, at) => (known[at] ? share : null)),
      },
    ],
  };
}

const lows = (months) => months.map(({ low }) => low);
