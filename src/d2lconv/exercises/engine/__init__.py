"""How answers are checked, graded and remembered; `d2lconv.exercises.kinds` is what authors use of it."""
