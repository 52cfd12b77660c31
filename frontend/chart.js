// Small charts with uPlot; new figures in data-chart (event "chart:data") are drawn in place.
// Over time:
//   <div data-chart='{"x": [seconds...], "series": [{"label": "Minutes", "values": [...]}], "bars": true}'>
// By day, stacked (see ui.chart):
//   <div data-chart='{"days": ["1", "2"], "titles": [...], "series": [{"label", "color", "values"}],
//                     "lines": [{"label", "kind", "values"}], "today": 1, "unit": "min", "area": false}'>
import uPlot from "uplot";

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const faint = (part) => `color-mix(in oklab, ${css("--color-base-content")} ${part}%, transparent)`;
const HEIGHT = 180;
const HEIGHT_BY_DAY = 240;

const axisLook = () => ({
  stroke: faint(70),
  grid: { stroke: faint(10), width: 1 },
  ticks: { show: false },
  font: "12px Inter, sans-serif",
});

// --- over time ---

const overTime = (data, width, zone) => {
  const strokes = [css("--color-primary"), faint(55), css("--color-success")];
  // A bar stands on its instant: the first and the last need half a step of room.
  const edge = data.bars && data.x.length > 1 ? (data.x[1] - data.x[0]) / 2 : 0;
  const axis = axisLook();
  return {
    width,
    height: HEIGHT,
    padding: [8, 8, 0, 0],
    cursor: { y: false, points: { size: 6 } },
    legend: { show: data.series.length > 1 },
    tzDate: (ts) => uPlot.tzDate(new Date(ts * 1000), zone),
    scales: { x: { range: (_, min, max) => [min - edge, max + edge] }, y: { range: (_, __, max) => [0, Math.max(max * 1.1, 1)] } },
    axes: [{ ...axis, grid: { show: false } }, { ...axis, size: 48 }],
    series: [
      {},
      ...data.series.map((series, at) => ({
        label: series.label,
        stroke: strokes[at],
        width: 1.5,
        fill: data.bars ? strokes[at] : undefined,
        paths: data.bars ? uPlot.paths.bars({ size: [0.6, 32], radius: 0.15 }) : undefined,
        points: { show: false },
      })),
    ],
  };
};

const valuesOverTime = (data) => [data.x, ...data.series.map((series) => series.values)];

// --- by day ---

// Drawn from the tallest sum to the lowest, so that each part covers the ones above it but its own.
const stacked = (data) => {
  const sums = data.days.map(() => 0);
  const parts = data.series.map(({ values }) =>
    values.map((value, at) => (value === null ? null : (sums[at] += value))),
  );
  return [data.days.map((_, at) => at), ...parts.reverse(), ...data.lines.map((line) => line.values)];
};

const lineLook = {
  limit: () => ({ stroke: css("--color-error"), width: 1.5, dash: [5, 4] }),
  pace: () => ({ stroke: faint(60), width: 1.5, dash: [2, 3] }),
};

const byDay = (data, width, tip) => {
  const axis = axisLook();
  const bars = uPlot.paths.bars({ size: [0.68, 40], radius: 0 });
  const color = (series) => css(`--chart-${series.color}`);
  const whole = (value) => (Number.isInteger(value) ? value.toLocaleString("en") : "");
  return {
    width,
    height: HEIGHT_BY_DAY,
    padding: [10, 4, 0, 0],
    cursor: { x: false, y: false, points: { show: false }, drag: { x: false, y: false } },
    legend: { show: false },
    scales: {
      x: { time: false, range: [-0.6, data.days.length - 0.4] },
      y: { range: (_, __, max) => [0, Math.max(max * 1.08, 4)] },
    },
    axes: [
      {
        ...axis,
        grid: { show: false },
        size: 28,
        space: 26,
        incrs: [1, 2, 5, 10],
        values: (_, at) => at.map((day) => data.days[day] ?? ""),
      },
      { ...axis, size: 52, space: 40, values: (_, at) => at.map(whole) },
    ],
    series: [
      {},
      ...data.series.toReversed().map((series) => ({
        label: series.label,
        stroke: data.area ? color(series) : undefined,
        width: data.area ? 1.5 : 0,
        fill: data.area ? `color-mix(in oklab, ${color(series)} 45%, ${css("--color-base-100")})` : color(series),
        paths: data.area ? undefined : bars,
        points: { show: false },
      })),
      ...data.lines.map((line) => ({ label: line.label, ...lineLook[line.kind](), points: { show: false } })),
    ],
    hooks: { drawClear: [(plot) => markToday(plot, data)], setCursor: [(plot) => tip(plot)] },
  };
};

