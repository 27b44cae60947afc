// Reads the pictures of an evidence: a line that moves over them, and what the numbers are there.
// The numbers stand in tables on the page as well, so that nothing is lost without this. Its words
// are attributes of the figures, in the language of the page.
(() => {
  const kept = document.getElementById("numbers");
  if (!kept) return;
  const { curves, scores } = JSON.parse(kept.textContent);
  const SVG = "http://www.w3.org/2000/svg";
  const LOWEST = 1e-3; // where the axes of the curves begin
  const STEPS = 400; // of the slider over the histograms
  const UNIT = 1 / 0.9; // width of the linear part of a symlog axis, in decades (matplotlib's)
  const colours = ["#0072B2", "#D55E00"];
  const words = (document.querySelector(".figures") || document.body).dataset;
  const told = (name, values = {}) =>
    (words[name] || "").replace(/\{(\w+)\}/g, (whole, key) => (key in values ? values[key] : whole));
  const per = (rate) => `${(100 * rate).toPrecision(rate < 0.1 ? 2 : 3).replace(/\.0+$/, "")} %`;

  const node = (name, facts) => {
    const made = document.createElementNS(SVG, name);
    for (const [key, value] of Object.entries(facts)) made.setAttribute(key, value);
    return made;
  };

  // The rectangles of the axes, in the units of the picture; matplotlib draws each first of all.
  const frames = async (address) => {
    const answer = await fetch(address).catch(() => null);
    if (!answer || !answer.ok) return null;
    // Read as text: a parsed document would have its styles refused by the policy of the page.
    const [head, ...parts] = (await answer.text()).split('id="axes_');
    const box = (head.match(/viewBox="([^"]+)"/) || [])[1];
    const found = [];
    for (const part of parts) {
      const path = (part.match(/<path d="([^"]+)"/) || [])[1];
      if (!path) return null;
      const numbers = path.match(/-?\d+(\.\d+)?/g).map(Number);
      const across = numbers.filter((_, at) => at % 2 === 0), down = numbers.filter((_, at) => at % 2);
      const left = Math.min(...across), top = Math.min(...down);
      found.push({ left, top, wide: Math.max(...across) - left, high: Math.max(...down) - top });
    }
    return box && found.length ? { box, found } : null;
  };

  // A slider below a picture, a sentence, and lines on the picture where its axes were found.
  const reader = async (figure, { label, value, last, first, say, marks, at }) => {
    const link = figure.querySelector("a"), picture = figure.querySelector("img");
    const slider = document.createElement("input"), said = document.createElement("output");
    const name = document.createElement("label"), box = document.createElement("div");
    box.className = "reading";
    slider.type = "range";
    slider.min = 0;
    slider.max = last;
    slider.value = first;
    slider.id = `${figure.dataset.reads}-at`;
    said.htmlFor = slider.id;
    name.htmlFor = slider.id;
    name.textContent = label;
    box.append(name, slider, said);
    link.after(box);
    const layer = node("svg", { class: "marks", "aria-hidden": "true" });
    let axes = null;
    const show = () => {
      said.textContent = say(Number(slider.value));
      slider.setAttribute("aria-valuetext", value(Number(slider.value)));
      if (axes) layer.replaceChildren(...marks(Number(slider.value), axes.found));
    };
    slider.addEventListener("input", show);
    show();
    axes = await frames(picture.src);
    if (!axes) return;
    layer.setAttribute("viewBox", axes.box);
    link.append(layer);
    const wide = Number(axes.box.split(" ")[2]);
    link.addEventListener("pointermove", (event) => {
      const drawn = layer.getBoundingClientRect();
      const x = ((event.clientX - drawn.left) / drawn.width) * wide;
      const { left, wide: width } = axes.found[0];
      slider.value = at(Math.min(1, Math.max(0, (x - left) / width)));
      show();
    });
    show();
  };

  const upright = ({ top, high }, x) =>
    node("line", { x1: x, x2: x, y1: top, y2: top + high, stroke: "#1b1d1f", "stroke-width": 0.8 });

  // The curves: at each false positive rate that was kept, both rates with their bands.
  const stages = ["before", "leak"];
  const place = (rate) => Math.max(0, 1 - Math.log10(Math.max(rate, LOWEST)) / Math.log10(LOWEST));
  const onCurves = (figure) => {
    const { rates, negatives } = curves;
    const one = (stage, at) => {
      const { tpr, low, high } = curves[stage];
      if (tpr[at] === null) return told("none");
      return told("band", { rate: per(tpr[at]), low: per(low[at]), high: per(high[at]) });
    };
    const few = (at) => (rates[at] < 3 / negatives ? ` ${told("few")}` : "");
    reader(figure, {
      label: told("rate"),
      last: rates.length - 1,
      first: rates.findIndex((rate) => rate >= Math.min(1, 3 / negatives)),
      value: (at) => per(rates[at]),
      say: (at) =>
        `${told("at", { rate: per(rates[at]) })} ${stages
          .map((stage) => `${told(stage)}: ${one(stage, at)}.`)
          .join(" ")}${few(at)}`,
      marks: (at, [box]) => {
        const x = box.left + place(rates[at]) * box.wide;
        const dots = stages.flatMap((stage, number) => {
          const rate = curves[stage].tpr[at];
          if (rate === null) return [];
          const y = box.top + (1 - place(rate)) * box.high;
          return [node("circle", { cx: x, cy: y, r: 3.2, fill: colours[number], stroke: "#fff" })];
        });
        return [upright(box, x), ...dots];
      },
      at: (share) => Math.round(share * (rates.length - 1)),
    });
  };

  // The histograms: a threshold, and how many models of each arm lie above it.
  const onScores = (figure) => {
    const every = Object.values(scores).flatMap((arms) => Object.values(arms).flat());
    const end = Math.expm1(Math.max(Math.log1p(Math.max(...every.map(Math.abs))), 1));
    const moved = (value) =>
      Math.abs(value) <= 1 ? value * UNIT : Math.sign(value) * (UNIT + Math.log10(Math.abs(value)));
    const back = (at) =>
      Math.abs(at) <= UNIT ? at / UNIT : Math.sign(at) * 10 ** (Math.abs(at) - UNIT);
    const far = moved(end);
    const threshold = (at) => back(((2 * at) / STEPS - 1) * far);
    const shown = (at) => String(Number(threshold(at).toPrecision(3)));
    const share = (values, cut) => {
      const above = values.filter((value) => value > cut).length;
      return told("share", { rate: per(above / values.length), above, all: values.length });
    };
    reader(figure, {
      label: told("threshold"),
      last: STEPS,
      first: STEPS / 2,
      value: shown,
      say: (at) =>
        `${told("cut", { cut: shown(at) })} ${stages
          .map((stage) => {
            const { in: learned, out: never } = scores[stage];
            return told("shares", {
              stage: told(stage),
              learned: share(learned, threshold(at)),
              never: share(never, threshold(at)),
            });
          })
          .join(" ")}`,
      marks: (at, boxes) => boxes.map((box) => upright(box, box.left + (at / STEPS) * box.wide)),
      at: (share) => Math.round(share * STEPS),
    });
  };

  const found = (name) => document.querySelector(`figure[data-reads="${name}"]`);
  if (curves && found("roc")) onCurves(found("roc"));
  if (scores && found("histograms")) onScores(found("histograms"));
})();
