"use strict";
// Draws every chart of the page from the JSON block "figures".
const figures = JSON.parse(document.getElementById("figures").textContent);
const boxes = Array.from(document.querySelectorAll("[data-figure]"));

function narrowed(layout, width) {
  if (width >= 560) return layout;
  const small = structuredClone(layout);
  small.font = Object.assign({}, small.font, {size: 10});
  small.legend = Object.assign({}, small.legend, {orientation: "h", x: 0, y: -0.2, xanchor: "left", yanchor: "top"});
  small.margin = Object.assign({}, small.margin, {l: 40, r: 10});
  return small;
}

for (const box of boxes) {
  const figure = figures[Number(box.dataset.figure)];
  Plotly.newPlot(box, figure.data, narrowed(figure.layout, box.clientWidth), {
    displayModeBar: false,
    responsive: true,
  });
}
window.addEventListener("beforeprint", () => boxes.forEach((box) => Plotly.Plots.resize(box)));
window.addEventListener("afterprint", () => boxes.forEach((box) => Plotly.Plots.resize(box)));
