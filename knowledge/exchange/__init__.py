"""Content in and out of the console as the files that offices work with: XLSX, CSV, DOCX, saved web pages.

`columns` names what stands in a table, `sheet` writes it, `table`, `docx_in` and `html_in` read files into rows, `plan`
compares rows with what is there, `drafts` makes drafts of them. Nothing here publishes anything.
"""
