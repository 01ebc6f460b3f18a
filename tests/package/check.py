"""Validates data packages with the tools of the Data Package standard, and reads them with pandas and DuckDB.

Usage: check.py FOLDER, where FOLDER contains packages of the sample dataset in folders named csv, ndjson and parquet.
"""

import json
import os
import shutil
import sys
import tempfile

import dplib
import duckdb
import frictionless
import jsonschema
import pandas

FORMATS = ["csv", "ndjson", "parquet"]


def validate(folder):
    return frictionless.validate(os.path.join(folder, "datapackage.json"))


def read_descriptor(folder):
    with open(os.path.join(folder, "datapackage.json"), encoding="utf-8") as file:
        return json.load(file)


def schema_errors(package):
    """Error messages of the JSON Schema of the standard."""
    path = os.path.join(os.path.dirname(dplib.__file__), "profiles", "2.0", "datapackage.json")
    with open(path, encoding="utf-8") as file:
        profile = json.load(file)
    return [error.message for error in jsonschema.validators.validator_for(profile)(profile).iter_errors(package)]


def check_standard(folder):
    report = validate(folder)
    assert report.valid, report.to_summary()
    package = read_descriptor(folder)
    assert not schema_errors(package), schema_errors(package)
    assert schema_errors({**package, "resources": []}) and schema_errors({**package, "created": 2026})
    assert package["$schema"] == "https://datapackage.org/profiles/2.0/datapackage.json"
    assert {"created", "datasetRevision", "licenses", "sources", "resources"} <= package.keys(), package.keys()
    keys = [key for resource in package["resources"] for key in resource["schema"].get("foreignKeys", [])]
    assert len(keys) > 20, keys
    return len(package["resources"])


def check_corruption_is_detected(folder):
    """A dangling reference, an invalid date, and a modified file."""
    for name, old, new, keep_hash, expected in [
        ("provisions.csv", ",law_", ",law_x", False, "foreign-key"),
        ("cases.csv", ",2020-06-22,", ",22 June 2020,", False, "constraint-error"),
        ("people.csv", "Alnur", "ALNUR", True, "hash-count"),
    ]:
        with tempfile.TemporaryDirectory() as corrupted:
            shutil.copytree(folder, corrupted, dirs_exist_ok=True)
            path = os.path.join(corrupted, name)
            with open(path, encoding="utf-8", newline="") as file:
                text = file.read()
            assert old in text, f"{old} is not in {name}"
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.write(text.replace(old, new, 1))
            if not keep_hash:
                package = read_descriptor(corrupted)
                for resource in package["resources"]:
                    del resource["hash"], resource["bytes"]
                with open(os.path.join(corrupted, "datapackage.json"), "w", encoding="utf-8") as file:
                    json.dump(package, file)
            errors = {error for [error] in validate(corrupted).flatten(["type"])}
            assert expected in errors, f"{name}: {errors}"


def read_with_pandas(folder, name, file_format):
    path = os.path.join(folder, f"{name}.{file_format}")
    if file_format == "csv":
        return pandas.read_csv(path)
    if file_format == "ndjson":
        return pandas.read_json(path, lines=True, dtype=False)
    return pandas.read_parquet(path)


def query_with_duckdb(folder, file_format):
    """Number of cases and charges by provision and outcome, from four tables."""
    reader = {"csv": "read_csv", "ndjson": "read_json_auto", "parquet": "read_parquet"}[file_format]
    table = {name: f"{reader}('{os.path.join(folder, name)}.{file_format}')" for name in ["charges", "cases", "provisions", "laws"]}
    return duckdb.sql(f"""
        SELECT laws.slug, provisions.slug, charges.outcome, charges."provision.slug", count(DISTINCT cases.id), count(*)
        FROM {table['charges']} AS charges
        JOIN {table['cases']} AS cases ON charges."case" = cases.id
        JOIN {table['provisions']} AS provisions ON charges.provision = provisions.id
        JOIN {table['laws']} AS laws ON provisions.law = laws.id
        GROUP BY ALL ORDER BY ALL
    """).fetchall()


def main(root):
    folders = {file_format: os.path.join(root, file_format) for file_format in FORMATS}
    counts = {file_format: check_standard(folder) for file_format, folder in folders.items()}
    check_corruption_is_detected(folders["csv"])
    for name in ["cases", "statistics", "citations", "people"]:
        tables = {file_format: read_with_pandas(folder, name, file_format) for file_format, folder in folders.items()}
        shapes = {file_format: (list(table.columns), len(table)) for file_format, table in tables.items()}
        assert shapes["csv"] == shapes["ndjson"] == shapes["parquet"], shapes
        ids = {file_format: list(table["id"]) for file_format, table in tables.items()}
        assert ids["csv"] == ids["ndjson"] == ids["parquet"] and ids["csv"] == sorted(ids["csv"])
    values = {file_format: list(read_with_pandas(folder, "statistics", file_format)["value"]) for file_format, folder in folders.items()}
    assert values["csv"] == values["ndjson"] == values["parquet"] and 67 in values["csv"], values
    results = {file_format: query_with_duckdb(folder, file_format) for file_format, folder in folders.items()}
    assert results["csv"] == results["ndjson"] == results["parquet"] and results["csv"], results
    print(f"the packages are valid ({counts} tables); pandas and DuckDB read the same rows from each format")


main(sys.argv[1])
