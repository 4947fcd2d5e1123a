"use strict";
{
  const root = document.documentElement;

  function element(name, kind, parent) {
    const made = document.createElement(name);
    made.className = kind;
    parent.append(made);
    return made;
  }

  /* A chart that is pointed at says its numbers: all curves at one x, or the nearest of scattered points. */
  function follow(figure) {
    const plot = figure.querySelector(".plot");
    const scattered = !figure.classList.contains("curves");
    const { x: name, curves } = JSON.parse(figure.querySelector("script").textContent);
    const groups = [...plot.querySelectorAll("g[data-curve]")];
    const shown = () => curves.map((curve, index) => ({ ...curve, index })).filter(({ index }) => !groups[index].hasAttribute("hidden"));
    const places = [...new Set(curves.flatMap((curve) => curve.points.map((point) => point[0])))].sort((a, b) => a - b);
    const byPlace = curves.map((curve) => new Map(curve.points.map((point) => [point[0], point])));
    const still = plot.getAttribute("aria-label");
    let at = -1;

    function clear() {
      at = -1;
      plot.querySelectorAll(".rule, .dot, .tip").forEach((mark) => mark.remove());
    }

    const colour = (index) => `--own: ${getComputedStyle(groups[index]).getPropertyValue("--own")}`;

    function mark(x, y, index) {
      const dot = element("i", "dot", plot);
      dot.style.cssText = `left: ${x / 10}%; top: ${y / 10}%; ${colour(index)}`;
    }

    function say(x, head, lines) {
      const tip = element("div", "tip", plot);
      element("b", "", tip).textContent = head;
      lines.forEach(([line, index]) => {
        const row = element("div", "", tip);
        if (!scattered) element("i", "", row).style.cssText = colour(index);
        row.append(line);
      });
      const share = x / 1000;
      const room = plot.clientWidth - tip.offsetWidth;
      const left = share * plot.clientWidth + (share > 0.5 ? -tip.offsetWidth - 12 : 12);
      tip.style.left = `${Math.max(Math.min(0, room), Math.min(room, left))}px`;
    }

    function show(index) {
      const next = Math.max(0, Math.min(places.length - 1, index));
      clear();
      at = next;
      const x = places[at];
      const found = shown().map((curve) => [curve, byPlace[curve.index].get(x)]).filter(([, point]) => point);
      if (!found.length) return;
      element("i", "rule", plot).style.left = `${x / 10}%`;
      found.forEach(([curve, point]) => mark(x, point[1], curve.index));
      const head = `${name} ${found[0][1][2]}`;
      const lines = found.map(([curve, point]) => [`${curve.label}: ${point[3]}`, curve.index]);
      say(x, head, lines);
      plot.setAttribute("aria-valuenow", String(at + 1));
      plot.setAttribute("aria-valuetext", [head, ...lines.map(([line]) => line)].join(", "));
    }

    function nearest(x) {
      let best = 0;
      places.forEach((place, index) => { if (Math.abs(place - x) < Math.abs(places[best] - x)) best = index; });
      return best;
    }

    function pick(x, y) {
      clear();
      const all = curves[0].points;
      if (!all.length) return;
      const far = (point) => (point[0] - x) ** 2 + (point[1] - y) ** 2;
      const point = all.reduce((best, one) => (far(one) < far(best) ? one : best));
      mark(point[0], point[1], 0);
      say(point[0], point[2] || curves[0].label, [[point[3], 0]]);
    }

    function point(event) {
      const box = plot.getBoundingClientRect();
      const x = 1000 * (event.clientX - box.left) / box.width;
      const y = 1000 * (event.clientY - box.top) / box.height;
      if (scattered) pick(x, y);
      else show(nearest(x));
    }

    plot.addEventListener("pointermove", point);
    plot.addEventListener("pointerdown", point);
    plot.addEventListener("pointerleave", (event) => { if (event.pointerType === "mouse" && document.activeElement !== plot) clear(); });
    if (scattered || !places.length) return;
    Object.entries({ role: "slider", tabindex: "0", "aria-valuemin": "1", "aria-valuemax": String(places.length), "aria-valuenow": "1", "aria-valuetext": still }).forEach(([key, value]) => plot.setAttribute(key, value));
    plot.addEventListener("blur", clear);
    plot.addEventListener("keydown", (event) => {
      const moves = { ArrowLeft: at - 1, ArrowDown: at - 1, ArrowRight: at + 1, ArrowUp: at + 1, Home: 0, End: places.length - 1 };
      if (event.key === "Escape") clear();
      if (event.ctrlKey || event.altKey || event.metaKey || !(event.key in moves)) return;
      event.preventDefault();
      show(moves[event.key]);
    });
    figure.querySelectorAll(".legend button").forEach((button) => {
      button.addEventListener("click", () => {
        const hide = button.getAttribute("aria-pressed") === "true";
        button.setAttribute("aria-pressed", String(!hide));
        groups[Number(button.dataset.curve)].toggleAttribute("hidden", hide);
        clear();
      });
    });
  }

  document.querySelectorAll(".chart").forEach(follow);
  document.querySelectorAll(".one > .legend button").forEach((button) => {
    const own = button.closest(".one").querySelectorAll(`.chart .legend [data-curve="${button.dataset.curve}"]`);
    button.addEventListener("click", () => {
      own.forEach((one) => one.click());
      button.setAttribute("aria-pressed", own[0].getAttribute("aria-pressed"));
    });
  });
  document.querySelectorAll(".save button").forEach((button) => {
    const part = button.closest("[data-chart]");
    button.addEventListener("click", () => saving(part, part.dataset.chart, button.dataset.kind));
  });
  document.getElementById("theme").addEventListener("click", () => {
    const dark = root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    root.dataset.theme = dark ? "light" : "dark";
  });
}
