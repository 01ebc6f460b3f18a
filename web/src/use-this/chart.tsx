import { lazy, Suspense, useMemo, useState } from "react";
import { type Axes, chartAddress, type TableOptions } from "./address.ts";
import { chooseAxes, columnsOf, describe, NO_DATA, pointsOf, type Row } from "./column.ts";
import { Snippet } from "./copy.tsx";
import type { Operation } from "./operation.ts";
import { Select } from "./select.tsx";
import { forHtml } from "./snippet.ts";

const Figure = lazy(() => import("./figure.tsx"));

/** A chart of a table with controls for its axes, and the URL of the same chart for an article. */
export function Chart(props: { rows: Row[]; origin: string; operation: Operation; choice: TableOptions }) {
  const { rows, origin, operation, choice } = props;
  const [wanted, setWanted] = useState<Partial<Axes>>({});
  const [title, setTitle] = useState("");
  const columns = useMemo(() => columnsOf(rows), [rows]);
  const axes = useMemo(() => {
    const chosen = chooseAxes(rows);
    if (!chosen) return undefined;
    // Selections made for another query apply as far as this query has the same columns.
    const is = (name: string | undefined) => columns.some((column) => column.name === name);
    const isNumber = (name: string | undefined) => columns.some((one) => one.name === name && one.kind === "number");
    const changes: Partial<Axes> = {};
    if (wanted.kind) changes.kind = wanted.kind;
    if (wanted.x && is(wanted.x)) changes.x = wanted.x;
    if (wanted.y === "" || isNumber(wanted.y)) changes.y = wanted.y!;
    if (wanted.series === "" || is(wanted.series)) changes.series = wanted.series!;
    return { ...chosen, ...changes };
  }, [rows, columns, wanted]);
  const points = useMemo(() => (axes ? pointsOf(rows, axes) : NO_DATA), [rows, axes]);
  if (!axes) return null;

  const set = (change: Partial<Axes>) => setWanted({ ...wanted, ...change });
  const names = columns.map(({ name }) => ({ value: name, label: name }));
  const numbers = columns.filter(({ kind }) => kind === "number").map(({ name }) => ({ value: name, label: name }));
  return (
    <>
      <div className="kurultai-options">
        <Select
          label="Chart type"
          value={axes.kind}
          options={[
            { value: "bar", label: "bars" },
            { value: "line", label: "lines" },
          ]}
          onChange={(kind) => set({ kind: kind === "line" ? "line" : "bar" })}
        />
        <Select label="X axis" value={axes.x} options={names} onChange={(x) => set({ x })} />
        <Select
          label="Values"
          value={axes.y}
          options={[{ value: "", label: "number of rows" }, ...numbers]}
          onChange={(y) => set({ y })}
        />
        <Select
          label="Series"
          value={axes.series}
          options={[{ value: "", label: "one series" }, ...names]}
          onChange={(series) => set({ series })}
        />
      </div>
      {typeof points === "string" ? (
        <p className="kurultai-problem" role="alert">
          {points}
        </p>
      ) : (
        <Suspense fallback={<p className="kurultai-note">Drawing…</p>}>
          <Figure points={points} axes={axes} title={title} />
        </Suspense>
      )}
      <label className="kurultai-field">
        Title
        <input value={title} placeholder={describe(axes)} onChange={(event) => setTitle(event.target.value)} />
      </label>
      <Snippet
        name="Chart for an article (HTML)"
        text={forHtml(chartAddress(origin, operation, choice, axes, title), title || describe(axes))}
        open={chartAddress(origin, operation, choice, axes, title)}
      />
    </>
  );
}
