/* Numbers as the page has them everywhere: a few digits, a true minus sign. */
const numbers = (() => {
  const [SUM, PRODUCT, ATOM] = [1, 2, 4];

  const trim = (text) => (text.includes(".") ? text.replace(/\.?0+$/, "") : text);

  function write(value, digits = 4) {
    if (!Number.isFinite(value)) return String(value).replace("Infinity", "∞").replace("-", "−").replace("NaN", "nan");
    if (value === 0) return "0";
    const [mantissa, power] = value.toExponential(digits - 1).split("e").map((part, index) => (index ? Number(part) : part));
    const plain = power < -4 || power >= digits ? `${trim(mantissa)}e${power}` : trim(value.toFixed(digits - 1 - power));
    return plain.replaceAll("-", "−");
  }

  function make(name, ...children) {
    const made = document.createElementNS("http://www.w3.org/1998/Math/MathML", name);
    made.append(...children);
    return made;
  }

  function sign(text, attribute, value) {
    const made = make("mo", text);
    if (attribute) made.setAttribute(attribute, value);
    return made;
  }

  const isNegative = (text) => text.startsWith("−");
  const signed = (text) => [...(isNegative(text) ? [sign("−", "form", "prefix")] : []), make("mn", text.replace("−", ""))];

  /* A number in MathML; in brackets where it must hold together more tightly than it does. */
  function writeMath(value, atLeast = 0) {
    const [mantissa, exponent] = write(value).split("e");
    const power = exponent ? [sign("·"), make("msup", make("mn", "10"), make("mrow", ...signed(exponent)))] : [];
    const [minus, amount] = isNegative(mantissa) ? signed(mantissa) : [null, ...signed(mantissa)];
    const parts = [...(minus ? [minus] : []), ...(exponent ? [make("mrow", amount, ...power)] : [amount])];
    const tightness = minus ? SUM : exponent ? PRODUCT : ATOM;
    const brackets = tightness < atLeast;
    return brackets ? [make("mrow", sign("(", "stretchy", "false"), ...parts, sign(")", "stretchy", "false"))] : parts;
  }

  return { write, writeMath };
})();
