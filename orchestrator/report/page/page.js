"use strict";
// Hands the report's data to Chart.js. `data` is what drawing_tables.cpp makes: {colours, charts},
// a chart being {kind, x_label, y_label, log_x, log_y} and
//   lines:   lines: [{label, colour, dash, points: [[x, y, half-width or null, n], ...]}], and
//            where the axis shows only a part, y_range: [least, most]
//   scatter: points: [[x, y, half-width or null, n, label], ...]
//   bars:    categories, series: [{label, values, ci95}]
// <html data-charts="drawn of all"> and <canvas data-drawn> say what has been drawn.
const data = JSON.parse(document.getElementById("data").textContent);
const DASHES = [[], [7, 4], [2, 3], [9, 3, 2, 3]];
const MOST_LABELS = 40;  // more would cover each other
const INK = "#1b1b1b";

const colour = (index) => data.colours[index % data.colours.length];
const number = (value) => Number(value.toPrecision(5)).toString();
const interval = (raw) =>
  (raw.ci95 === null ? "" : " ± " + number(raw.ci95)) + (raw.n > 1 ? " (n = " + raw.n + ")" : "");
const point = ([x, y, ci95, n, label]) => ({ x, y, ci95, n, label });

function lineDatasets(chart) {
  const means = chart.lines.flatMap((line) => line.points.map((p) => p[1]));
  const floor = chart.log_y ? Math.min(...means) / 2 : -Infinity;  // a logarithm has no place for 0
  // One that is wider than the axis would cover all lines.
  const widest = chart.y_range ? (chart.y_range[1] - chart.y_range[0]) / 2 : Infinity;
  return chart.lines.flatMap((line, group) => {
    const points = line.points.map(point);
    const mean = {
      label: line.label, group, data: points, borderColor: colour(line.colour),
      backgroundColor: colour(line.colour), borderWidth: 2, borderDash: DASHES[line.dash % DASHES.length],
      pointRadius: points.length > 1 ? 0 : 3, pointHitRadius: 8,
    };
    const banded = points.filter((p) => p.ci95 !== null && p.ci95 <= widest);
    if (banded.length === 0) return [mean];
    const edge = (sign, fill) => ({
      label: "", group, isBand: true, fill, borderWidth: 0, pointRadius: 0, pointHitRadius: 0,
      backgroundColor: colour(line.colour) + "2e",
      data: banded.map((p) => ({ x: p.x, y: Math.max(floor, p.y + sign * p.ci95) })),
    });
    return [mean, edge(-1, false), edge(1, "-1")];
  });
}

function scatterDatasets(chart) {
  return [{
    label: "", data: chart.points.map(point), whiskers: true, named: chart.points.length <= MOST_LABELS,
    borderColor: colour(0), backgroundColor: colour(0), pointRadius: 4, pointHoverRadius: 6,
  }];
}

function barDatasets(chart) {
  return chart.series.map((series, i) => ({
    label: series.label, whiskers: true, backgroundColor: colour(i),
    data: series.values.map((y, k) => ({ x: chart.categories[k], y, ci95: series.ci95[k], n: 1 })),
  }));
}

// A free place for a name beside its point: above or below it, to the right or the left.
function place(point, width, area, taken) {
  const boxes = [[7, -14], [7, 4], [-7 - width, -14], [-7 - width, 4]].map(([dx, dy]) => (
    { left: point.x + dx, right: point.x + dx + width, top: point.y + dy, bottom: point.y + dy + 11 }));
  const meets = (a, b) => a.left < b.right && b.left < a.right && a.top < b.bottom && b.top < a.bottom;
  return boxes.find((box) => box.right < area.right && box.left > area.left && !taken.some((t) => meets(box, t)))
    ?? boxes[0];
}

// Half-widths and names, which Chart.js has no element for.
const marks = {
  id: "marks",
  afterDatasetsDraw(chart) {
    const { ctx, scales: { y: axis }, chartArea: area } = chart;
    chart.data.datasets.forEach((dataset, i) => {
      if (!dataset.whiskers || !chart.isDatasetVisible(i)) return;
      ctx.save();
      ctx.strokeStyle = ctx.fillStyle = INK;
      ctx.font = "11px system-ui, sans-serif";
      const taken = [];
      chart.getDatasetMeta(i).data.forEach((element, k) => {
        const raw = dataset.data[k];
        if (raw.y === null) return;
        if (raw.ci95 !== null) {
          ctx.beginPath();
          ctx.moveTo(element.x, axis.getPixelForValue(raw.y - raw.ci95));
          ctx.lineTo(element.x, axis.getPixelForValue(raw.y + raw.ci95));
          ctx.stroke();
        }
        if (!dataset.named || !raw.label) return;
        const box = place(element, ctx.measureText(raw.label).width, area, taken);
        taken.push(box);
        ctx.fillText(raw.label, box.left, box.top + 9);
      });
      ctx.restore();
    });
  },
};

