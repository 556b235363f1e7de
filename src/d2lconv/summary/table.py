"""The table that a summary is, as text and as HTML."""

from __future__ import annotations

from dataclasses import dataclass
from html import escape

__all__ = ["Row", "Summary"]

HEADS = ("Layer", "Kind", "Output", "Parameters", "MACs", "Field", "Field stride")
NUMBERS = HEADS[3:]  # right-aligned
FOOTNOTE = "* plus parameters counted in an earlier row"


@dataclass(frozen=True)
class Row:
    """One call of one layer.

    Attributes
    ----------
    name : str
        Path of the layer in the model, such as ``"features.0"``; empty for the model itself.
    kind : str
        Name of the layer's class; ``"(functional)"`` for what a model or block does and owns itself, apart
        from its layers.
    output_shape : tuple of int or None
        Shape of the result, without the batch axis. None where the layer was not called, or gave no tensor.
    params : int
        Its parameters, weights and biases, that no earlier row has counted.
    trainable_params : int
        Those of `params` that require a gradient.
    shared_params : int
        Its parameters that an earlier row has counted: of an earlier call, or of another layer.
    macs : int
        Multiply-adds for one example.
    field_size : tuple of int or None
        Receptive field of one output cell along each spatial axis, in input cells; it can be larger than the
        input. None where it is unknown, or the input has no spatial axes.
    field_stride : tuple of int or None
        How far the field moves from one output cell to the next, in input cells. None where it is unknown, or
        the output has no spatial axes.

    Examples
    --------
    >>> Row("0", "Flatten", (784,), field_size=(1, 1)).params
    0
    """

    name: str
    kind: str
    output_shape: tuple[int, ...] | None
    params: int = 0
    trainable_params: int = 0
    shared_params: int = 0
    macs: int = 0
    field_size: tuple[int, ...] | None = None
    field_stride: tuple[int, ...] | None = None


@dataclass(frozen=True, repr=False)
class Summary:
    """A model's costs and receptive fields, layer by layer. Prints as a table.

    Attributes
    ----------
    input_shape : tuple of int
        Shape of one example, without the batch axis; for several inputs, a tuple of their shapes.
    rows : tuple of Row
        The calls of the layers in the order in which they ended, then the layers with parameters that were
        not called.

    Examples
    --------
    >>> from torch import nn
    >>> from d2lconv.summary import summarize
    >>> summary = summarize(nn.Linear(784, 10), (784,))
    >>> summary.total_params, summary.total_macs
    (7850, 7840)
    """

    input_shape: tuple[int, ...] | tuple[tuple[int, ...], ...]
    rows: tuple[Row, ...]

    @property
    def total_params(self) -> int:
        """Number of parameters; those that layers share are counted once."""
        return sum(row.params for row in self.rows)

    @property
    def trainable_params(self) -> int:
        """Number of parameters that require a gradient."""
        return sum(row.trainable_params for row in self.rows)

    @property
    def total_macs(self) -> int:
        """Multiply-adds for one example."""
        return sum(row.macs for row in self.rows)

    def __str__(self) -> str:
        lines = [HEADS, *map(_cells, self.rows), self._totals()]
        widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
        text = ["  ".join(map(_aligned, HEADS, line, widths)).rstrip() for line in lines]
        rule = "─" * (sum(widths) + 2 * (len(widths) - 1))
        return "\n".join([text[0], rule, *text[1:-1], rule, text[-1], *self._notes()])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        head = "".join(f'<th scope="col"{_style(name)}>{name}</th>' for name in HEADS)
        body = "\n".join(map(_html_row, map(_cells, self.rows)))
        caption = escape("; ".join([f"Input {self.input_shape}", *self._notes()]))
        return (
            f'<table class="d2l-summary">\n<caption>{caption}</caption>\n<thead><tr>{head}</tr></thead>\n'
            f"<tbody>\n{body}\n</tbody>\n<tfoot>{_html_row(self._totals())}</tfoot>\n</table>"
        )

    def _totals(self) -> tuple[str, ...]:
        return ("Total", "", "", f"{self.total_params:,}", f"{self.total_macs:,}", "", "")

    def _notes(self) -> list[str]:
        frozen = self.total_params - self.trainable_params
        notes = [f"{self.trainable_params:,} parameters trainable, {frozen:,} frozen"] if frozen else []
        return notes + [FOOTNOTE] * any(row.shared_params for row in self.rows)


def _cells(row: Row) -> tuple[str, ...]:
    """Return the texts of a row's cells."""
    return (
        row.name or "(model)",
        row.kind,
        "–" if row.output_shape is None else str(row.output_shape),
        f"{row.params:,}" + "*" * bool(row.shared_params),
        f"{row.macs:,}",
        _times(row.field_size),
        _times(row.field_stride),
    )


def _times(sizes: tuple[int, ...] | None) -> str:
    """Write sizes as ``3×5``."""
    return "–" if sizes is None else "×".join(map(str, sizes))


def _aligned(head: str, cell: str, width: int) -> str:
    return cell.rjust(width) if head in NUMBERS else cell.ljust(width)


def _style(head: str) -> str:
    return f' style="text-align: {"right" if head in NUMBERS else "left"}"'


def _html_row(cells: tuple[str, ...]) -> str:
    first, *others = map(escape, cells)
    columns = "".join(f"<td{_style(head)}>{cell}</td>" for head, cell in zip(HEADS[1:], others, strict=True))
    return f'<tr><th scope="row"{_style(HEADS[0])}>{first}</th>{columns}</tr>'
