"""In a real kernel, as in Jupyter: a loop is stopped, the reader's line is shown, the panel appears."""

from nbformat.v4 import new_code_cell, new_notebook
from tools.execute import run_cells

CELLS = [
    "from d2lconv.exercises import check\nfrom d2lconv.exercises.engine import sandbox\n\n"
    "sandbox.call.__kwdefaults__['seconds'] = 0.5",
    'def raises(X, K):\n    return X @ K[9]\n\n\ncheck("convolution.5", raises)',
    'def endless(X, K):\n    while True:\n        pass\n\n\ncheck("convolution.5", endless)',
    'def convolve(X, K):\n    ...\n\n\ncheck("convolution.5", convolve)',
]


def test_replies_in_a_kernel(tmp_path):
    nb = new_notebook(cells=[new_code_cell(source) for source in CELLS])
    run_cells(nb, tmp_path / "notebook.ipynb", timeout=120)
    replies = [cell.outputs[0].data for cell in nb.cells[1:]]
    assert all("text/html" in reply for reply in replies)
    raised, looped, blank = (reply["text/plain"] for reply in replies)
    assert "IndexError" in raised
    assert "in the line: return X @ K[9]" in raised
    assert looped.startswith("Not yet (convolution.5): the code did not end, and was stopped.")
    assert blank.startswith("Not attempted yet (convolution.5)")
