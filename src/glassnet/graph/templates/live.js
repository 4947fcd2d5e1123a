/* Computes all numbers again when a weight, an input or the target is changed, and takes steps of training. */
const live = program && (() => {
  const find = (id) => document.getElementById(id);
  const unpack = ([kind, text]) => {
    const { buffer } = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
    return kind === "f4" ? new Float32Array(buffer) : new Float64Array(buffer);
  };
  const first = Object.fromEntries(Object.entries(program.sources).map(([name, packed]) => [name, Float64Array.from(unpack(packed))]));
  const copy = (state) => Object.fromEntries(Object.entries(state).map(([name, values]) => [name, values.slice()]));
  const taken = find("taken").dataset.text;
  const players = new Map([find("train"), find("play-epochs")].filter(Boolean).map((button) => [button, [button.textContent, button.ariaLabel]]));
  const { epochs } = program;
  let state = copy(first);
  const most = Math.min(500, 4e6 / state.theta.length); // moments that are remembered
  let past = [];
  const initial = calculate(program.operations, state);
  const written = new Map();
  const entries = new Map();
  let known = initial;
  let timer = 0;
  let playing = null;
  let shown = null;

  const one = (place) => known[place].values[0];
  const positions = (leaf) => calculate.places(program.operations[leaf]);
  const sourceOf = (leaf) => program.operations[leaf][1];

  /* "12.3" is the number 3 of the array 12, "12" the only one. */
  function read(source, values = known) {
    const [place, index = 0] = source.split(".").map(Number);
    return values[place].values[index];
  }

  /* What stands in the page is written from the numbers before. */
  function put(element) {
    const value = read(element.dataset.n);
    if (Object.is(value, written.get(element) ?? read(element.dataset.n, initial))) return;
    written.set(element, value);
    if (element.localName === "mrow") element.replaceChildren(...numbers.writeMath(value, Number(element.dataset.t || 0)));
    else element.textContent = numbers.write(value, element.localName === "tspan" ? 3 : 4);
    if (element.localName === "data") element.value = String(value);
  }

  function colour(line) {
    const weight = read(line.dataset.w);
    line.classList.toggle("positive", weight >= 0);
    line.classList.toggle("negative", weight < 0);
    line.setAttribute("stroke-width", String(Math.min(5, 1 + 2 * Math.abs(weight))));
  }

  function repaint(image) {
    if ((written.get(image) ?? initial) === known) return;
    written.set(image, known);
    image.src = paint(known[Number(image.dataset.m)]);
  }

  const nearest = (field) => Math.max(0, Math.min(Number(field.max), Math.floor(Number(field.value))));

  function fill(input) {
    const leaf = Number(input.dataset.leaf);
    const { columns } = known[leaf];
    const [row, column] = ["row", "column"].map((side) => {
      const field = input.closest(".edit").querySelector(`[data-${side}]`);
      return field ? nearest(field) : 0;
    });
    entries.set(input, row * columns + column);
    if (document.activeElement === input) return;
    const value = known[leaf].values[entries.get(input)];
    input.value = Number.isFinite(value) ? String(Number(value.toPrecision(4))) : "";
  }

  /* What is no number gives way to the one that counts. */
  function correct(field) {
    if (field.id === "eta") field.value = String(state.eta[0]);
    else if (field.matches("[data-row], [data-column]")) field.value = String(nearest(field));
    else if (field.matches("input[data-leaf]") && field.value === "") fill(field);
  }

  /* What the network says, or should say: a class, which may have a probability, or numbers. */
  function tell(place, percent) {
    const row = [...known[place].values].slice(0, known[place].columns);
    if (!classes.length) return row.map((value) => numbers.write(value)).join(", ");
    const best = row.length === 1 ? Number(row[0] > 0.5) : row.indexOf(Math.max(...row));
    const sure = row.length === 1 ? Math.max(row[0], 1 - row[0]) : row[best];
    return percent ? `${classes[best]} (${(100 * sure).toFixed(1)}%)` : classes[best];
  }

  const now = () => past[Number(find("past").value)];

  /* A loss beyond all numbers is as high as the highest. */
  function drawCurve() {
    const losses = past.map((moment) => moment.loss).filter(Number.isFinite);
    const [low, high] = [Math.min(...losses), Math.max(...losses)];
    const at = ({ step, loss }) => {
      const height = Number.isFinite(loss) ? (loss - low) / (high - low || 1) : 1;
      return `${(100 * step) / (past.at(-1).step || 1)},${28 - 26 * height}`;
    };
    find("curve").setAttribute("points", past.map(at).join(" "));
    find("moment").setAttribute("points", `${at(now())} ${at(now())}`);
  }

  function describe() {
    find("loss").textContent = numbers.write(one(program.loss), 6);
    find("loss").dataset.exact = String(one(program.loss));
    find("taken").textContent = taken.replace("##", past.at(-1).step).replace("#", now().step);
    find("beyond").hidden = Number.isFinite(one(program.loss));
    const facts = { loss: numbers.write(one(program.loss)), says: tell(program.answer, program.percent), target: tell(program.target) };
    document.querySelectorAll("[data-fact]").forEach((fact) => { fact.textContent = facts[fact.dataset.fact]; });
    const target = find("target");
    if (target) target.value = String([...state.y.subarray(0, target.options.length)].indexOf(1));
    if (epochs) nameMoment();
    drawCurve();
  }

  /* Everything that is seen; other levels follow when they are turned to. */
  function refresh(section = shown) {
    shown = section;
    section.querySelector(".steps").setAttribute("aria-live", "off"); // the loss is told, not each number
    section.querySelectorAll("[data-n]").forEach(put);
    section.querySelectorAll("[data-w]").forEach(colour);
    section.querySelectorAll("input[data-leaf]").forEach(fill);
    section.querySelectorAll("img[data-m]").forEach(repaint);
    describe();
  }

  function settle() {
    known = calculate(program.operations, state);
    if (shown) refresh();
  }

  /* A change by hand, or another epoch, begins a new past. */
  function begin() {
    known = calculate(program.operations, state);
    past = [{ state: copy(state), loss: one(program.loss), step: 0 }];
    find("past").max = 0;
    if (shown) refresh();
  }

  function change(source, index, value) {
    if (!Number.isFinite(value)) return;
    halt();
    state[source][index] = value;
    begin();
  }

  function take() {
    if (!Number.isFinite(one(program.loss))) { halt(); return; }
    const step = now().step + 1;
    past.length = Number(find("past").value) + 1;
    const moved = program.steps.map(([leaf, next]) => [sourceOf(leaf), positions(leaf), known[next].values.slice()]);
    moved.forEach(([source, places, values]) => places.forEach((place, index) => { state[source][place] = values[index]; }));
    known = calculate(program.operations, state);
    if (past.length >= most) past = past.filter((_, place) => !place || (past.length - place) % 2);
    past.push({ state: copy(state), loss: one(program.loss), step });
    find("past").max = past.length - 1;
    find("past").value = past.length - 1;
    refresh();
    if (!Number.isFinite(one(program.loss))) halt();
  }

  function halt() {
    clearInterval(timer);
    if (playing) [playing.textContent, playing.ariaLabel] = players.get(playing);
    playing = null;
    find("loss").setAttribute("aria-live", "polite");
  }

  function play(button, move, pause) {
    const paused = playing === button;
    halt();
    if (paused) return;
    playing = button;
    button.textContent = button.dataset.pauseButton;
    button.ariaLabel = button.dataset.pause;
    find("loss").setAttribute("aria-live", "off");
    timer = setInterval(move, pause);
  }

  /* A row has theta, and behind it the statistics. */
  function parametersAfter(index) {
    const width = state.theta.length + state.statistics.length;
    const row = epochs.rows.subarray(index * width, (index + 1) * width);
    return { theta: Float64Array.from(row.subarray(0, state.theta.length)), statistics: Float64Array.from(row.subarray(state.theta.length)) };
  }

  function turnTo(index) {
    find("epoch").value = index;
    Object.assign(state, parametersAfter(index));
    begin();
  }

  function nameMoment() {
    const index = Number(find("epoch").value);
    const { theta } = parametersAfter(index);
    const moved = state.theta.some((value, place) => value !== theta[place]);
    find("moment-name").textContent = moved ? find("moment-name").dataset.text.replace("#", epochs.names[index]) : epochs.names[index];
    find("epoch").ariaValueText = find("moment-name").textContent;
  }

  find("take").addEventListener("click", () => { halt(); take(); });
  find("train").addEventListener("click", (event) => play(event.target, take, 120));
  if (epochs) {
    epochs.rows = unpack(epochs.rows);
    const last = epochs.names.length - 1;
    find("epoch").addEventListener("input", (event) => { halt(); turnTo(Number(event.target.value)); });
    find("play-epochs").addEventListener("click", (event) => {
      play(event.target, () => {
        turnTo(Number(find("epoch").value) + 1);
        if (Number(find("epoch").value) === last) halt();
      }, 700);
      if (playing && Number(find("epoch").value) === last) turnTo(0);
    });
  }
  find("again").addEventListener("click", () => {
    halt();
    state = copy(first);
    if (epochs) find("epoch").value = epochs.start;
    find("eta").value = String(state.eta[0]);
    begin();
  });
  find("eta").addEventListener("input", (event) => {
    const eta = Number(event.target.value);
    if (event.target.value === "" || !(eta >= 0)) return;
    state.eta[0] = eta;
    settle();
  });
  find("past").addEventListener("input", () => {
    halt();
    const { eta } = state;
    state = { ...copy(now().state), eta };
    settle();
  });
  find("target")?.addEventListener("change", (event) => {
    const classes = event.target.options.length;
    for (let index = 0; index < classes; index += 1) state.y[index] = Number(index === Number(event.target.value));
    halt();
    begin();
  });
  document.addEventListener("input", (event) => {
    const input = event.target;
    if (input.matches("[data-row], [data-column]")) fill(input.closest(".edit").querySelector("input[data-leaf]"));
    if (!input.matches("input[data-leaf]") || input.value === "") return;
    const leaf = Number(input.dataset.leaf);
    change(sourceOf(leaf), positions(leaf)[entries.get(input)], Number(input.value));
  });
  document.addEventListener("focusout", (event) => correct(event.target));
  begin();

  return { turn(section) { section.querySelector(".cards").prepend(find("live")); refresh(section); }, halt };
})();
