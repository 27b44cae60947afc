"""The command ``expunge``: the verbs of the API in a terminal, and the verifier without one.

What is asked for goes to standard output, sentences and progress to standard error. No option
takes the API key: what is typed stays in the history of the shell.
"""
