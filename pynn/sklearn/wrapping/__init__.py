"""What the estimators around models are made of."""
