// The functions of which an exported JavaScript module is put together. `glassnet.export.javascript` copies those
// that a model needs, with what they call. They do what the functions of `python_parts.py` do; that file explains.
// Blocks are separated by blank lines; the constants in capitals are written beside them.

/** Returns the outputs of each row; refuses a single one. */
function runRows(rows, run) {
  if (typeof rows !== "object" || rows === null || !(Symbol.iterator in rows)) {
    throw new TypeError("expected an array of rows; for a single row give [row]");
  }
  return Array.from(rows, (row, place) => run(row, place + 1));
}

/** Returns the numbers of a row, those of nested arrays too; refuses another count. */
function takeNumbers(row, number, width) {
  if (typeof row !== "object" || row === null || !(Symbol.iterator in row)) {
    throw new TypeError(`row ${number}: expected an array of ${width} numbers`);
  }
  const values = Array.from(row, (one) => (ArrayBuffer.isView(one) ? Array.from(one) : one)).flat(Infinity);
  if (values.length !== width) {
    throw new RangeError(`row ${number}: expected ${width} numbers, got ${values.length}`);
  }
  return values;
}

/** Returns numbers; refuses what is none, NaN and infinity. */
function checkFloats(values, number) {
  if (values.every(Number.isFinite)) return values;
  throw new RangeError(`row ${number}: expected finite numbers, got ${values}`);
}

/** Returns bytes; refuses all but whole numbers from 0 to 255. */
function checkBytes(values, number) {
  if (values.every((value) => Number.isInteger(value) && value >= 0 && value <= 255)) return values;
  throw new RangeError(`row ${number}: expected bytes, whole numbers from 0 to 255, got ${values}`);
}

/** Returns numbers; refuses those that are much larger than in training. */
function checkLimit(values, number, limit) {
  const far = values.find((value) => Math.abs(value) > limit);
  if (far === undefined) return values;
  throw new RangeError(`row ${number}: numbers up to ${far}, where training had at most about ${limit}`);
}

/** Returns numbers as the network takes them; refuses those that are too large. */
function roundToFloat32(values, number) {
  const rounded = values.map(Math.fround);
  if (!rounded.every(Number.isFinite)) throw new RangeError(`row ${number}: holds a number that is too large`);
  return rounded;
}

/** Returns numbers as shares of a unit. */
function divideAll(values, unit) {
  return values.map((value) => value / unit);
}

/** Returns each number scaled by the figures of its column. */
function scaleAll(values, center, spread) {
  return values.map((value, place) => scale(value, center[place], spread[place]));
}

/** Returns each number scaled robustly by the figures of its column. */
function scaleAllRobustly(values, center, spread) {
  return values.map((value, place) => scaleRobustly(value, center[place], spread[place]));
}

/** Returns (value - center) / spread. */
function scale(value, center, spread) {
  return (value - center) / spread;
}

/** Returns t = (value - center) / spread as t / sqrt(1 + (t / 3)^2); 0 where the spread is 0. */
function scaleRobustly(value, center, spread) {
  const t = Math.max(-1e100, Math.min(spread > 0 ? (value - center) / spread : 0, 1e100));
  return t / Math.sqrt(1 + (t / 3) ** 2);
}

/** Returns where a number lies in each piece between edges: -1/2 below it, 1/2 above it, a line between. */
function placeInPieces(value, edges) {
  return edges.slice(1).map((high, place) => {
    const low = edges[place];
    return Math.max(0, Math.min((value - low) / (high - low), 1)) - 0.5;
  });
}

/** Returns each scaled number, and behind it where the number lies in each piece of its column. */
function joinPieces(scaled, values, edges) {
  return scaled.flatMap((number, place) => [number, ...placeInPieces(values[place], edges[place])]);
}

/** Returns the numbers that the columns of a row become, one column after the other. */
function encodeColumns(row, number, columns, leftOut) {
  const numbers = [];
  takeValues(row, number, columns, leftOut).forEach((given, place) => {
    const column = columns[place];
    const where = `row ${number}, column ${JSON.stringify(column.name)}`;
    let value = column.read(blank(given, column), column, where);
    const missing = value === null;
    if (missing) {
      if (column.fill === null) {
        throw new RangeError(`${where}: has no value, and training had none missing; fill it`);
      }
      value = column.fill;
      warn(`column ${JSON.stringify(column.name)}: a missing value becomes ${value}`);
    }
    numbers.push(...column.write(value, column));
    if (column.indicator) numbers.push(Number(missing));
  });
  return numbers;
}

