"use strict";
// Draws every chart of the page from the JSON block "figures".
const NARROW = 560;
const ROOMY = 640;
const PAPER = 680;
const config = {displayModeBar: false, responsive: true};
const figures = JSON.parse(document.getElementById("figures").textContent);
const boxes = Array.from(document.querySelectorAll("[data-figure]"));

function fitted(layout, width) {
  if (width >= NARROW) return layout;
  const small = structuredClone(layout);
  small.font = Object.assign({}, small.font, {size: 10});
  for (const title of [small.title, small.title && small.title.subtitle]) {
    if (title && title.text) {
      const fits = (width - 12) / (0.55 * title.text.length);
      title.font = Object.assign({}, title.font, {size: Math.max(8, Math.min(13, fits))});
    }
  }
  return small;
}

async function draw(box) {
  const figure = figures[Number(box.dataset.figure)];
  const width = box.clientWidth;
  await Plotly.newPlot(box, figure.data, fitted(figure.layout, width), config);
  // labels or bands that leave no room for the numbers get a wider chart that scrolls by itself
  const flows = figure.data.some((trace) => trace.type === "sankey");
  if (width < NARROW && (flows || box._fullLayout._size.w < width / 2)) {
    box.parentElement.tabIndex = 0;
    box.style.width = ROOMY + "px";
    await Plotly.newPlot(box, figure.data, figure.layout, config);
  }
}

boxes.reduce((before, box) => before.then(() => draw(box)), Promise.resolve());
// a sheet of paper is as wide as it is: charts take its width while they are printed
window.addEventListener("beforeprint", () => {
  for (const box of boxes) Plotly.relayout(box, {autosize: false, width: PAPER});
});
window.addEventListener("afterprint", () => {
  for (const box of boxes) Plotly.relayout(box, {autosize: true, width: null});
});
