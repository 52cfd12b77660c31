// Small charts over time with uPlot.
//   <div data-chart='{"x": [seconds...], "series": [{"label": "Minutes", "values": [...]}], "bars": true}'>
import uPlot from "uplot";

const css = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();
const faint = (part) => `color-mix(in oklab, ${css("--color-base-content")} ${part}%, transparent)`;
const HEIGHT = 180;

const options = (data, width, zone) => {
  const strokes = [css("--color-primary"), faint(55), css("--color-success")];
  // A bar stands on its instant: the first and the last need half a step of room.
  const edge = data.bars && data.x.length > 1 ? (data.x[1] - data.x[0]) / 2 : 0;
  const axis = {
    stroke: faint(70),
    grid: { stroke: faint(10), width: 1 },
    ticks: { show: false },
    font: "12px Inter, sans-serif",
  };
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

export const mount = (element) => {
  const data = JSON.parse(element.dataset.chart);
  const values = [data.x, ...data.series.map((series) => series.values)];
  let plot;
  const draw = () => {
    plot?.destroy();
    plot = new uPlot(options(data, element.clientWidth, document.body.dataset.zone), values, element);
  };
  draw();
  new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: HEIGHT })).observe(element);
  document.addEventListener("theme:changed", draw);
};
