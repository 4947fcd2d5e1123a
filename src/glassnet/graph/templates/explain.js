"use strict";
{
  const root = document.documentElement;
  const find = (id) => document.getElementById(id);
  const levels = [...document.querySelectorAll("section.level")].map((section) => ({
    section,
    key: section.dataset.level,
    steps: [...section.querySelectorAll(".step")],
    timed: [...section.querySelectorAll("[data-time]")],
    shapes: [...section.querySelectorAll(".shape[data-node]")],
    lines: [...section.querySelectorAll(".stroke[data-nodes]")],
    cards: [...section.querySelectorAll(".card")],
    graph: section.querySelector(".graph"),
    time: 0,
  }));
  let level = levels.find((one) => "chosen" in one.section.dataset);
  let playing = 0;
  const texts = { play: find("play").textContent, name: find("play").ariaLabel, count: find("count").dataset.text, ...find("play").dataset };

  const words = (element) => element.dataset.nodes.split(" ");

  function show(time) {
    const last = level.steps.length - 1;
    level.time = Math.max(0, Math.min(last, time));
    level.section.querySelector(".steps").setAttribute("aria-live", "polite");
    level.steps.forEach((step, index) => { step.hidden = index !== level.time; });
    level.timed.forEach((element) => { element.classList.toggle("later", Number(element.dataset.time) > level.time); });
    const step = level.steps[level.time];
    const lit = new Set(words(step));
    const picture = level.section.querySelector("svg");
    picture.classList.toggle("backward", step.classList.contains("backward"));
    picture.classList.toggle("forward", step.classList.contains("forward"));
    level.shapes.forEach((shape) => { shape.classList.toggle("active", lit.has(shape.dataset.node)); });
    level.lines.forEach((line) => { line.classList.toggle("active", lit.has(words(line)[1])); });
    if (level.time) zooming.read(level.graph);
    reveal(level.shapes.find((shape) => shape.classList.contains("active")));
    find("scrub").max = last;
    find("scrub").value = level.time;
    find("count").textContent = texts.count.replace("##", last).replace("#", level.time);
    if (level.time === last) pause();
  }

  function reveal(shape) {
    const box = level.graph;
    if (!shape || (box.scrollWidth <= box.clientWidth && box.scrollHeight <= box.clientHeight)) return;
    const outer = box.getBoundingClientRect();
    const inner = shape.getBoundingClientRect();
    box.scrollLeft += inner.left + inner.width / 2 - outer.left - outer.width / 2;
    box.scrollTop += inner.top + inner.height / 2 - outer.top - outer.height / 2;
  }

  function choose(shape) {
    level.shapes.forEach((other) => { other.classList.toggle("chosen", other === shape); });
    level.cards.forEach((card) => { card.hidden = card.dataset.card !== shape.dataset.node; });
    level.section.querySelector(".hint").hidden = true;
  }

  function pause() {
    clearInterval(playing);
    playing = 0;
    find("play").textContent = texts.play;
    find("play").ariaLabel = texts.name;
  }

  function play() {
    if (playing) { pause(); return; }
    if (level.time === level.steps.length - 1) show(0);
    find("play").textContent = texts.pauseButton;
    find("play").ariaLabel = texts.pause;
    playing = setInterval(() => show(level.time + 1), 1100);
  }

  function turn(key) {
    pause();
    level = levels.find((one) => one.key === key);
    levels.forEach((one) => { one.section.hidden = one !== level; });
    document.querySelectorAll("button[data-level]").forEach((button) => {
      button.setAttribute("aria-pressed", String(button.dataset.level === key));
    });
    zooming.begin(level.graph);
    show(level.time);
    if (live) live.turn(level.section);
  }

  const moves = {
    first: () => show(0),
    back: () => { pause(); show(level.time - 1); },
    play,
    next: () => { pause(); show(level.time + 1); },
    last: () => show(level.steps.length - 1),
  };
  const sizes = {
    closer: () => zooming.change(level.graph, 1.25),
    farther: () => zooming.change(level.graph, 0.8),
    fit: () => zooming.fit(level.graph),
  };
  const keys = { Home: "first", ArrowLeft: "back", " ": "play", ArrowRight: "next", End: "last", "+": "closer", "-": "farther", 0: "fit" };

  Object.entries(moves).forEach(([id, move]) => find(id).addEventListener("click", move));
  find("scrub").addEventListener("input", (event) => { pause(); show(Number(event.target.value)); });
  document.querySelectorAll("button[data-level]").forEach((button) => {
    button.addEventListener("click", () => turn(button.dataset.level));
  });
  levels.forEach((one) => zooming.watch(one.graph));
  levels.forEach((one) => one.shapes.forEach((shape) => {
    shape.addEventListener("click", () => choose(shape));
    shape.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" && event.key !== " ") return;
      event.preventDefault();
      event.stopPropagation();
      choose(shape);
    });
  }));
  document.addEventListener("keydown", (event) => {
    const busy = event.target.closest("input, select, summary") || (event.key === " " && event.target.closest("button"));
    if (busy || event.ctrlKey || event.altKey || event.metaKey) return;
    if (!(event.key in keys || (event.shiftKey && event.key.startsWith("Arrow")))) return;
    event.preventDefault();
    if (event.shiftKey && event.key.startsWith("Arrow")) zooming.pan(level.graph, event.key);
    else (moves[keys[event.key]] || sizes[keys[event.key]])();
  });
  find("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
  document.querySelectorAll(".save button").forEach((button) => {
    button.addEventListener("click", () => saving(level.section.querySelector("svg"), `graph-${level.key}`, button.dataset.kind));
  });
  document.querySelectorAll("button[data-zoom]").forEach((button) => button.addEventListener("click", sizes[button.dataset.zoom]));
  const bar = document.querySelector(".bar");
  new ResizeObserver(() => root.style.setProperty("--bar", `${bar.offsetHeight}px`)).observe(bar);
  addEventListener("beforeprint", () => { pause(); if (live) live.halt(); });

  turn(level.key);
  root.classList.remove("loading");
}
