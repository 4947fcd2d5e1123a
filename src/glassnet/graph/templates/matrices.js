/* Paints a matrix: red below zero, blue above; a row is folded to a rectangle, cells of large ones are averaged. */
const paint = (() => {
  const MOST = 64;

  function fold({ rows, columns, values }) {
    if (rows > 1) return { rows, columns, values };
    let height = Math.floor(Math.sqrt(columns));
    while (columns % height) height -= 1;
    return { rows: height, columns: columns / height, values };
  }

  /* Where groups of neighbours begin, so many or fewer, the first ones being larger by one where it does not fit. */
  function cut(count) {
    const groups = Math.min(count, MOST);
    const [small, larger] = [Math.floor(count / groups), count % groups];
    return Array.from({ length: groups + 1 }, (_, group) => group * small + Math.min(group, larger));
  }

  function mean(matrix, [top, bottom], [left, right]) {
    let sum = 0;
    for (let row = top; row < bottom; row += 1) for (let column = left; column < right; column += 1) sum += matrix.values[row * matrix.columns + column];
    return sum / (bottom - top) / (right - left);
  }

  return (array) => {
    const matrix = fold(array);
    const [rows, columns] = [cut(matrix.rows), cut(matrix.columns)];
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [columns.length - 1, rows.length - 1];
    const cells = [];
    for (let row = 1; row < rows.length; row += 1) for (let column = 1; column < columns.length; column += 1) cells.push(mean(matrix, rows.slice(row - 1, row + 1), columns.slice(column - 1, column + 1)));
    const largest = Math.max(...cells.map(Math.abs)) || 1;
    const pen = canvas.getContext("2d");
    cells.forEach((cell, index) => {
      pen.fillStyle = reds[Math.round(((cell / largest + 1) / 2) * (reds.length - 1))] || "#888";
      pen.fillRect(index % canvas.width, Math.floor(index / canvas.width), 1, 1);
    });
    return canvas.toDataURL();
  };
})();
