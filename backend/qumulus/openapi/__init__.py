"""From split OpenAPI files to served operations: bundle, generate, check, document.

`python -m qumulus.openapi` is the development side (bundle, models, lint, coverage);
`contract` and `documentation` are what the serving process uses.
"""
