"""The wing of registries of models: MLflow."""
