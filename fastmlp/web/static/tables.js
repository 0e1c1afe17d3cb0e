// Tables of plain cells. Imports nothing.

/** Fill a table's body with rows of texts and elements. */
export function fill(table, rows) {
  table.tBodies[0].replaceChildren(
    ...rows.map((values) => {
      const row = document.createElement("tr");
      for (const value of values) row.insertCell().append(value);
      return row;
    }),
  );
}
