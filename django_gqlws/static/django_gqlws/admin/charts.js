// Draws the series of the overview as SVG. The numbers and all words come from the page.

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 480;
const HEIGHT = 150;
const PLOT = { left: 48, right: 474, top: 8, bottom: 130 };
const LINES = 4;

const language = document.documentElement.lang || undefined;
const numbers = new Intl.NumberFormat(language, { maximumSignificantDigits: 3 });
const whole = new Intl.NumberFormat(language, { maximumFractionDigits: 0 });
const clock = new Intl.DateTimeFormat(language, { timeStyle: "medium" });

class Chart {
  constructor(figure) {
    this.words = figure.dataset;
    this.output = figure.querySelector("output");
    this.svg = figure.querySelector("svg");
    this.svg.setAttribute("viewBox", `0 0 ${WIDTH} ${HEIGHT}`);
    this.svg.addEventListener("pointermove", (event) => this.point(this.nearest(event)));
    this.svg.addEventListener("pointerleave", () => this.point(null));
    this.svg.addEventListener("keydown", (event) => this.step(event));
    this.svg.addEventListener("blur", () => this.point(null));
  }

  // `times` are seconds; a value that is not known is null.
  draw({ times, series, from, to }) {
    this.times = times;
    this.values = series[this.words.series];
    const known = this.values.filter((value) => value !== null);
    const top = roof(Math.max(...known, 0));
    this.x = (time) => PLOT.left + ((PLOT.right - PLOT.left) * (time - from)) / (to - from);
    this.y = (value) => PLOT.bottom - ((PLOT.bottom - PLOT.top) * value) / top;
    this.svg.replaceChildren(...this.grid(top), ...this.labels((to - from) / 60), ...this.curves());
    this.svg.setAttribute("aria-label", this.summary(known));
    this.point(this.pointed ?? null);
  }

  grid(top) {
    return Array.from({ length: LINES + 1 }, (_, line) => (top * line) / LINES).flatMap((value) => [
      shape("line", { x1: PLOT.left, x2: PLOT.right, y1: this.y(value), y2: this.y(value), class: "grid" }),
      shape("text", { x: PLOT.left - 6, y: this.y(value) + 4, class: "end" }, numbers.format(value)),
    ]);
  }

  labels(minutes) {
    const y = HEIGHT - 4;
    return [
      shape("text", { x: PLOT.left, y }, fill(this.words.ago, { minutes: numbers.format(minutes) })),
      shape("text", { x: PLOT.right, y, class: "end" }, this.words.now),
    ];
  }

  curves() {
    return this.stretches().flatMap((points) => {
      const line = points.map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join("L");
      const [first, last] = [points[0][0].toFixed(1), points.at(-1)[0].toFixed(1)];
      if (points.length === 1) return [shape("circle", { cx: first, cy: points[0][1], r: 2, class: "dot" })];
      return [
        shape("path", { d: `M${first},${PLOT.bottom}L${line}L${last},${PLOT.bottom}Z`, class: "area" }),
        shape("path", { d: `M${line}`, class: "line" }),
      ];
    });
  }

  // Where nothing is known there is a gap.
  stretches() {
    const found = [[]];
    this.values.forEach((value, place) => {
      if (value === null) found.push([]);
      else found.at(-1).push([this.x(this.times[place]), this.y(value)]);
    });
    return found.filter((points) => points.length);
  }

  summary(known) {
    if (!known.length) return this.words.empty;
    const [now, least, most] = [known.at(-1), Math.min(...known), Math.max(...known)].map((value) => this.text(value));
    return fill(this.words.summary, { now, least, most });
  }

  text(value) {
    if (value == null) return "–";
    const text = this.words.unit && value < 100 ? numbers.format(value) : whole.format(value);
    return `${text} ${this.words.unit}`.trim();
  }

  // Shows the value of a moment that somebody points at; otherwise the last one.
  point(place) {
    this.pointed = place;
    this.svg.querySelector(".pointer")?.remove();
    const time = this.times[place];
    if (time === undefined) {
      this.output.textContent = this.text(this.values.at(-1));
      return;
    }
    this.output.textContent = `${this.text(this.values[place])} · ${clock.format(time * 1000)}`;
    const x = this.x(time);
    this.svg.append(shape("line", { x1: x, x2: x, y1: PLOT.top, y2: PLOT.bottom, class: "pointer" }));
  }

  nearest(event) {
    const box = this.svg.getBoundingClientRect();
    const x = ((event.clientX - box.left) / box.width) * WIDTH;
    const distances = this.times.map((time) => Math.abs(this.x(time) - x));
    return distances.length ? distances.indexOf(Math.min(...distances)) : null;
  }

  step(event) {
    const by = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (!by || !this.times.length) return;
    event.preventDefault();
    const last = this.times.length - 1;
    this.point(Math.min(Math.max((this.pointed ?? last) + by, 0), last));
  }
}

// The least round number that is not below a value.
function roof(value) {
  if (value <= LINES) return LINES;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 4, 6, 8, 10].map((step) => step * power).find((step) => step >= value);
}

function fill(text, words) {
  return text.replace(/\{(\w+)\}/g, (_, name) => words[name]);
}

function shape(name, attributes, text = "") {
  const made = document.createElementNS(SVG, name);
  Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
  made.textContent = text;
  return made;
}

const charts = Array.from(document.querySelectorAll(".gqlws-chart"), (figure) => new Chart(figure));

function drawAll(page) {
  const data = JSON.parse(page.getElementById("gqlws-series").textContent);
  charts.forEach((chart) => chart.draw(data));
}

document.addEventListener("gqlws:refresh", ({ detail: fresh }) => drawAll(fresh));
drawAll(document);
