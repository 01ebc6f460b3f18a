"""Reads the link that a browser test copied in GraphiQL with pandas and DuckDB, and compares the rows with those of SQL.

Usage: links.py FOLDER DATABASE, where FOLDER is the output folder of the browser tests and DATABASE the SQLite file of the
server.
"""

import os
import sqlite3
import sys
import tempfile
import urllib.request

import duckdb
import pandas

QUERY = """
    SELECT CAST(substr(cases.decided_on, 1, 4) AS INTEGER), upper(charges.outcome), count(DISTINCT cases.id)
    FROM charges
    JOIN cases ON cases.id = charges.case_id
    JOIN provisions ON provisions.id = charges.provision_id
    WHERE provisions.slug = 'kz-criminal-code-2014-article-274'
    GROUP BY 1, 2
"""


def normalize(rows):
    """The set of rows with a count above zero, with None for missing values."""
    optional = lambda value: None if pandas.isna(value) or value == "" else value
    normalized = [(optional(year), optional(outcome), int(count)) for year, outcome, count in rows]
    return {(None if year is None else int(year), outcome, count) for year, outcome, count in normalized if count > 0}


def main(folder, database):
    with open(os.path.join(folder, "cases-by-year.txt"), encoding="utf-8") as file:
        link = file.read()
    expected = normalize(sqlite3.connect(f"file:{database}?mode=ro", uri=True).execute(QUERY))
    assert expected, "SQL returns no rows"
    columns = ["year", "outcome", "count"]

    def link_to(extension):
        return link.replace("/table.csv?", f"/table.{extension}?")

    tables = {"pandas, CSV": pandas.read_csv(link), "pandas, JSON": pandas.read_json(link_to("json")), "pandas, XLSX": pandas.read_excel(link_to("xlsx"))}
    with tempfile.TemporaryDirectory() as temporary:
        for extension, function in [("csv", "read_csv"), ("parquet", "read_parquet")]:
            path = os.path.join(temporary, f"table.{extension}")
            urllib.request.urlretrieve(link_to(extension), path)
            tables[f"DuckDB, {extension}"] = duckdb.sql(f"SELECT * FROM {function}('{path}')").df()
    for name, table in tables.items():
        found = normalize(table[columns].itertuples(index=False, name=None))
        assert found == expected, f"{name}: {sorted(found, key=str)} instead of {sorted(expected, key=str)}"
    print(f"{', '.join(tables)}: the rows of the link equal those of SQL ({len(expected)} groups)")


main(*sys.argv[1:])
