// Tables of the class "sortable" sort by the column whose heading is clicked, or chosen by the keyboard: up, down, as it was.
(function () {
  "use strict";

  function value(row, column) {
    const text = row.cells[column] ? row.cells[column].textContent.trim() : "";
    const number = /^[-+]?(\d|\.\d)/.test(text) ? parseFloat(text.replace(/(\d),(?=\d{3})/g, "$1")) : NaN;
    return { text: text, number: number };
  }

  function compare(a, b) {
    if (a.text === "" || b.text === "") return (a.text === "") - (b.text === "");  // empty cells last
    if (!isNaN(a.number) && !isNaN(b.number)) return a.number - b.number;
    return a.text.localeCompare(b.text, undefined, { numeric: true });
  }

  function sort(table, header, original) {
    const before = header.getAttribute("aria-sort");
    const next = before === "ascending" ? "descending" : before === "descending" ? null : "ascending";
    table.querySelectorAll("th[aria-sort]").forEach(function (each) { each.removeAttribute("aria-sort"); });
    let rows = original.slice();
    if (next) {
      header.setAttribute("aria-sort", next);
      const column = header.cellIndex, sign = next === "ascending" ? 1 : -1;
      rows.sort(function (a, b) {
        const x = value(a, column), y = value(b, column);
        return x.text === "" || y.text === "" ? compare(x, y) : sign * compare(x, y);
      });
    }
    rows.forEach(function (row) { table.tBodies[0].appendChild(row); });
  }

  document.addEventListener("DOMContentLoaded", function () {
    document.querySelectorAll("table.sortable").forEach(function (table) {
      if (!table.tHead || !table.tBodies.length) return;
      const original = Array.from(table.tBodies[0].rows);
      table.tHead.querySelectorAll("th").forEach(function (header) {
        header.tabIndex = 0;
        header.title = "Sort by this column";
        header.addEventListener("click", function () { sort(table, header, original); });
        header.addEventListener("keydown", function (event) {
          if (event.key === "Enter" || event.key === " ") { event.preventDefault(); sort(table, header, original); }
        });
      });
    });
  });
})();
