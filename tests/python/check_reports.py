"""Reads the reports of `check` with other people's programs: SARIF is held against the official
schema, JUnit is read by junitparser. Prints what they say as one JSON object."""

import json
import sys
from collections import Counter
from pathlib import Path

import jsonschema
import junitparser

schema_file, folder = map(Path, sys.argv[1:])
schema = json.loads(schema_file.read_text())
validator = jsonschema.Draft7Validator(schema, format_checker=jsonschema.Draft7Validator.FORMAT_CHECKER)
validator.check_schema(schema)

said = {}
for file in sorted(folder.glob("*.sarif")):
    log = json.loads(file.read_text())
    results = log["runs"][0]["results"]
    # Of very many alike the first and the last are enough to validate.
    log["runs"][0]["results"] = results[:100] + results[100:][-100:]
    errors = [f"{error.json_path}: {error.message[:200]}" for error in validator.iter_errors(log)]
    run = log["runs"][0]
    notices = run["invocations"][0].get("toolExecutionNotifications", [])
    said[file.name] = {
        "errors": errors,
        "levels": Counter(result["level"] for result in results),
        "notices": [notice["message"]["text"] for notice in notices],
    }
    # A schema that takes anything would say nothing.
    run["results"].append({"level": "dreadful"})
    assert not validator.is_valid(log), file

for file in sorted(folder.glob("*.xml")):
    suites = junitparser.JUnitXml.fromfile(str(file))
    cases = [(suite, case) for suite in suites for case in suite]
    failures = [result for _, case in cases for result in case.result if isinstance(result, junitparser.Failure)]
    counted = (suites.tests, suites.failures)
    suites.update_statistics()
    assert counted == (suites.tests, suites.failures) == (len(cases), len(failures)), file
    assert all(case.name and case.classname for _, case in cases), file
    said[file.name] = {
        "suites": [suite.name for suite in suites],
        "cases": [case.name for _, case in cases][:10],
        "failures": Counter(failure.type for failure in failures),
        "messages": [failure.message for failure in failures][:3],
    }

print(json.dumps(said))
