"""What is answered, by subject: a function a kind of question."""
