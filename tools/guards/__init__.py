"""What every chapter must satisfy beyond what nbval compares: one small function a rule.

nbval runs each chapter again and compares what it prints. It is silent about a notebook that was never run,
about PNG images, widget state, prose and metadata. Each guard looks at one such thing and returns messages
that name the cell and say what to do, or none. `tests/chapters/test_chapters.py` runs all on every chapter.
"""

from collections.abc import Callable
from pathlib import Path

from nbformat import NotebookNode

from tools.guards import code, exercises, figures, outputs, prose, structure

Guard = Callable[[NotebookNode, Path], list[str]]

GUARDS: dict[str, Guard] = {
    guard.__name__: guard
    for guard in (
        outputs.every_cell_was_run,
        outputs.cells_ran_in_order,
        outputs.no_errors,
        outputs.results_are_shown,
        outputs.widget_state_is_saved,
        outputs.no_memory_addresses,
        outputs.no_local_paths,
        outputs.no_timings,
        code.nbval_can_compare,
        code.nbval_markers_work,
        figures.figures_are_svg,
        figures.figures_have_alt_text,
        figures.images_are_described,
        figures.alt_texts_differ,
        prose.commonmark_only,
        prose.formulas_in_dollars,
        prose.little_html,
        prose.links_resolve,
        structure.canonical_form,
        structure.listed_in_toc,
        structure.python_kernel,
        structure.title_and_colab_link,
        structure.opening,
        structure.install_cell,
        structure.headings_in_order,
        structure.closing,
        exercises.exercises_match_registry,
        exercises.exercises_are_not_attempted,
        exercises.solutions_are_right,
    )
}

__all__ = ["GUARDS", "Guard"]
