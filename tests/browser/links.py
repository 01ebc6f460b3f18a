"""The link that was copied in GraphiQL is read by pandas, DuckDB and a spreadsheet, and says what SQL says.

Usage: links.py FOLDER DATABASE: the folder that the browser tests wrote into, and the SQLite file of the server.
"""

import os
import sqlite3
import sys
import tempfile
import urllib.request

import duckdb
import pandas

QUESTION = """
    SELECT CAST(substr(cases.decided, 1, 4) AS INTEGER), upper(charges.outcome), count(DISTINCT cases.id)
    FROM charges
    JOIN cases ON cases.id = charges.case_id
    JOIN provisions ON provisions.id = charges.provision_id
    WHERE provisions.slug = 'kz-criminal-code-2014-article-274'
    GROUP BY 1, 2
"""


def plain(rows):
    """Rows as a set, without those of periods in which there is nothing."""
    known = lambda value: None if pandas.isna(value) or value == "" else value
    found = [(known(year), known(outcome), int(count)) for year, outcome, count in rows]
    return {(None if year is None else int(year), outcome, count) for year, outcome, count in found if count > 0}


def main(folder, database):
    with open(os.path.join(folder, "cases-by-year.txt"), encoding="utf-8") as file:
        link = file.read()
    asked = plain(sqlite3.connect(f"file:{database}?mode=ro", uri=True).execute(QUESTION))
    assert asked, "SQL finds nothing"
    columns = ["year", "outcome", "count"]

    def of(ending):
        return link.replace("/table.csv?", f"/table.{ending}?")

    read = {"pandas, CSV": pandas.read_csv(link), "pandas, JSON": pandas.read_json(of("json")), "pandas, XLSX": pandas.read_excel(of("xlsx"))}
    with tempfile.TemporaryDirectory() as temporary:
        for ending, reader in [("csv", "read_csv"), ("parquet", "read_parquet")]:
            path = os.path.join(temporary, f"table.{ending}")
            urllib.request.urlretrieve(of(ending), path)
            read[f"DuckDB, {ending}"] = duckdb.sql(f"SELECT * FROM {reader}('{path}')").df()
    for name, table in read.items():
        found = plain(table[columns].itertuples(index=False, name=None))
        assert found == asked, f"{name}: {sorted(found, key=str)} is not {sorted(asked, key=str)}"
    print(f"{', '.join(read)} read the link, and each says what SQL says ({len(asked)} groups)")


main(*sys.argv[1:])