/** Returns the values of a row, an object or an array, in the order of the columns. */
function takeValues(row, number, columns, leftOut) {
  const names = columns.map((column) => column.name);
  if (Array.isArray(row) && row.length === names.length) return row;
  if (typeof row !== "object" || row === null || Array.isArray(row)) {
    throw new TypeError(`row ${number}: expected an object, or an array of the values of ${names.join(", ")}`);
  }
  const found = new Map(Object.entries(row).map(([name, value]) => [name.trim().normalize("NFC"), value]));
  const missing = names.filter((name) => !found.has(name));
  if (missing.length) {
    throw new RangeError(`row ${number}: no value for ${missing.join(", ")}; null stands for a missing one`);
  }
  const unknown = [...found.keys()].filter((name) => !names.includes(name) && !leftOut.includes(name));
  if (unknown.length) warn(`left out, as training did not have them: ${unknown.join(", ")}`);
  return names.map((name) => found.get(name));
}

const said = new Set();

/** Says something on the console, once. */
function warn(message) {
  if (!said.has(message)) console.warn(message);
  said.add(message);
}

/** Returns a value, null where it stands for a missing one. */
function blank(value, column) {
  if (value === null || value === undefined || Number.isNaN(value)) return null;
  if (typeof value === "string") {
    const text = value.trim();
    return NOTHING.test(text) || column.missing.includes(text) ? null : text;
  }
  if (typeof value === "number") {
    const numbers = column.missing.filter((one) => PLAIN_NUMBER.test(one)).map(Number);
    return numbers.includes(value) ? null : value;
  }
  return value;
}

/** Returns a number, null where there is none; text is read as training wrote its numbers. */
function readNumber(value, column, where) {
  if (value === null) return null;
  let found = null;
  if (typeof value === "string") {
    const word = value.toLowerCase();
    if (MISSING.includes(word)) return null;
    const truth = column.zeroOne && (word === "true" || word === "false");
    found = truth ? Number(word === "true") : parseNumber(value, column.format);
  } else if (typeof value === "number" || typeof value === "bigint" || (typeof value === "boolean" && column.zeroOne)) {
    found = Number(value);
  }
  if (found === null || !Number.isFinite(found)) {
    throw new RangeError(`${where}: expected a finite number, as in training, got ${value}`);
  }
  return blank(found, column);
}

/** Returns the number that a text holds, null where it holds none; a form says how training wrote numbers. */
function parseNumber(text, form) {
  let plain = text;
  if (form !== null) {
    for (const [variant, mark] of Object.entries(VARIANTS)) plain = plain.replaceAll(variant, mark);
    if (form.unit) plain = takeUnit(plain, form.unit);
    if (plain === null || (form.pattern && !new RegExp(form.pattern).test(plain))) return null;
    plain = plain.replaceAll(form.thousands, "").replace(form.decimal, ".");
  }
  return PLAIN_NUMBER.test(plain) ? Number(plain) : null;
}

/** Returns text without the unit before or behind it, null where it has none. */
function takeUnit(text, unit) {
  const sign = unit.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  const before = text.replace(new RegExp(`^([+-]?)\\s*${sign}\\s*`), "$1");
  if (before !== text) return before;
  const behind = text.replace(new RegExp(`\\s*${sign}$`), "");
  return behind !== text ? behind : null;
}

/** Returns a date or time in days since 1970-01-01, null where there is none. */
function readDays(value, column, where) {
  if (value === null) return null;
  if (value instanceof Date && Number.isFinite(value.getTime())) return countDays(0, value.getTime() * 1000);
  const text = typeof value === "string" ? value : spell(value);
  if (NO_DATE.includes(text.toLowerCase())) return null;
  const days = parseDate(text, column.order);
  if (days === null) throw new RangeError(`${where}: ${value} is no date such as 2024-05-31, as in training`);
  return days;
}

/** Returns days, and microseconds beside them, as days. */
function countDays(days, microseconds) {
  const whole = Math.floor(microseconds / DAY);
  return days + whole + (microseconds - whole * DAY) / DAY;
}

/** Returns a date as days since 1970-01-01, in UTC where it names a time zone; null for what is none. */
function parseDate(text, order) {
  const found = WRITTEN_OUT.map((one) => one.exec(text)).find(Boolean) ?? SHORT.exec(text);
  if (found) {
    const parts = found.groups;
    return countDate(parts, parts.y, findMonth(parts), parts.d ?? "1");
  }
  const three = THREE_NUMBERS.exec(text);
  const chosen = three?.groups.mark === "." ? "day" : order;
  if (!three || chosen === null) return null;
  const [year, month, day] = { day: "cba", month: "cab", year: "abc" }[chosen];
  return countDate(three.groups, three.groups[year], three.groups[month], three.groups[day]);
}

