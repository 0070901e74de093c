// Draws each chart of a page from the figures that stand in it, in the page's own colours. The table below says the same.
"use strict";

function colour(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

function series(one) {
  const shade = colour(`--series-${one.colour}`);
  const drawn = { label: one.label, stroke: shade, points: { show: false } };
  return one.kind === "bars" ? { ...drawn, fill: shade, width: 0, paths: uPlot.paths.bars({ size: [0.7, 24] }) } : { ...drawn, width: 2 };
}

function axis(values) {
  const line = { stroke: colour("--line"), width: 1 };
  return { stroke: colour("--soft"), grid: line, ticks: line, font: "12px system-ui", ...values };
}

function formats(figures) {
  const language = document.documentElement.lang;
  const money = figures.currency && { style: "currency", currency: figures.currency };
  const number = new Intl.NumberFormat(language, { notation: "compact", ...money });
  const day = new Intl.DateTimeFormat(language, { day: "numeric", month: "short", timeZone: "UTC" });
  return { number: (value) => number.format(value), day: (seconds) => day.format(new Date(seconds * 1000)) };
}

function draw(place) {
  const figures = JSON.parse(place.dataset.figures);
  const { number, day } = formats(figures);
  const options = {
    width: place.clientWidth,
    height: 240,
    legend: { show: false },
    cursor: { show: false },
    scales: { x: { time: true }, y: { range: (_, low, high) => [Math.min(0, low), high > 0 ? high * 1.05 : low < 0 ? 0 : 1] } },
    tzDate: (seconds) => new Date(new Date(seconds * 1000).toLocaleString("en-US", { timeZone: "UTC" })),
    series: [{}, ...figures.series.map(series)],
    axes: [axis({ size: 36, values: (_, marks) => marks.map(day) }), axis({ size: 60, values: (_, marks) => marks.map(number) })],
  };
  const days = figures.days.map((text) => Date.parse(text) / 1000);
  place.replaceChildren();
  return new uPlot(options, [days, ...figures.series.map((one) => one.values)], place);
}

for (const place of document.querySelectorAll(".chart .plot")) {
  let drawn = draw(place);
  const again = () => { drawn.destroy(); drawn = draw(place); };
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", again);
  new ResizeObserver(() => drawn.setSize({ width: place.clientWidth, height: 240 })).observe(place);
}
