"""One file for each chapter, with its questions in the order of the text."""