/** Returns the number of the month that a matched date names. */
function findMonth(parts) {
  return parts.word ? MONTHS.indexOf(parts.word.slice(0, 3).toLowerCase()) + 1 : parts.m ?? parts.month ?? "1";
}

/** Returns days of a date and the time that stands beside it, null where there is no such day or time. */
function countDate(parts, year, month, day) {
  const y = year.length > 2 ? Number(year) : FIRST_YEAR + ((((Number(year) - FIRST_YEAR) % 100) + 100) % 100);
  const date = new Date(0);
  date.setUTCFullYear(y, Number(month) - 1, Number(day));
  const same = date.getUTCMonth() === Number(month) - 1 && date.getUTCDate() === Number(day);
  const microseconds = countTime(parts);
  return y < 1 || !same || microseconds === null ? null : countDays(date.getTime() / 864e5, microseconds);
}

/** Returns the microseconds since midnight, in UTC where the time names a zone; null where there is no such time. */
function countTime(parts) {
  if (parts.hour === undefined) return 0;
  let hour = Number(parts.hour);
  if (parts.half) {
    if (hour < 1 || hour > 12) return null;
    hour = (hour % 12) + (parts.half.toLowerCase() === "pm" ? 12 : 0);
  }
  const [minute, second] = [Number(parts.minute), Number(parts.second ?? 0)];
  if (hour > 23 || minute > 59 || second > 59) return null;
  let seconds = 3600 * hour + 60 * minute + second;
  const zone = (parts.zone ?? "").replace(":", "");
  if (zone.length === 5) {
    const away = 60 * (60 * Number(zone.slice(1, 3)) + Number(zone.slice(3)));
    seconds += zone[0] === "-" ? away : -away;
  }
  return seconds * 1e6 + Number((parts.part ?? "").padEnd(6, "0").slice(0, 6));
}

/** Returns true or false, null where there is neither. */
function readBoolean(value, column, where) {
  if (value === null) return null;
  let found = typeof value === "string" ? null : Number(value);
  if (typeof value === "string") {
    const word = value.toLowerCase();
    if (MISSING.includes(word)) return null;
    found = word === "true" ? 1 : word === "false" ? 0 : parseNumber(word, null);
  }
  if (found !== 0 && found !== 1) {
    throw new RangeError(`${where}: expected true or false, 1 or 0, as in training, got ${value}`);
  }
  return found === 1;
}

/** Returns the category that a value is, null where there is none; as it is written where it is unseen. */
function readCategory(value, column, where) {
  if (value === null) return null;
  if (typeof value === "object" && !(value instanceof Date)) {
    throw new TypeError(`${where}: expected text, as in training, got ${value}`);
  }
  const isText = typeof value === "string";
  if (column.numbers && isText && MISSING.includes(value.toLowerCase())) return null;
  const text = column.numbers ? spellNumber(value, column.format) : spell(value);
  const category = blank(findCategory(text, column.categories, !isText && !column.numbers), column);
  if (category !== null && !column.categories.includes(category)) {
    warn(`column ${JSON.stringify(column.name)}: ${JSON.stringify(category)} was not seen in training, all zeros`);
  }
  return category;
}

/** Returns the category that a text is, or the only one equal to it; the text where there is none. */
function findCategory(text, categories, byValue) {
  if (categories.includes(text)) return text;
  const key = findKey(text, byValue);
  const equal = categories.filter((one) => findKey(one, byValue) === key);
  return equal.length === 1 ? equal[0] : text;
}

/** Returns what two spellings of one value have in common; a text that is no number has only itself. */
function findKey(text, byValue) {
  const whole = PLAIN_WHOLE.exec(text);
  if (whole) return `number ${BigInt(whole[1])}`;
  if (byValue && PLAIN_NUMBER.test(text)) {
    const value = Number(text);
    return `number ${Number.isInteger(value) ? BigInt(value) : value}`;
  }
  return byValue && ["true", "false"].includes(text.toLowerCase()) ? text.toLowerCase() : `text ${text}`;
}

/** Returns a value as the text of a category: whole numbers as their digits, dates as ISO 8601 has them. */
function spell(value) {
  if (typeof value === "number") {
    if (Number.isInteger(value)) return String(BigInt(value));
    const text = Math.abs(value) < 1e-4 ? value.toExponential() : String(value);
    return text.replace(/e([+-])(\d)$/, "e$10$2");
  }
  if (value instanceof Date) {
    const [date, time] = value.toISOString().slice(0, -1).split("T");
    return time === "00:00:00.000" ? date : `${date} ${time.endsWith(".000") ? time.slice(0, -4) : `${time}000`}`;
  }
  return String(value);
}

