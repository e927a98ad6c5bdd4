"use strict";
// Draws every chart of the page. plotly.js and the figures lie in the page as compressed text.
const NARROW = 560;
const ROOMY = {chart: 640, flows: 960};
const PAPER = {width: 680, height: 620, scale: 0.85, flows: 0.7};
const config = {displayModeBar: false, responsive: true};
const boxes = Array.from(document.querySelectorAll("[data-figure]"));
const night = window.matchMedia("(prefers-color-scheme: dark)");
let figures = [];
let templates = {};
let onDark = {};
let paper = false;

function unpacked(id) {
  const packed = atob(document.getElementById(id).textContent);
  const bytes = Uint8Array.from(packed, (character) => character.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
}

function recolored(part, key) {
  if (Array.isArray(part)) return part.map((value) => recolored(value, key));
  if (part && typeof part === "object") {
    return Object.fromEntries(Object.entries(part).map(([name, value]) => [name, recolored(value, name)]));
  }
  return typeof part === "string" && /(color|colorscale|colorway)$/.test(key) ? onDark[part] || part : part;
}

function themed(figure) {
  const dark = night.matches && !paper;
  const {data, layout} = dark ? recolored(figure, "") : structuredClone(figure);
  layout.template = dark ? templates.dark : templates.light;
  return {data, layout};
}

function fitted(layout, width) {
  if (width >= NARROW) return layout;
  layout.font = Object.assign({}, layout.font, {size: 10});
  for (const note of layout.annotations || []) note.font = Object.assign({}, note.font, {size: 10});
  for (const title of [layout.title, layout.title && layout.title.subtitle]) {
    if (title && title.text) {
      const longest = Math.max(...title.text.split("<br>").map((line) => line.length));
      const fits = (width - 12) / (0.55 * longest);
      title.font = Object.assign({}, title.font, {size: Math.max(8, Math.min(13, fits))});
    }
  }
  return layout;
}

async function draw(box) {
  const figure = figures[Number(box.dataset.figure)];
  const {data, layout} = themed(figure);
  const flows = data.some((trace) => trace.type === "sankey");
  if (paper) {
    // as small as the text around it; a chart higher than a page has room for smaller still, as a whole
    const scale = Math.min(flows ? PAPER.flows : PAPER.scale, PAPER.height / layout.height);
    Object.assign(box.style, {width: "", height: layout.height + "px", zoom: scale});
    return Plotly.react(box, data, Object.assign(layout, {autosize: false, width: PAPER.width / scale}), config);
  }
  box.style.zoom = "";
  box.style.height = figure.layout.height + "px";
  const width = box.parentElement.clientWidth;
  const roomy = box.style.width !== "";
  await Plotly.react(box, data, roomy ? layout : fitted(layout, width), config);
  // labels or bands that leave no room for the numbers get a wider chart that scrolls by itself
  if (!roomy && width < NARROW && (flows || box._fullLayout._size.w < width / 2)) {
    box.parentElement.tabIndex = 0;
    box.style.width = (flows ? ROOMY.flows : ROOMY.chart) + "px";
    const wide = themed(figure);
    await Plotly.react(box, wide.data, wide.layout, config);
  }
}

async function drawAll() {
  for (const box of boxes) {
    await draw(box);
    await new Promise((done) => setTimeout(done));
  }
  document.documentElement.dataset.charts = "drawn";
}

async function start() {
  const script = document.createElement("script");
  script.textContent = await unpacked("plotly");
  document.head.append(script);
  ({figures, templates, onDark} = JSON.parse(await unpacked("figures")));
  await drawAll();
}

// a sheet of paper is white, and as wide as it is
function onPaper() {
  if (paper) return Promise.resolve();
  paper = true;
  return Promise.all(boxes.map(draw));
}

const charts = {ready: start(), onPaper};
charts.ready.catch(() => {
  document.getElementById("undrawn").hidden = false;
});
night.addEventListener("change", () => charts.ready.then(drawAll));
window.addEventListener("beforeprint", onPaper);
window.addEventListener("afterprint", () => {
  paper = false;
  drawAll();
});