const markToday = (plot, data) => {
  if (data.today === null) return;
  const left = plot.valToPos(data.today - 0.5, "x", true);
  const right = plot.valToPos(data.today + 0.5, "x", true);
  plot.ctx.fillStyle = faint(8);
  plot.ctx.fillRect(left, plot.bbox.top, right - left, plot.bbox.height);
};

// What stands under the pointer, in words. Names come from people: text, never markup.
const tipFor = (element) => {
  const box = document.createElement("div");
  box.className = "chart-tip";
  const make = (tag, text = "", className = "") =>
    Object.assign(document.createElement(tag), { textContent: text, className });
  const number = (value) => Math.round(value * 10) / 10;
  return (data) => (plot) => {
    const at = plot.cursor.idx;
    const shown = at !== null && at !== undefined && plot.cursor.left >= 0;
    box.toggleAttribute("data-on", shown);
    if (!shown) return;
    const list = make("dl");
    const row = (kind, label, value) => {
      list.append(make("span", "", `swatch swatch-${kind}`), make("dt", label), make("dd", number(value).toLocaleString("en")));
    };
    const values = data.series.filter(({ values }) => values[at] !== null);
    for (const series of values) row(series.color, series.label, series.values[at]);
    if (values.length > 1) row("none", "Together", values.reduce((sum, { values }) => sum + values[at], 0));
    for (const line of data.lines) {
      const ahead = line.kind !== "pace" || at >= data.today; // it starts at yesterday's total
      if (line.values[at] !== null && ahead) row(line.kind, line.label, line.values[at]);
    }
    const title = data.titles[at] + (at === data.today ? " (today)" : "");
    box.replaceChildren(make("p", title, "font-medium whitespace-nowrap"), list);
    element.append(box);
    const pointer = plot.over.offsetLeft + plot.valToPos(at, "x");
    const room = element.clientWidth - box.offsetWidth;
    const left = pointer + 14 + box.offsetWidth > element.clientWidth ? pointer - box.offsetWidth - 14 : pointer + 14;
    box.style.transform = `translate(${Math.max(0, Math.min(left, room))}px, 12px)`;
  };
};

// --- both ---

export const mount = (element) => {
  const tip = tipFor(element);
  let data;
  let shape = "";
  let plot;
  const shapeOf = ({ days, series, lines, area, today }) =>
    JSON.stringify([days, series.map(({ label, color }) => [label, color]), lines?.map(({ kind }) => kind), area, today]);
  const draw = () => {
    data = JSON.parse(element.dataset.chart);
    shape = shapeOf(data);
    plot?.destroy();
    plot = data.days
      ? new uPlot(byDay(data, element.clientWidth, tip(data)), stacked(data), element)
      : new uPlot(overTime(data, element.clientWidth, document.body.dataset.zone), valuesOverTime(data), element);
  };
  const renew = () => {
    const fresh = JSON.parse(element.dataset.chart);
    if (shapeOf(fresh) !== shape) return draw();
    Object.assign(data, fresh);
    plot.setData(data.days ? stacked(data) : valuesOverTime(data));
  };
  draw();
  const sized = new ResizeObserver(() => {
    if (!element.isConnected) return sized.disconnect();
    plot.setSize({ width: element.clientWidth, height: plot.height });
  });
  sized.observe(element);
  element.addEventListener("chart:data", renew);
  document.addEventListener("theme:changed", () => element.isConnected && draw());
};
