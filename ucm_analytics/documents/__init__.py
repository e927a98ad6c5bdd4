"""Documents: what a report says as plain data, and each form in which it leaves.

`document` holds sections, tables and findings; `html`, `excel`, `browser` (PDF and pictures), `csv` and `files`
read it, and know no report.
"""
