"""Screens that pages are looked at on, a laptop's and a phone's, and what must not be seen on them."""

SIZES = [(1280, 800), (390, 844)]

#: Returns what is wrong with how a page looks, in words: a script that a browser evaluates.
FAULTS = """() => {
  const faults = [];
  const shown = (element) => element.checkVisibility({ visibilityProperty: true, opacityProperty: true });
  const near = (element) => `${element.tagName}.${element.className.baseVal ?? element.className}`;

  /* The boxes of what is written in an element, a box a line of a text. */
  function written(part) {
    const boxes = [];
    const walker = document.createTreeWalker(part, NodeFilter.SHOW_TEXT);
    for (let node = walker.nextNode(); node; node = walker.nextNode()) {
      const parent = node.parentElement;
      if (!node.data.trim() || parent.closest("script, style, .unseen, .tip") || !shown(parent)) continue;
      const range = document.createRange();
      range.selectNodeContents(node);
      for (const box of range.getClientRects()) {
        if (box.width && box.height) boxes.push({ text: node.data.trim(), box, parent });
      }
    }
    return boxes;
  }

  const whole = document.documentElement.scrollWidth;
  if (whole > innerWidth) faults.push(`the page is ${whole} wide`);
  for (const part of document.querySelectorAll(".chart, .legend, .tiles, .scale, .save, header")) {
    const boxes = written(part);
    boxes.forEach((one, place) => boxes.slice(place + 1).forEach((other) => {
      const wide = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
      const high = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
      if (wide > 1 && high > 3) faults.push(`"${one.text}" lies over "${other.text}" in ${near(part)}`);
    }));
  }
  const scrolled = (element) => element.closest(".scroll, pre, .graph, table.dense");
  for (const { text, box, parent } of written(document.body)) {
    const beyond = box.left < -1 || box.right > innerWidth + 1;
    if (beyond && !scrolled(parent)) faults.push(`"${text}" is beyond the screen`);
    for (let element = parent; element && !scrolled(element); element = element.parentElement) {
      if (getComputedStyle(element).overflow === "visible") continue;
      const frame = element.getBoundingClientRect();
      const cut = box.right > frame.right + 1.5 || box.bottom > frame.bottom + 4;
      if (cut) faults.push(`"${text}" is cut off in ${near(element)}`);
    }
  }

  /* Contrast as WCAG 2 has it. */
  function light(colour) {
    const whole = colour.startsWith("color(") ? 1 : 255;
    const [r, g, b] = colour.match(/[\\d.]+/g).slice(0, 3).map((part) => part / whole)
      .map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  }
  function behind(element) {
    for (let one = element; one; one = one.parentElement) {
      const colour = getComputedStyle(one).backgroundColor;
      if (/^rgb\\(/.test(colour)) return colour;
    }
    return "rgb(255, 255, 255)";
  }
  const seen = new Set();
  for (const { text, parent } of written(document.body)) {
    const pair = [getComputedStyle(parent).color, behind(parent)];
    if (parent.closest("svg") || seen.has(String(pair))) continue;
    seen.add(String(pair));
    const [low, high] = pair.map(light).sort((a, b) => a - b);
    const contrast = (high + 0.05) / (low + 0.05);
    if (contrast < 4.5) faults.push(`"${text}" has a contrast of ${contrast.toFixed(1)}`);
  }
  return [...new Set(faults)];
}"""
