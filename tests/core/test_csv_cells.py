"""Text stays text in a spreadsheet."""

from __future__ import annotations

import pytest

from telephony.core.csv_cells import cell, lines


@pytest.mark.parametrize(
    ("value", "written"),
    [
        ('=HYPERLINK("http://evil","x")', '\'=HYPERLINK("http://evil","x")'),
        ("+1+1", "'+1+1"),
        ("-2+3", "'-2+3"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t'=1"),
        ("  =1", "'  =1"),
        ("＝1", "'＝1"),
        ("+13055550142", "+13055550142"),
        ("-12", "-12"),
        # Opened where semicolons part the cells, or lines that stand in quotes elsewhere.
        ("Ana;=1+1", "Ana;'=1+1"),
        ('Ana; "=1+1"', 'Ana;\' "=1+1"'),
        ("Ana\n@SUM(A1)", "Ana\n'@SUM(A1)"),
        ("Ana\t\uff1d1", "Ana\t'\uff1d1"),
        ("Ruiz; Gómez - Madrid", "Ruiz; Gómez - Madrid"),
        ("María", "María"),
        (None, ""),
        (7, "7"),
    ],
)
def test_nothing_is_a_formula(value: object, written: str) -> None:
    assert cell(value) == written


def test_commas_quotes_and_line_breaks_stay_in_their_cell() -> None:
    assert lines([["a,b", 'say "hi"', "two\nlines"]]) == '"a,b","say ""hi""","two\nlines"\r\n'
