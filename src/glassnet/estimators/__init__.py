"""scikit-learn's face of glassnet: `MLPClassifier` and `MLPRegressor`, on top of the Trainer and the Model."""
