/* Runs a program of array operations. An array has rows, columns and its values, row after row. */
const calculate = (() => {
  const make = (rows, columns) => ({ rows, columns, values: new Float64Array(rows * columns) });

  /* Runs are a first place and a length each. */
  function list(runs) {
    const places = [];
    for (let index = 0; index < runs.length; index += 2) {
      for (let step = 0; step < runs[index + 1]; step += 1) places.push(runs[index] + step);
    }
    return places;
  }

  function pick(values, rows, columns, runs) {
    const made = make(rows, columns);
    list(runs).forEach((place, index) => { made.values[index] = values[place]; });
    return made;
  }

  function concatenate(parts) {
    const made = make(parts[0].rows, parts.reduce((sum, part) => sum + part.columns, 0));
    let start = 0;
    parts.forEach((part) => {
      part.values.forEach((value, index) => {
        made.values[Math.floor(index / part.columns) * made.columns + start + (index % part.columns)] = value;
      });
      start += part.columns;
    });
    return made;
  }

  function transpose(one) {
    const made = make(one.columns, one.rows);
    one.values.forEach((value, index) => {
      made.values[(index % one.columns) * one.rows + Math.floor(index / one.columns)] = value;
    });
    return made;
  }

  function matmul(one, other) {
    const made = make(one.rows, other.columns);
    for (let row = 0; row < one.rows; row += 1) {
      for (let inner = 0; inner < one.columns; inner += 1) {
        const factor = one.values[row * one.columns + inner];
        for (let column = 0; column < other.columns; column += 1) {
          made.values[row * made.columns + column] += factor * other.values[inner * other.columns + column];
        }
      }
    }
    return made;
  }

  const joined = {
    sum: [0, (a, b) => a + b],
    max: [-Infinity, (a, b) => Math.max(a, b)],
    min: [Infinity, (a, b) => Math.min(a, b)],
  };

  /* Over both axes (-1), down the columns (0) or along the rows (1). */
  function reduce(one, axis, [start, join]) {
    const made = make(axis === 1 ? one.rows : 1, axis === 0 ? one.columns : 1);
    made.values.fill(start);
    one.values.forEach((value, index) => {
      const place = axis < 0 ? 0 : axis === 0 ? index % one.columns : Math.floor(index / one.columns);
      made.values[place] = join(made.values[place], value);
    });
    return made;
  }

  /* A single row or column meets each of the others. */
  function apply(compute, inputs) {
    const made = make(...["rows", "columns"].map((side) => Math.max(...inputs.map((one) => one[side]))));
    const [a, b = a, c = a] = inputs;
    const [[down, right], [downB, rightB], [downC, rightC]] = [a, b, c].map((one) => [one.rows === 1 ? 0 : one.columns, one.columns === 1 ? 0 : 1]);
    let index = 0;
    for (let row = 0; row < made.rows; row += 1) {
      for (let column = 0; column < made.columns; column += 1) {
        made.values[index] = compute(
          a.values[row * down + column * right],
          b.values[row * downB + column * rightB],
          c.values[row * downC + column * rightC],
        );
        index += 1;
      }
    }
    return made;
  }

  function compute([name, ...rest], known, sources) {
    if (name === "leaf") return pick(sources[rest[0]], rest[1], rest[2], rest.slice(3));
    if (name === "constant") {
      const made = make(rest[0], rest[1]);
      made.values.forEach((_, index) => { made.values[index] = rest.length > 3 ? rest[2 + index] : rest[2]; });
      return made;
    }
    if (name === "item") return pick(known[rest[0]].values, 1, 1, [rest[1], 1]);
    if (name === "take") return pick(known[rest[0]].values, rest[1], rest[2], rest.slice(3));
    if (name in joined) return reduce(known[rest[0]], rest[1], joined[name]);
    const inputs = rest.map((place) => known[place]);
    if (name === "concatenate") return concatenate(inputs);
    if (name === "transpose") return transpose(inputs[0]);
    return name === "matmul" ? matmul(...inputs) : apply(operations[name], inputs);
  }

  /* Returns the value of each operation; for a leaf, places says where its numbers stand in their source. */
  function calculate(steps, sources) {
    const known = [];
    steps.forEach((step, place) => { if (step) known[place] = compute(step, known, sources); });
    return known;
  }
  calculate.places = (leaf) => list(leaf.slice(4));
  return calculate;
})();
