"""What is logged to MLflow."""

from __future__ import annotations


def log_training_data(client, run, name, context="training"):
    from mlflow.entities import Dataset, DatasetInput, InputTag

    data = Dataset(name=name, digest="abc12345", source_type="local", source="x")
    client.log_inputs(run, [DatasetInput(data, [InputTag("mlflow.data.context", context)])])