function toggleGroup(event, item, legend) {  // a line goes and comes with its band
  const { chart } = legend;
  const visible = chart.isDatasetVisible(item.datasetIndex);
  const { group } = chart.data.datasets[item.datasetIndex];
  chart.data.datasets.forEach((dataset, i) => {
    if (i === item.datasetIndex || (group !== undefined && dataset.group === group))
      chart.setDatasetVisibility(i, !visible);
  });
  chart.update();
}

function axis(text, isLog) {
  return {
    type: isLog ? "logarithmic" : "linear", title: { display: true, text, color: INK },
    ticks: { color: INK }, grid: { color: "#e6e6e6" },
  };
}

// Room for half-widths and names around a scatter's points, of which Chart.js knows only the middle.
function widen(scale, ranges) {
  const low = Math.min(...ranges.map((range) => range[0])), high = Math.max(...ranges.map((range) => range[1]));
  const isLog = scale.type === "logarithmic";
  const pad = isLog ? 0 : 0.08 * (high - low || Math.abs(high) || 1);
  scale.suggestedMin = isLog ? low / 1.5 : low - pad;
  scale.suggestedMax = isLog ? high * 2 : high + pad;
  if (isLog && low <= 0) delete scale.suggestedMin;
  scale.ticks.maxRotation = 0;
}

// Of its own accord Chart.js ends a logarithmic axis at powers of ten.
function fit(scale, lines) {
  const values = lines.flatMap((line) => line.points.map((p) => [p[1], p[1] + (p[2] ?? 0)]));
  scale.min = Math.min(...values.map((value) => value[0])) / 1.1;
  scale.max = Math.max(...values.map((value) => value[1])) * 1.1;
}

function tooltipLabel(context) {
  const { raw, dataset, chart } = context;
  const name = raw.label || dataset.label;
  const at = chart.config.type === "bar" ? "" : chart.options.scales.x.title.text + " " + number(raw.x) + ", ";
  return (name ? name + ": " : "") + at + number(raw.y) + interval(raw);
}

function configuration(chart) {
  const isBars = chart.kind === "bars";
  const datasets = { lines: lineDatasets, scatter: scatterDatasets, bars: barDatasets }[chart.kind](chart);
  const x = axis(chart.x_label, chart.log_x), y = axis(chart.y_label, chart.log_y);
  if (chart.kind === "lines" && !chart.log_x) x.ticks.precision = 0;  // epochs are whole
  if (chart.y_range) [y.min, y.max] = chart.y_range;
  else if (chart.kind === "lines" && chart.log_y) fit(y, chart.lines);
  if (chart.kind === "scatter") {
    widen(x, chart.points.map((p) => [p[0], p[0]]));
    widen(y, chart.points.map((p) => [p[1] - (p[2] ?? 0), p[1] + (p[2] ?? 0)]));
  }
  const config = {
    type: isBars ? "bar" : chart.kind === "scatter" ? "scatter" : "line",
    data: { datasets },
    plugins: [marks],
    options: {
      animation: false, responsive: true, maintainAspectRatio: false, parsing: isBars ? undefined : false,
      normalized: chart.kind === "lines", interaction: { mode: "nearest", intersect: false },
      scales: { x: isBars ? { ...x, type: "category" } : x, y },
      plugins: {
        legend: {
          display: datasets.some((dataset) => dataset.label !== ""), onClick: toggleGroup,
          labels: { color: INK, boxHeight: 1, boxWidth: 26, filter: (item) => item.text !== "" },
        },
        tooltip: {
          filter: (item) => !item.dataset.isBand,
          callbacks: { title: (items) => (isBars && items.length > 0 ? items[0].label : ""), label: tooltipLabel },
        },
      },
    },
  };
  if (isBars) {
    config.data.labels = chart.categories;
    config.options.plugins.legend.labels.boxHeight = 10;
  }
  return config;
}

let drawn = 0;
const canvases = [...document.querySelectorAll("canvas[data-chart]")];
for (const canvas of canvases) {
  try {
    new Chart(canvas, configuration(data.charts[Number(canvas.dataset.chart)]));
    canvas.dataset.drawn = "true";
    drawn += 1;
  } catch (error) {
    canvas.parentElement.replaceChildren("This chart can't be drawn: " + error.message);
    console.error(error);
  }
}
document.documentElement.dataset.charts = drawn + " of " + canvases.length;
addEventListener("beforeprint", () => Object.values(Chart.instances).forEach((chart) => chart.resize()));
