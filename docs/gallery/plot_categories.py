"""
Tables with categories: a scikit-learn pipeline
===============================================

**What you see:** rents of flats, predicted from a table with numeric and categorical columns. The left plot compares
predicted and true rents of the test set. The right plot shows the learned rent by area: it rises at a rate that depends
on the district.

**How:** a scikit-learn pipeline one-hot encodes the categories (``OneHotEncoder``), standardizes the numbers, and
passes both to ``fastmlp.estimators.MLPRegressor``. This script generates the table.
"""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.compose import TransformedTargetRegressor, make_column_transformer
from sklearn.model_selection import train_test_split
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler

from fastmlp.estimators import MLPRegressor

# %%
# The table: 3,000 flats. The price of a square metre depends on the district, and a lift raises the rent more on upper
# floors.

generator = np.random.default_rng(0)
n = 3000
per_metre = {"Harbour": 16.0, "Old Town": 14.0, "Park Side": 11.0, "Mill End": 8.0}
flats = pd.DataFrame(
    {
        "area": generator.uniform(25, 140, n).round(),
        "floor": generator.integers(0, 8, n),
        "district": generator.choice(list(per_metre), n),
        "lift": generator.choice(["yes", "no"], n),
    }
)
lift_bonus = np.where(flats["lift"] == "yes", 25.0, -15.0) * flats["floor"]
rent = 150 + flats["area"] * flats["district"].map(per_metre) + lift_bonus + generator.normal(0, 50, n)
print(flats.assign(rent=rent.round()).head())

# %%
# The pipeline. ``handle_unknown="ignore"`` accepts districts that were not in the training table. Rents are
# standardized as well, because networks train best on targets of moderate size.

table = make_column_transformer(
    (StandardScaler(), ["area", "floor"]),
    (OneHotEncoder(handle_unknown="ignore"), ["district", "lift"]),
)
network = MLPRegressor(hidden_layer_sizes=(64, 32), max_iter=500, early_stopping="loss", random_state=0)
model = TransformedTargetRegressor(make_pipeline(table, network), transformer=StandardScaler())

train, test, rent_train, rent_test = train_test_split(flats, rent, random_state=0)
model.fit(train, rent_train)
predicted = model.predict(test)
error = np.abs(predicted - rent_test).mean()
print(f"R² {model.score(test, rent_test):.3f}, mean error {error:.0f} (the noise alone makes 40)")

# %%
# Left: predictions. Right: the rent of a third-floor flat with a lift, by area and district. Dashed lines are the truth
# without noise.

figure, (left, right) = plt.subplots(1, 2, figsize=(11, 4.5), layout="constrained")
left.scatter(rent_test, predicted, s=6, alpha=0.5)
ends = [rent.min(), rent.max()]
left.plot(ends, ends, "k--", linewidth=1)
left.set(xlabel="true rent", ylabel="predicted rent", title=f"{len(test)} flats of the test set")

area = np.arange(25, 141, 5.0)
for number, (district, price) in enumerate(per_metre.items()):
    asked = pd.DataFrame({"area": area, "floor": 3, "district": district, "lift": "yes"})
    right.plot(area, model.predict(asked), color=f"C{number}", linewidth=2, label=district)
    right.plot(area, 150 + price * area + 75, "--", color=f"C{number}", linewidth=1)
right.set(xlabel="area in square metres", ylabel="rent", title="What the model learned")
_ = right.legend()

# %%
# **What to try next**
#
# - Replace ``MLPRegressor`` with scikit-learn's ``LinearRegression``: it can't learn that the lift matters more on
#   upper floors, nor that districts differ in slope.
# - Tune ``hidden_layer_sizes`` and ``alpha`` with ``GridSearchCV``.
# - Predict the rent of a flat in a district that the table doesn't have.

plt.show()
