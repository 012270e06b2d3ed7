"""Prints docs/api.md from the service's OpenAPI document: `python docs/print_api.py > docs/api.md`."""

from collections.abc import Iterator
from itertools import groupby
from typing import Any

from app.main import create_app
from app.settings import Settings

Schema = dict[str, Any]
PICTURES = "image/"
FORM = "multipart/form-data"


def main() -> None:
    """Print the page."""
    document = create_app(Settings()).openapi()
    print("# The API\n")
    print("Printed from the OpenAPI document by `python docs/print_api.py`; a test compares the two. A running service")
    print(
        "has the document at `/openapi.json`, to generate clients from, and at `/docs`, to try. Errors are those of the"
    )
    print("[reference](reference.md#errors).")
    operations = [
        (path, method, what) for path, methods in document["paths"].items() for method, what in methods.items()
    ]
    for tag, group in groupby(operations, lambda operation: operation[2]["tags"][0]):
        print(f"\n## {tag[0].upper()}{tag[1:]}")
        for path, method, what in group:
            print(f"\n### {method.upper()} {path}\n\n{what['summary']}.", *filter(None, [what.get("description")]))
            print_request(what)
            print_answer(what["responses"])
    print("\n## What is sent and answered")
    for name, schema in sorted(document["components"]["schemas"].items()):
        if schema.get("properties"):
            print(f"\n### {name}\n\n{schema.get('description', '')}".rstrip())
            print("\n| key | type | |\n|---|---|---|")
            for key, value in schema["properties"].items():
                print(f"| `{key}` | {kind(value)} | {cell(value.get('description', ''))} |")


def print_request(operation: Schema) -> None:
    """The parameters of an operation, and its body."""
    if parameters := operation.get("parameters"):
        print("\n| parameter | in | type | default | |\n|---|---|---|---|---|")
        for parameter in parameters:
            schema = parameter["schema"]
            default = schema.get("default")
            print(
                f"| `{parameter['name']}` | {parameter['in']} | {kind(schema)} |",
                "" if default is None else f"`{default}`",
                f"| {cell(parameter.get('description', ''))} |",
            )
    if body := operation.get("requestBody"):
        content = body["content"]
        types = [f"`{media}`" for media in content if not media.startswith(PICTURES)]
        pictures = ", ".join(media.removeprefix(PICTURES) for media in content if media.startswith(PICTURES))
        print("\nBody:", ", ".join([f"`{PICTURES}...` ({pictures})"] * bool(pictures) + types) + ".")
        if fields := content.get(FORM, {}).get("schema", {}).get("properties"):
            print(f"Fields of the form: {', '.join(f'`{name}`' for name in fields)}.")


def print_answer(responses: Schema) -> None:
    """The type of a good answer, and the statuses of the others."""
    good = responses["200"].get("content", {})
    types = [kind(media["schema"]) if media.get("schema") else f"`{name}`" for name, media in good.items()]
    print(f"\nAnswers 200{': ' if types else ''}{', '.join(dict.fromkeys(types))}.", end=" ")
    print(f"Else {', '.join(status for status in responses if status != '200')}.")


def kind(schema: Schema) -> str:
    """A schema in a word or two, with a link to what has a table of its own."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    if "anyOf" in schema:
        return " or ".join(kind(one) for one in schema["anyOf"] if one != {"type": "null"})
    if "enum" in schema or "const" in schema:
        return ", ".join(f"`{value}`" for value in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        return f"list of {kind(schema.get('items', {}))}"
    return " ".join([schema.get("type", "anything"), *limits(schema)])


def limits(schema: Schema) -> Iterator[str]:
    """What a number or a string may be."""
    low, high = schema.get("minimum"), schema.get("maximum")
    if low is not None and high is not None:
        yield f"{low:g} to {high:g}"
    elif low is not None:
        yield f"from {low:g}"
    if (longest := schema.get("maxLength")) is not None:
        yield f"of at most {longest} characters"


def cell(text: str) -> str:
    """A text in one cell of a table."""
    return " ".join(text.split()).replace("|", "&#124;")


if __name__ == "__main__":
    main()
