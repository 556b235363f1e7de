"""Questions in the text: predict, then look.

The last line of a cell is ``ask("channels.weights")``. A choice is answered by a click, on the book's pages
and in a notebook; numbers are typed on the page, and in a notebook given after the name, as in
``ask("channels.weights", (24, 3))``. What is wrong is explained. ``drill("size")`` gives ten problems to
practise with, and ``review("channels")`` asks two questions from before a chapter.
"""

from d2lconv.questions.engine import ask
from d2lconv.questions.notebook import drill, review

__all__ = ["ask", "drill", "review"]