/** Returns a number, or text of one, as a category is written; text that is none stays. */
function spellNumber(value, form) {
  if (typeof value !== "string") return spell(value);
  if (form !== null) {
    const number = parseNumber(value, form);
    return number === null ? value : spell(number);
  }
  const whole = WHOLE.exec(value);
  if (whole) return (whole[1] === "-" && whole[2] !== "0" ? "-" : "") + whole[2];
  return PLAIN_NUMBER.test(value) ? spell(Number(value)) : value;
}

/** Returns a number as it is scaled. */
function writeScaled(value, column) {
  return [scale(value, column.center, column.spread)];
}

/** Returns a number as it is scaled, smoothly clipped. */
function writeScaledRobustly(value, column) {
  return [scaleRobustly(value, column.center, column.spread)];
}

/** Returns a number as it is scaled, and where it lies in each piece of its column. */
function writeWithPieces(value, column) {
  return [...column.scaled(value, column), ...placeInPieces(value, column.edges)];
}

/** Returns 1 for true, 0 for false. */
function writeBoolean(value) {
  return [Number(value)];
}

/** Returns a one for the category among zeros. */
function writeCategory(value, column) {
  return column.categories.map((category) => Number(category === value));
}

/** Returns the floats that base64 holds as little-endian float32 (f) or float64 (d). */
function decodeNumbers(kind, text) {
  const bytes = Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const view = new DataView(bytes.buffer);
  const size = kind === "f" ? 4 : 8;
  const read = kind === "f" ? "getFloat32" : "getFloat64";
  return Float64Array.from({ length: bytes.length / size }, (_, place) => view[read](place * size, true));
}

/** Returns a layer: its weights, unit by unit, its biases and its activation. */
function makeLayer(kind, weights, biases, activation) {
  return [decodeNumbers(kind, weights), decodeNumbers(kind, biases), activation];
}

/** Returns f(values * weights + biases), layer by layer. */
function applyLayers(values, layers) {
  let current = values;
  for (const [weights, biases, activation] of layers) {
    const inputs = current;
    current = Array.from(biases, (bias, unit) => {
      let sum = bias;
      for (let i = 0, first = unit * inputs.length; i < inputs.length; i += 1) sum += inputs[i] * weights[first + i];
      return activation(sum);
    });
  }
  return current;
}

/** Returns outputs; refuses a row for which they are not finite. */
function checkOutputs(values, number) {
  if (!values.every(Number.isFinite)) {
    throw new RangeError(`row ${number}: is too much for the network, its outputs are ${values}`);
  }
  return values;
}

/** Returns exp(value) / sum of exp(values), which cannot overflow. */
function softmax(values) {
  const largest = values.reduce((one, other) => Math.max(one, other));
  const powers = values.map((value) => Math.exp(value - largest));
  const total = powers.reduce((one, other) => one + other);
  return powers.map((power) => power / total);
}

/** Returns a function of each number. */
function applyAll(f, values) {
  return values.map((value) => f(value));
}

/** Returns numbers multiplied by a factor. */
function multiplyAll(values, factor) {
  return values.map((value) => factor * value);
}

/** Returns the class of the largest output; of a single one, that of the nearest whole number. */
function findClasses(outputs, classes) {
  return outputs.map((row) => {
    if (row.length > 1) return classes[row.indexOf(row.reduce((one, other) => Math.max(one, other)))];
    return classes[Math.max(0, Math.min(roundHalfToEven(row[0]), classes.length - 1))];
  });
}

/** Returns the nearest whole number, of two the even one. */
function roundHalfToEven(value) {
  const below = Math.floor(value);
  return value - below === 0.5 ? below + Math.abs(below % 2) : Math.round(value);
}

/** Returns for each output whether it is at least 0.5, in the words of training. */
function findLabels(outputs, classes) {
  return outputs.map((row) => row.map((output) => classes[Number(output >= 0.5)]));
}

/** Returns outputs in the units of training. */
function findNumbers(outputs, mean, std) {
  return outputs.map((row) => row.map((output, place) => output * std[place] + mean[place]));
}

/** Returns the only number of each row. */
function takeOnly(rows) {
  return rows.map((row) => row[0]);
}

/** Returns a probability for each class: a single output is that of the second. */
function spreadProbabilities(outputs) {
  return outputs.map((row) => (row.length > 1 ? row : [1 - row[0], row[0]]));
}

/** Returns 0 below 0, 1 above, and y at 0. */
function heaviside(x, y) {
  return Number.isNaN(x) ? x : x < 0 ? 0 : x === 0 ? y : 1;
}
