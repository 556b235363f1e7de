"""Tools that write and check the book's chapters. They know the book; the package `d2lconv` knows neither."""
