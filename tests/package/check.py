"""Packages are valid by the official tool of the Data Package standard, and pandas and DuckDB read them.

Usage: check.py FOLDER, which holds packages of the sample dataset in folders named csv, ndjson and parquet.
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


def valid(folder):
    return frictionless.validate(os.path.join(folder, "datapackage.json"))


def descriptor(folder):
    with open(os.path.join(folder, "datapackage.json"), encoding="utf-8") as file:
        return json.load(file)


def by_profile(package):
    """What the JSON Schema of the standard finds wrong."""
    path = os.path.join(os.path.dirname(dplib.__file__), "profiles", "2.0", "datapackage.json")
    with open(path, encoding="utf-8") as file:
        profile = json.load(file)
    return [error.message for error in jsonschema.validators.validator_for(profile)(profile).iter_errors(package)]


def check_standard(folder):
    report = valid(folder)
    assert report.valid, report.to_summary()
    package = descriptor(folder)
    assert not by_profile(package), by_profile(package)
    assert by_profile({**package, "resources": []}) and by_profile({**package, "created": 2026})
    assert package["$schema"] == "https://datapackage.org/profiles/2.0/datapackage.json"
    assert {"created", "datasetRevision", "licenses", "sources", "resources"} <= package.keys(), package.keys()
    keys = [key for resource in package["resources"] for key in resource["schema"].get("foreignKeys", [])]
    assert len(keys) > 20, keys
    return len(package["resources"])


def check_that_it_can_fail(folder):
    """A reference that leads nowhere, a date that is none, a file that is not the one that was exported."""
    for name, old, new, keep_hash, expected in [
        ("provisions.csv", ",law_", ",law_x", False, "foreign-key"),
        ("cases.csv", ",2020-06-22,", ",22 June 2020,", False, "constraint-error"),
        ("people.csv", "Alnur", "ALNUR", True, "hash-count"),
    ]:
        with tempfile.TemporaryDirectory() as spoilt:
            shutil.copytree(folder, spoilt, dirs_exist_ok=True)
            path = os.path.join(spoilt, name)
            with open(path, encoding="utf-8", newline="") as file:
                text = file.read()
            assert old in text, f"{old} is not in {name}"
            with open(path, "w", encoding="utf-8", newline="") as file:
                file.write(text.replace(old, new, 1))
            if not keep_hash:
                package = descriptor(spoilt)
                for resource in package["resources"]:
                    del resource["hash"], resource["bytes"]
                with open(os.path.join(spoilt, "datapackage.json"), "w", encoding="utf-8") as file:
                    json.dump(package, file)
            found = {error for [error] in valid(spoilt).flatten(["type"])}
            assert expected in found, f"{name}: {found}"


def by_pandas(folder, name, form):
    path = os.path.join(folder, f"{name}.{form}")
    if form == "csv":
        return pandas.read_csv(path)
    if form == "ndjson":
        return pandas.read_json(path, lines=True, dtype=False)
    return pandas.read_parquet(path)


def question(folder, form):
    """Charges by provision and outcome, over four tables."""
    read = {"csv": "read_csv", "ndjson": "read_json_auto", "parquet": "read_parquet"}[form]
    table = {name: f"{read}('{os.path.join(folder, name)}.{form}')" for name in ["charges", "cases", "provisions", "laws"]}
    return duckdb.sql(f"""
        SELECT laws.slug, provisions.slug, charges.outcome, charges."provision.slug", count(DISTINCT cases.id), count(*)
        FROM {table['charges']} AS charges
        JOIN {table['cases']} AS cases ON charges."case" = cases.id
        JOIN {table['provisions']} AS provisions ON charges.provision = provisions.id
        JOIN {table['laws']} AS laws ON provisions.law = laws.id
        GROUP BY ALL ORDER BY ALL
    """).fetchall()


def main(root):
    folders = {form: os.path.join(root, form) for form in FORMATS}
    counts = {form: check_standard(folder) for form, folder in folders.items()}
    check_that_it_can_fail(folders["csv"])
    for name in ["cases", "statistics", "citations", "people"]:
        tables = {form: by_pandas(folder, name, form) for form, folder in folders.items()}
        shapes = {form: (list(table.columns), len(table)) for form, table in tables.items()}
        assert shapes["csv"] == shapes["ndjson"] == shapes["parquet"], shapes
        ids = {form: list(table["id"]) for form, table in tables.items()}
        assert ids["csv"] == ids["ndjson"] == ids["parquet"] and ids["csv"] == sorted(ids["csv"])
    values = {form: list(by_pandas(folder, "statistics", form)["value"]) for form, folder in folders.items()}
    assert values["csv"] == values["ndjson"] == values["parquet"] and 67 in values["csv"], values
    answers = {form: question(folder, form) for form, folder in folders.items()}
    assert answers["csv"] == answers["ndjson"] == answers["parquet"] and answers["csv"], answers
    print(f"packages are valid ({counts} tables), and pandas and DuckDB read the same from each")


main(sys.argv[1])
