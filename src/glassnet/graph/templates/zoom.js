/* Fits, enlarges and moves the picture of a graph: by buttons, mouse, touch and keyboard. */
const zooming = (() => {
  const [LEAST, READABLE] = [0.45, 0.7];
  const boxes = new Map();
  const fresh = new Set();

  const natural = (box) => box.firstElementChild.viewBox.baseVal;
  const inner = (box) => [box.clientWidth, Number.parseFloat(getComputedStyle(box).maxHeight) || box.clientHeight];
  const whole = (box) => {
    const { width, height } = natural(box);
    const [wide, high] = inner(box);
    return Math.min(1.4, (wide - 2) / width, (high - 2) / height);
  };

  /* Keeps the point (x, y) of the window where it is. */
  function set(box, scale, x, y) {
    const before = boxes.get(box) || whole(box);
    const after = Math.max(Math.min(scale, 4), Math.min(whole(box), 0.2));
    const frame = box.getBoundingClientRect();
    const [dx, dy] = [(x ?? frame.left + frame.width / 2) - frame.left, (y ?? frame.top + frame.height / 2) - frame.top];
    const [left, top] = [(box.scrollLeft + dx) / before, (box.scrollTop + dy) / before];
    boxes.set(box, after);
    fresh.delete(box);
    box.firstElementChild.style.width = `${after * natural(box).width}px`;
    box.scrollLeft = left * after - dx;
    box.scrollTop = top * after - dy;
  }

  const fit = (box) => set(box, whole(box));
  const change = (box, factor) => set(box, (boxes.get(box) || 1) * factor);

  function drag(box) {
    let from = null;
    box.addEventListener("pointerdown", (event) => {
      if (event.pointerType !== "mouse" || event.button || event.target.closest(".shape")) return;
      from = { x: event.clientX + box.scrollLeft, y: event.clientY + box.scrollTop };
      box.setPointerCapture(event.pointerId);
    });
    box.addEventListener("pointermove", (event) => {
      if (!from) return;
      box.scrollLeft = from.x - event.clientX;
      box.scrollTop = from.y - event.clientY;
    });
    ["pointerup", "pointercancel"].forEach((name) => box.addEventListener(name, () => { from = null; }));
  }

  function pinch(box) {
    let start = null;
    const spread = ([one, other]) => Math.hypot(one.clientX - other.clientX, one.clientY - other.clientY);
    box.addEventListener("touchstart", (event) => {
      if (event.touches.length === 2) start = { apart: spread(event.touches), scale: boxes.get(box) };
    }, { passive: true });
    box.addEventListener("touchmove", (event) => {
      if (event.touches.length !== 2 || !start) return;
      event.preventDefault();
      const [one, other] = event.touches;
      set(box, (start.scale * spread(event.touches)) / start.apart, (one.clientX + other.clientX) / 2, (one.clientY + other.clientY) / 2);
    }, { passive: false });
    box.addEventListener("touchend", () => { start = null; });
  }

  function watch(box) {
    drag(box);
    pinch(box);
    box.addEventListener("wheel", (event) => {
      if (!event.ctrlKey) return;
      event.preventDefault();
      set(box, boxes.get(box) * Math.exp(-event.deltaY / 300), event.clientX, event.clientY);
    }, { passive: false });
  }

  /* At first all of it; once there are numbers to be read, a size at which they can, unless another was chosen. */
  function begin(box) {
    if (boxes.has(box)) return;
    fit(box);
    fresh.add(box);
  }

  function read(box) {
    if (fresh.delete(box) && whole(box) < LEAST) set(box, READABLE);
  }

  function pan(box, key) {
    box.scrollBy({ ArrowLeft: { left: -80 }, ArrowRight: { left: 80 }, ArrowUp: { top: -80 }, ArrowDown: { top: 80 } }[key]);
  }

  return { watch, begin, read, fit, change, pan };
})();
