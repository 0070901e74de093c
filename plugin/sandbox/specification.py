"""Checks request bodies against a platform's published description: what is wrong is refused, not ignored.

Descriptions are in OpenAPI 3.0 or in its predecessor, Swagger 2.0.

For tests: jsonschema is installed for development alone, and nothing that runs in production imports this.
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator

from plugin.sandbox.email import Check

Schema = dict[str, Any]


@cache
def checker(path: Path) -> Check:
    """Return a check of (method, path, body) that says what is wrong with the body. `path` is gzipped JSON or YAML."""
    with gzip.open(path) as file:
        described = yaml.load(file, yaml.CSafeLoader) if ".yaml" in path.suffixes else json.load(file)
    schemas = described.get("components", {}).get("schemas", {})
    components = {"schemas": {name: mended(one) for name, one in schemas.items()}}
    operations = list(bodies(described["paths"]))

    def check(method: str, path: str, body: Any) -> list[str]:
        for verb, template, schema in operations:
            if verb == method and template.fullmatch(path.rstrip("/")):
                validator = Draft202012Validator({"allOf": [schema], "components": components})
                return [f"{error.json_path}: {error.message}" for error in validator.iter_errors(body)]
        return [f"{method} {path} takes no body"]

    return check


def bodies(paths: Mapping[str, Any]) -> Iterator[tuple[str, re.Pattern[str], Schema]]:
    """Yield the method, the path and the body's schema of every operation that takes one."""
    for template, methods in paths.items():
        pattern = re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(template)))
        for method, operation in methods.items():
            for schema in schemas_of(operation):
                yield method.upper(), pattern, mended(schema)


def schemas_of(operation: Any) -> Iterator[Schema]:
    """Yield the schemas of an operation's body: one for each media type, in Swagger 2.0 that of a parameter."""
    if not isinstance(operation, dict):  # parameters that all methods of a path share
        return
    for content in operation.get("requestBody", {}).get("content", {}).values():
        yield content["schema"]
    for parameter in operation.get("parameters", ()):
        if parameter.get("in") == "body":
            yield parameter["schema"]


def mended(schema: Schema, *, closed: bool = True) -> Schema:
    """Return a schema of OpenAPI 3.0 as JSON Schema.

    `nullable` means null beside whatever else is allowed, also where no `type` stands next to it: validators that only
    look at both together then let anything pass. Objects are closed, since the platform refuses unknown names.
    """
    whole = {name: value for name, value in schema.items() if name != "nullable"}
    if "properties" in whole:
        whole["properties"] = {name: mended(one) for name, one in whole["properties"].items()}
        if closed:
            whole.setdefault("additionalProperties", False)
    if "items" in whole:
        whole["items"] = mended(whole["items"])
    for name in ("oneOf", "anyOf", "allOf"):
        if name in whole:
            whole[name] = [mended(one, closed=closed and name != "allOf") for one in whole[name]]
    return {"anyOf": [whole, {"type": "null"}]} if schema.get("nullable") else whole
