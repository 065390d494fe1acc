import numpy as np
import pytest

from tapegrad.cli import fit_csv
from tapegrad.cli.regression import InputError


def read(tmp_path, content, **options):
    file = tmp_path / "points.csv"
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return fit_csv.read_columns(str(file), **options)


@pytest.mark.parametrize(
    "content",
    [
        "x,y\n1,2\n3.5,-4e1\n",
        "y,x\n2,1\n-40,3.5\n",
        "x;y\n1;2\n3.5;-40\n",
        "x\ty\n1\t2\n3.5\t-40\n",
        b"\xef\xbb\xbfx,y\n1,2\n3.5,-40\n",
        "x,y\r\n1,2\r\n3.5,-40\r\n",
        "x,y\r1,2\r3.5,-40\r",
        "\n\nx,y\n\n1,2\n  \n,\n3.5,-40\n\n",
        " x , y \n 1 , 2 \n 3.5 , -40 \n",
        '"x","y"\n"1","2"\n"3.5","-40"\n',
        "name,x,note,y\nann,1,good,2\nbob,3.5,,-40\n",
        'name,x,y\n"Smith, A",1,2\n"two\nlines",3.5,-40\n',
        "x;y;unit, long\n1;2;a\n3.5;-40;b\n",
        "x,y\n1,2,\n3.5,-40,\n",
        "x,y,\n1,2,\n3.5,-40\n",
        "x,y\n1,2\n3.5,-40",
    ],
)
def test_forms_of_the_same_file(tmp_path, content):
    x, y = read(tmp_path, content)
    assert x.dtype == y.dtype == np.float64
    np.testing.assert_array_equal(x, [1, 3.5])
    np.testing.assert_array_equal(y, [2, -40])


def test_decimal_commas(tmp_path):
    x, y = read(tmp_path, "x;y\n1,5;2\n-3,25;1e2\n", decimal=",")
    np.testing.assert_array_equal(x, [1.5, -3.25])
    np.testing.assert_array_equal(y, [2, 100])


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "line 1: the file is empty"),
        ("\n \n", "line 1: the file is empty"),
        ("x,y\n", "line 1: the file ends after no rows of data"),
        ("x,y\n1,2\n\n", "line 3: the file ends after one row of data"),
        ("x,z\n1,2\n", "line 1: no column 'y'; columns found: 'x', 'z'"),
        ("\nX,y\n1,2\n", "line 2: no column 'x'; columns found: 'X', 'y'"),
        ("a b\n1 2\n", "line 1: no column 'x'; columns found: 'a b'"),
        ("1,2\n3,4\n", "line 1: no header: found '1', '2'"),
        ("x,y,x\n1,2,3\n", "line 1: 2 columns are named 'x'"),
        ("x,y\n1,2\n\n3,four\n", "line 4, column y: 'four' is not a number"),
        ("x,y\n1,2\n1_0,2\n", "line 3, column x: '1_0' is not a number"),
        ("x,y\nnan,2\n", "line 2, column x: 'nan' is not a finite number"),
        ("x,y\n1,-inf\n", "line 2, column y: '-inf' is not a finite number"),
        ("x,y\n1,1e999\n", "line 2, column y: '1e999' is not a finite number"),
        ("x,y\n,2\n", "line 2, column x: the cell is empty"),
        ("x,y\n1\n", "line 2, column y: the cell is empty"),
        ("x,y\n1,2\n3,3,1,7\n", "line 3: 4 cells, the header has 2; quote cells that hold a ','"),
        ("x;y\n3,3;1,7\n", "line 2, column x: '3,3' is not a number; for decimal commas give"),
        ('n,x,y\n"a\nb",1,2\n"c",3,d\n', "line 4, column y: 'd' is not a number"),
        (b"x,y\n1,2\n3,\xff\n", "line 3: not UTF-8 text"),
        ("x,y\n1,2\n3,4\n".encode("utf-16"), "line 1: not UTF-8 text"),
    ],
)
def test_bad_files_are_named_with_the_line(tmp_path, content, message):
    with pytest.raises(InputError) as caught:
        read(tmp_path, content)
    assert str(caught.value).startswith(f"{tmp_path / 'points.csv'}, {message}")


def test_a_point_among_decimal_commas(tmp_path):
    with pytest.raises(InputError, match=r"line 3, column y: '2\.5' holds a point"):
        read(tmp_path, "x;y\n1,5;2\n1,5;2.5\n", decimal=",")


def test_unreadable_paths(tmp_path):
    with pytest.raises(InputError, match=r"none\.csv: no such file"):
        fit_csv.read_columns(str(tmp_path / "none.csv"))
    with pytest.raises(InputError, match="directory"):
        fit_csv.read_columns(str(tmp_path))
