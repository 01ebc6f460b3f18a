import "./use-this.css";
import type { GraphiQLPlugin } from "@graphiql/react";
import { useState } from "react";
import { type Format, isPrivate, LONG_URL_LENGTH, tableAddress, type TableOptions } from "./address.ts";
import { Chart } from "./chart.tsx";
import { Copying, Snippet } from "./copy.tsx";
import { useOperation } from "./editor.ts";
import type { List, Operation } from "./operation.ts";
import { Preview } from "./preview.tsx";
import { Select } from "./select.tsx";
import { forCurl, forJavaScript, forPython, forR, forSheets } from "./snippet.ts";
import { useTable } from "./table.ts";

/** Maximum number of rows in the preview and in the chart. */
const PREVIEW_ROWS = 20;
const CHART_ROWS = 1000;

/** GraphiQL plugin that shows the query of the tab as a table, a chart, and URLs for other programs. */
export const USE_THIS_PLUGIN: GraphiQLPlugin = { title: "Use this", icon: Icon, content: Pane };

function Icon() {
  return (
    <svg viewBox="0 0 24 24" fill="none" stroke="currentColor" strokeWidth="1.5" aria-hidden="true">
      <path d="M14 4h6v6M20 4l-9 9M18 14v4.5a1.5 1.5 0 0 1-1.5 1.5h-11A1.5 1.5 0 0 1 4 18.5v-11A1.5 1.5 0 0 1 5.5 6H10" />
    </svg>
  );
}

function Pane() {
  const operation = useOperation();
  return (
    <section className="kurultai-use" aria-label="Use this">
      <h2 className="kurultai-use-title">Use this</h2>
      {operation === undefined ? (
        <p className="kurultai-note">Loading the schema…</p>
      ) : typeof operation === "string" ? (
        <p className="kurultai-problem" role="alert">
          {operation}
        </p>
      ) : (
        <Copying>
          <Uses operation={operation} />
        </Copying>
      )}
    </section>
  );
}

function Uses({ operation }: { operation: Operation }) {
  const [wanted, setWanted] = useState<TableOptions>({ rows: "", explode: "", sources: false, excel: false });
  // Selections made for another query apply as far as this query has the same lists.
  const list = operation.lists.find(({ path }) => path === wanted.rows) ?? operation.lists[0];
  const choice: TableOptions = {
    ...wanted,
    rows: operation.lists.length > 1 ? (list?.path ?? "") : "",
    explode: list?.inside.includes(wanted.explode) ? wanted.explode : "",
  };
  const { origin } = location;
  const address = (format: Format, options = {}) => tableAddress(origin, format, operation, choice, options);
  const preview = useTable(address("json", { limit: PREVIEW_ROWS }));
  const isAll = preview.rows !== undefined && preview.rows.length < PREVIEW_ROWS;
  const more = useTable(preview.rows && !isAll ? address("json", { limit: CHART_ROWS }) : undefined);
  const drawn = isAll ? preview : more;

  return (
    <>
      <p className="kurultai-note">
        {operation.name ? <b>{operation.name}</b> : "The query"} as a table, with a link that always returns current
        data.
      </p>
      <Options lists={operation.lists} list={list} choice={choice} onChange={setWanted} />

      <h3>Preview</h3>
      <div aria-busy={preview.isLoading}>
        {preview.problem && (
          <p className="kurultai-problem" role="alert">
            {preview.problem}
          </p>
        )}
        {preview.rows && <Preview rows={preview.rows} isAll={isAll} />}
        {!preview.rows && !preview.problem && <p className="kurultai-note">Loading…</p>}
      </div>

      <h3>Links</h3>
      <Links csv={address("csv", { excel: choice.excel })} address={address} />

      {preview.rows && preview.rows.length > 0 && (
        <>
          <h3>Chart</h3>
          {drawn.problem && (
            <p className="kurultai-problem" role="alert">
              {drawn.problem}
            </p>
          )}
          {drawn.rows && <Chart rows={drawn.rows} origin={origin} operation={operation} choice={choice} />}
          {drawn.rows?.length === CHART_ROWS && (
            <p className="kurultai-note">This preview uses the first {CHART_ROWS.toLocaleString("en")} rows.</p>
          )}
        </>
      )}

      <h3>Programs</h3>
      <Snippet name="Python (pandas)" text={forPython(address("csv"))} />
      <Snippet name="R (readr)" text={forR(address("csv"))} />
      <Snippet name="JavaScript (fetch)" text={forJavaScript(address("json"))} />
      <Snippet name="curl" text={forCurl(origin, operation)} note="Returns the GraphQL response, not a table." />
    </>
  );
}

function Links({ csv, address }: { csv: string; address: (format: Format) => string }) {
  return (
    <>
      {isPrivate(location.hostname) && (
        <p className="kurultai-note">
          This server runs on your own computer or local network, so Google Sheets and Datawrapper cannot reach it.
        </p>
      )}
      {csv.length > LONG_URL_LENGTH && (
        <p className="kurultai-warning">
          The link has {csv.length.toLocaleString("en")} characters. Some tools truncate links after{" "}
          {LONG_URL_LENGTH.toLocaleString("en")}: select fewer fields, or check that the whole link was accepted.
        </p>
      )}
      <Snippet name="CSV link" text={csv} open={csv} opens="Download" />
      <Snippet name="Google Sheets" text={forSheets(address("csv"))} note="Paste it into the first cell of an empty sheet." />
      <Snippet name="XLSX (Excel)" text={address("xlsx")} open={address("xlsx")} opens="Download" />
      <Snippet name="JSON link" text={address("json")} open={address("json")} />
      <Snippet name="NDJSON link" text={address("ndjson")} open={address("ndjson")} opens="Download" />
      <Snippet name="Parquet link" text={address("parquet")} open={address("parquet")} opens="Download" />
    </>
  );
}

function Options(props: {
  lists: List[];
  list: List | undefined;
  choice: TableOptions;
  onChange: (choice: TableOptions) => void;
}) {
  const { lists, list, choice, onChange } = props;
  return (
    <div className="kurultai-options">
      {lists.length > 1 && list && (
        <Select
          label="Rows"
          isWide
          value={list.path}
          options={lists.map(({ path }) => ({ value: path, label: path }))}
          onChange={(rows) => onChange({ ...choice, rows })}
        />
      )}
      {list && list.inside.length > 0 && (
        <Select
          label="Lists in a row"
          isWide
          value={choice.explode}
          options={[
            { value: "", label: "joined in one cell with “; ”" },
            ...list.inside.map((path) => ({ value: path, label: `one row per ${path}` })),
          ]}
          onChange={(explode) => onChange({ ...choice, rows: list.path, explode })}
        />
      )}
      <label className="kurultai-check">
        <input
          type="checkbox"
          checked={choice.sources}
          onChange={({ target }) => onChange({ ...choice, sources: target.checked })}
        />
        Add a column with the sources of each row
      </label>
      <label className="kurultai-check">
        <input
          type="checkbox"
          checked={choice.excel}
          onChange={({ target }) => onChange({ ...choice, excel: target.checked })}
        />
        CSV that is safe to open in Excel
      </label>
    </div>
  );
}
