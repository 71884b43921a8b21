"""Inputs that hold inputs: archives, mails, crash folders, exports. A module a format; ``registry`` knows them all."""
