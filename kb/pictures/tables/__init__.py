"""What is told better by a table than by a picture: its rows as frozen values, each with its line of the log.

Who shows them draws them: a terminal as rows, a page as it likes.
"""
