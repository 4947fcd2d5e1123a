/* Saves a part of the page as a picture of its own, as it is seen, on light paper: an SVG, or a PNG of it. */
const saving = (() => {
  const margin = 12;
  const unseen = "script, .unseen, .save, .tip, .rule, .dot, .scale, li:has(> [aria-pressed=false])";

  function make(name, attributes, parent) {
    const made = document.createElementNS("http://www.w3.org/2000/svg", name);
    Object.entries(attributes).forEach(([key, value]) => made.setAttribute(key, value));
    if (parent) parent.append(made);
    return made;
  }

  /* Viewers of SVG know no rgba(): a colour and its opacity are two attributes. */
  function paint(kind, colour) {
    const [red, green, blue, alpha = 1] = (colour.match(/[\d.]+/g) || [0, 0, 0, 0])
      .map((part, index) => (index < 3 && colour.startsWith("color(") ? 255 * part : part));
    return { [kind]: colour === "none" ? "none" : `rgb(${red},${green},${blue})`, [`${kind}-opacity`]: alpha };
  }

  const isClear = (colour) => colour === "transparent" || /, 0\)$/.test(colour);

  function font(style) {
    return { "font-family": style.fontFamily.replaceAll('"', "'"), "font-size": style.fontSize, "font-weight": style.fontWeight, "font-style": style.fontStyle };
  }

  /* The lines of a text, each with its box: the page may have broken it anywhere. */
  function linesOf(node) {
    const lines = [];
    const range = document.createRange();
    for (let index = 0; index < node.length; index += 1) {
      range.setStart(node, index);
      range.setEnd(node, index + 1);
      const { left, right, top, bottom } = range.getBoundingClientRect();
      const upright = getComputedStyle(node.parentElement).writingMode.startsWith("vertical");
      const last = lines.at(-1);
      if (right === left && bottom === top) continue;
      if (!last || (!upright && Math.abs(last.top - top) > 2)) lines.push({ words: "", left, right, top, bottom });
      const line = lines.at(-1);
      line.words += node.data[index];
      Object.assign(line, { right: Math.max(line.right, right), top: Math.min(line.top, top), bottom: Math.max(line.bottom, bottom) });
    }
    return lines.filter((line) => line.words.trim());
  }

  function write(node, picture, left, top) {
    const style = getComputedStyle(node.parentElement);
    const ink = { ...font(style), ...paint("fill", style.color) };
    const pen = document.createElement("canvas").getContext("2d");
    pen.font = `${style.fontWeight} ${style.fontSize} ${style.fontFamily}`;
    linesOf(node).forEach((line) => {
      const words = line.words.trim();
      const rise = pen.measureText(words).fontBoundingBoxAscent;
      const upright = style.writingMode.startsWith("vertical");
      const x = line.left - left;
      const y = line.top - top + rise;
      const middle = (line.left + line.right) / 2 - left;
      const anchored = upright
        ? { transform: `translate(${x + rise} ${line.bottom - top}) rotate(-90)` }
        : node.parentElement.closest(".y-ticks") && !node.parentElement.closest(".intervals") ? { x: line.right - left, y, "text-anchor": "end" }
          : node.parentElement.closest(".x-ticks, .x-label, table.dense td") ? { x: middle, y, "text-anchor": "middle" } : { x, y };
      make("text", { ...ink, ...anchored }, picture).textContent = words;
    });
  }

  /* A plot's paths are in thousandths of its sides. */
  function drawPlot(plot, picture, left, top) {
    const box = plot.getBoundingClientRect();
    const [wide, high] = [box.width / 1000, box.height / 1000];
    const short = (value) => String(Math.round(100 * value) / 100);
    const group = make("g", { transform: `translate(${box.left - left} ${box.top - top})` }, picture);
    plot.querySelectorAll("path").forEach((path) => {
      if (path.closest("[hidden]")) return;
      const style = getComputedStyle(path);
      const d = path.getAttribute("d")
        .replace(/([ML])([\d.e-]+) ([\d.e-]+)/g, (_, command, x, y) => `${command}${short(x * wide)} ${short(y * high)}`)
        .replace(/H([\d.]+)/g, (_, x) => `H${short(x * wide)}`)
        .replace(/V([\d.]+)/g, (_, y) => `V${short(y * high)}`);
      const dashes = style.strokeDasharray === "none" ? {} : { "stroke-dasharray": style.strokeDasharray };
      make("path", { d, ...paint("fill", style.fill), ...paint("stroke", style.stroke), "stroke-width": style.strokeWidth, "stroke-linecap": "round", "stroke-linejoin": "round", opacity: style.opacity, ...dashes }, group);
    });
  }

  function drawBox(element, style, picture, left, top) {
    const box = element.getBoundingClientRect();
    const [x, y, right, bottom] = [box.left - left, box.top - top, box.right - left, box.bottom - top];
    if (!isClear(style.backgroundColor)) make("rect", { x, y, width: box.width, height: box.height, ...paint("fill", style.backgroundColor) }, picture);
    const edges = { Left: [x, y, x, bottom], Right: [right, y, right, bottom], Top: [x, y, right, y], Bottom: [x, bottom, right, bottom] };
    Object.entries(edges).forEach(([side, [x1, y1, x2, y2]]) => {
      const width = style[`border${side}Width`];
      const colour = style[`border${side}Color`];
      if (width === "0px" || isClear(colour)) return;
      const dashes = style[`border${side}Style`] === "dashed" ? { "stroke-dasharray": "5 3" } : {};
      make("line", { x1, y1, x2, y2, "stroke-width": width, ...paint("stroke", colour), ...dashes }, picture);
    });
    if (element.matches("img")) make("image", { x, y, width: box.width, height: box.height, href: element.src, "image-rendering": "pixelated" }, picture);
  }

  function walk(node, picture, left, top) {
    if (node.nodeType === Node.TEXT_NODE) { write(node, picture, left, top); return; }
    if (!(node instanceof Element) || node.matches(unseen) || !node.getClientRects().length) return;
    if (node.matches("svg")) { drawPlot(node, picture, left, top); return; }
    drawBox(node, getComputedStyle(node), picture, left, top);
    node.childNodes.forEach((child) => walk(child, picture, left, top));
  }

  function start(width, height) {
    const picture = make("svg", { width, height, viewBox: `0 0 ${width} ${height}` });
    make("rect", { width, height, ...paint("fill", getComputedStyle(document.body).backgroundColor) }, picture);
    return picture;
  }

  /* A drawing stands for itself, with the colours that the page gives it; what is not known yet is left out. */
  function copy(drawing) {
    const { width, height } = drawing.viewBox.baseVal;
    const picture = start(width, height);
    const made = drawing.cloneNode(true);
    const [seen, copies] = [drawing, made].map((one) => [...one.querySelectorAll("*")]);
    copies.forEach((element, index) => {
      const style = getComputedStyle(seen[index]);
      [...element.attributes].filter(({ name }) => /^(class|role|tabindex|aria-|data-)/.test(name)).forEach(({ name }) => element.removeAttribute(name));
      if (style.visibility === "hidden") { element.remove(); return; }
      if (element.tagName === "g") return;
      const inner = element.matches("text, tspan") ? { ...font(style), "paint-order": style.paintOrder } : {};
      Object.entries({ ...inner, ...paint("fill", style.fill), ...paint("stroke", style.stroke), "stroke-width": style.strokeWidth, "stroke-linejoin": style.strokeLinejoin }).forEach(([key, value]) => element.setAttribute(key, value));
    });
    picture.append(...made.childNodes);
    return picture;
  }

  function pictureOf(part) {
    const root = document.documentElement;
    const theme = root.dataset.theme;
    root.dataset.theme = "light";
    part.classList.add("saved");
    try {
      if (part.matches("svg")) return copy(part);
      const box = part.getBoundingClientRect();
      const [left, top] = [box.left - margin, box.top - margin];
      const widths = [part, ...part.querySelectorAll(".scroll")].map((one) => one.scrollWidth);
      const picture = start(Math.ceil(Math.max(...widths) + 2 * margin), Math.ceil(box.height + 2 * margin));
      part.childNodes.forEach((child) => walk(child, picture, left, top));
      return picture;
    } finally {
      part.classList.remove("saved");
      if (theme) root.dataset.theme = theme;
      else delete root.dataset.theme;
    }
  }

  function hand(content, name) {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(content);
    link.download = name;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 10000);
  }

  async function save(part, name, kind) {
    const picture = pictureOf(part);
    const text = new XMLSerializer().serializeToString(picture);
    if (kind === "svg") { hand(new Blob([text], { type: "image/svg+xml" }), `${name}.svg`); return; }
    const image = new Image();
    image.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(text)}`;
    await image.decode();
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = ["width", "height"].map((side) => 2 * Number(picture.getAttribute(side)));
    canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
    canvas.toBlob((content) => hand(content, `${name}.png`), "image/png");
  }

  return save;
})();
