"""Capture inside of other libraries: Lightning, Hugging Face, scikit-learn, MLflow.

None of them is asked for by this package: each is imported when its module is used.
"""
