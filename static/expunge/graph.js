// Draws the graph of lineage at the positions that the server gives, and asks it for more. Without
// it the server's picture, the links of the table and the form do the same.
(() => {
  if (!window.cytoscape || !document.getElementById("drawn")) return;
  const calm = matchMedia("(prefers-reduced-motion: reduce)").matches;
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let drawing = null;

  const colours = () => {
    const page = getComputedStyle(document.documentElement);
    return (name) => page.getPropertyValue(`--${name}`).trim();
  };

  const looks = (box) => {
    const colour = colours();
    const font = getComputedStyle(document.body).fontFamily;
    return [
      { selector: "node", style: {
        shape: "round-rectangle", width: box.width, height: box.height, label: "data(label)",
        "text-wrap": "wrap", "text-valign": "center", "text-halign": "center", "text-justification": "center",
        "text-max-width": box.width - 16, "font-family": font, "font-size": 13, "line-height": 1.3,
        color: colour("ink"), "background-color": colour("sheet"), "border-width": 1.25, "border-color": colour("edge"),
      } },
      { selector: ".data", style: { "background-color": colour("sunk") } },
      { selector: ".many", style: { "border-style": "double", "border-width": 4 } },
      { selector: ".touched", style: { "background-color": colour("accent-soft"), "border-color": colour("accent") } },
      { selector: ".unknown", style: { "background-color": colour("care-soft"), "border-color": colour("care"), "border-style": "dashed", "border-width": 2 } },
      { selector: ".gone", style: { color: colour("faint"), "border-style": "dotted" } },
      { selector: "edge", style: {
        width: 1.5, "line-color": colour("edge"), "target-arrow-color": colour("edge"), "target-arrow-shape": "triangle",
        "arrow-scale": 0.8, "curve-style": "bezier", "source-endpoint": "90deg", "target-endpoint": "270deg",
      } },
      { selector: "edge[weights]", style: {
        "curve-style": "segments", "segment-weights": "data(weights)", "segment-distances": "data(distances)", "edge-distances": "endpoints",
      } },
      { selector: ".indirect", style: { "line-style": "dashed" } },
      { selector: ".followed", style: { "line-style": "dotted" } },
      { selector: "node.way", style: { "border-color": colour("accent"), "border-width": 4 } },
      { selector: "edge.way", style: { width: 3.5, "line-color": colour("accent"), "target-arrow-color": colour("accent") } },
      { selector: ".far", style: { opacity: 0.25 } },
      { selector: ".here", style: { "overlay-color": colour("accent"), "overlay-opacity": 0.2, "overlay-padding": 6 } },
    ];
  };

  // Where an edge passes, as parts of its length and distances from the straight line.
  const bent = (edge, places, box) => {
    const { points } = edge.data;
    if (!points.length) return edge;
    const from = places.get(edge.data.source);
    const to = places.get(edge.data.target);
    const start = [from.x + box.width / 2, from.y];
    const along = [to.x - box.width / 2 - start[0], to.y - start[1]];
    const length = Math.hypot(...along);
    const off = points.map(([x, y]) => [x - start[0], y - start[1]]);
    edge.data.weights = off.map(([x, y]) => (x * along[0] + y * along[1]) / length ** 2);
    edge.data.distances = off.map(([x, y]) => (y * along[0] - x * along[1]) / length);
    return edge;
  };

  const row = (name) => document.querySelector(`tr[data-node="${CSS.escape(name)}"]`);

  const choose = (node) => {
    drawing.elements().removeClass("here far");
    document.querySelectorAll("tr.current").forEach((one) => one.classList.remove("current"));
    if (!node || node.empty()) return;
    const kin = node.predecessors().union(node.successors()).union(node);
    drawing.elements().not(kin).addClass("far");
    node.addClass("here");
    const said = row(node.id());
    if (said) said.classList.add("current");
    document.querySelector(".told").textContent = node.data("whole");
  };

  const button = (words, act) => {
    const made = document.createElement("button");
    made.type = "button";
    made.className = "second";
    made.textContent = words;
    made.addEventListener("click", act);
    return made;
  };

  const zoom = (times) => drawing.zoom({
    level: drawing.zoom() * times, renderedPosition: { x: drawing.width() / 2, y: drawing.height() / 2 },
  });

  // All of it where that is at least `least` of its size, else the centre, with the rest beside it.
  const fit = (least) => {
    drawing.fit(undefined, 12);
    if (drawing.zoom() < least) {
      drawing.zoom(0.7);
      drawing.center(drawing.$(".way").union(drawing.$("[?centre]")));
    }
    if (drawing.zoom() > 1.1) { drawing.zoom(1.1); drawing.center(); }
  };
  const whole = () => fit(0.3); // smaller, the boxes are specks
  const readable = () => fit(0.7);

  const draw = async () => {
    const part = document.getElementById("drawn");
    const paper = part.querySelector(".paper");
    if (!paper) return;
    const answer = await fetch(part.dataset.json);
    if (!answer.ok) return;
    const { nodes, edges, box } = await answer.json();
    if (drawing) drawing.destroy();
    part.querySelectorAll(".canvas, .look-closer").forEach((old) => old.remove());
    const canvas = document.createElement("div");
    canvas.className = "canvas";
    canvas.setAttribute("aria-hidden", "true");
    const tools = document.createElement("div");
    tools.className = "look-closer";
    const said = document.createElement("p");
    said.className = "told small faint";
    said.setAttribute("role", "status");
    const { hint, closer, further, centre } = part.dataset;
    said.textContent = hint;
    tools.append(button(closer, () => zoom(1.25)), button(further, () => zoom(0.8)), button(centre, readable), said);
    // As high as the picture, within what fits on a screen.
    const height = Math.max(...nodes.map((node) => node.position.y)) + box.height;
    canvas.style.blockSize = `${Math.min(38, Math.max(14, height / 16 + 2))}rem`;
    paper.before(canvas);
    paper.after(tools);
    paper.hidden = true;
    const places = new Map(nodes.map((node) => [node.data.id, node.position]));
    drawing = window.cytoscape({
      container: canvas, style: looks(box), layout: { name: "preset" }, autoungrabify: true, minZoom: 0.03, maxZoom: 3,
      elements: { nodes, edges: edges.map((edge) => bent(edge, places, box)) },
    });
    drawing.userZoomingEnabled(false); // the wheel scrolls the page, and buttons zoom
    whole();
    drawing.on("tap", (event) => {
      if (event.target === drawing || event.target.isEdge()) return choose(null);
      const opens = event.target.data("opens");
      if (!opens) return choose(event.target);
      const link = row(event.target.id()) && row(event.target.id()).querySelector("a[href*='open=']");
      if (link) go(link.href);
    });
    part.dataset.ready = String(nodes.length);
  };

  // The days as a slider, beside the field that works without it.
  const slide = () => {
    const field = document.getElementById("on");
    if (!field || !field.dataset.since || field.max <= field.dataset.since) return;
    const day = 86400000;
    const label = document.createElement("label");
    label.htmlFor = "slider";
    label.textContent = document.getElementById("drawn").dataset.throughTime;
    const range = document.createElement("input");
    const first = Date.parse(field.dataset.since);
    range.type = "range";
    range.id = "slider";
    range.min = "0";
    range.max = String(Math.round((Date.parse(field.max) - first) / day));
    range.value = field.value ? String(Math.round((Date.parse(field.value) - first) / day)) : range.max;
    const date = () => new Date(first + Number(range.value) * day).toISOString().slice(0, 10);
    range.setAttribute("aria-valuetext", date());
    range.addEventListener("input", () => {
      field.value = range.value === range.max ? "" : date();
      range.setAttribute("aria-valuetext", date());
    });
    range.addEventListener("change", () => {
      const values = new URLSearchParams(new FormData(field.form));
      for (const name of [...values.keys()]) if (!values.get(name)) values.delete(name);
      go(`${location.pathname}?${values}`, "slider");
    });
    const box = document.createElement("div");
    box.append(label, range);
    field.parentElement.after(box);
  };

  const show = async (address, focus) => {
    const answer = await fetch(address).catch(() => null);
    if (!answer || !answer.ok) { location.assign(address); return false; }
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("drawn");
    if (!fresh) { location.assign(address); return false; }
    const since = document.getElementById("on").dataset.since;
    document.getElementById("drawn").replaceWith(document.adoptNode(fresh));
    document.title = page.title;
    const field = document.getElementById("on");
    if (since && (!field.dataset.since || since < field.dataset.since)) field.dataset.since = since;
    slide();
    await draw();
    const target = focus && document.getElementById(focus);
    if (target) target.focus();
    return true;
  };

  const go = async (address, focus) => {
    if (await show(address, focus)) history.pushState(null, "", address);
  };

  document.addEventListener("click", (event) => {
    const link = event.target.closest("#drawn a");
    if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    if (link.pathname !== location.pathname || link.hash) return;
    event.preventDefault();
    go(link.href, "table");
  });
  document.addEventListener("focusin", (event) => {
    const said = event.target.closest("tr[data-node]");
    if (!said || !drawing) return;
    const node = drawing.getElementById(said.dataset.node);
    choose(node);
    if (node.empty()) return;
    if (calm) drawing.center(node); else drawing.animate({ center: { eles: node }, duration: 150 });
  });
  addEventListener("popstate", () => show(location.href));
  dark.addEventListener("change", () => draw());
  slide();
  draw();
})();
