import type { Row } from "./column.ts";

/** The first rows of a table. */
export function Preview({ rows, isAll }: { rows: Row[]; isAll: boolean }) {
  const columns = Object.keys(rows[0] ?? {});
  if (columns.length === 0) return <p className="kurultai-note">The table has no rows: no records match the query.</p>;
  const count = rows.length === 1 ? "1 row" : `${rows.length} rows`;
  return (
    <div className="kurultai-table" role="region" aria-label="Preview of the table" tabIndex={0}>
      <table>
        <caption>{isAll ? `The whole table: ${count}` : `The first ${count}`}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((row, index) => (
            <tr key={index}>
              {columns.map((column) => (
                <td key={column} className={typeof row[column] === "number" ? "kurultai-number" : undefined}>
                  {row[column] === null ? "" : String(row[column])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
