"""
Sparse text: topics from words
==============================

**What you see:** for each of four topics, the words that speak for it most, as a network sees them. The network learned
them from short texts in which most words say nothing about the topic.

**How:** scikit-learn's ``TfidfVectorizer`` turns each text into a row of a sparse matrix with thousands of columns, of
which some twenty are not zero. ``Network.fit`` takes the sparse matrix as it is, and computes with the non-zeros only.
The texts are made up by this script.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from fastmlp import Network

# %%
# The corpus: 4,000 texts of 30 words. A text draws about one word in five from its topic, and the others from 20,000
# filler words, of which a few are frequent and most are rare, as in real texts.

generator = np.random.default_rng(0)
TOPICS = {
    "cooking": "oven flour butter onion simmer whisk recipe garlic roast dough salt pan",
    "sailing": "anchor tide harbour mast rope wind sail deck captain storm keel buoy",
    "music": "violin rhythm chorus melody drum concert tune piano harmony singer tempo chord",
    "gardening": "soil seed compost tulip prune rake blossom weed hedge shovel root lawn",
}
filler = np.array([f"word{number}" for number in range(20_000)])
frequency = 1 / np.arange(1, 20_001)
names = list(TOPICS)


def text_about(topic):
    """Make up a text of 30 words."""
    n_topical = generator.binomial(30, 0.2)
    topical = generator.choice(TOPICS[topic].split(), n_topical)
    others = generator.choice(filler, 30 - n_topical, p=frequency / frequency.sum())
    return " ".join(generator.permutation(np.concatenate([topical, others])))


topics = generator.choice(names, 4000)
texts = [text_about(topic) for topic in topics]
print(f"{topics[0]}: {texts[0]}")

# %%
# Texts to numbers: a column for each word that occurs.

vectorizer = TfidfVectorizer(dtype=np.float32)
X = vectorizer.fit_transform(texts)
as_dense, as_sparse = 4 * X.shape[0] * X.shape[1], X.data.nbytes + X.indices.nbytes + X.indptr.nbytes
print(f"{X.shape[0]:,} texts, {X.shape[1]:,} columns, {X.nnz / X.shape[0]:.0f} non-zeros a row")
print(f"{as_sparse / 1e6:.1f} MB sparse; a dense array would take {as_dense / 1e6:.0f} MB")

# %%
# Train on three quarters of the texts, test on the rest.

net = Network([X.shape[1], 16, len(names)], seed=0)
net.fit(X[:3000], topics[:3000], epochs=5, verbose=0)
print(f"Of the test texts {net.evaluate(X[3000:], topics[3000:]).accuracy:.1%} are right.")

# %%
# What does the network know about single words? Ask it about every text that consists of one word.

words = vectorizer.get_feature_names_out()
probabilities = net.predict_proba(vectorizer.transform(words))

figure, axes = plt.subplots(1, 4, figsize=(12, 4), sharex=True, layout="constrained")
for ax, (column, topic) in zip(axes, enumerate(net.labels.classes), strict=True):
    best = np.argsort(probabilities[:, column])[-12:]
    ax.barh(words[best], probabilities[best, column])
    known = len(set(words[best]) & set(TOPICS[topic].split()))
    ax.set(title=f"{topic}\n{known} of 12 belong to it", xlabel="probability", xlim=(0, 1))

# %%
# **What to try next**
#
# - Use your own texts and labels in the place of ``texts`` and ``topics``.
# - Make the share of topical words smaller than one in five.
# - Use ``HashingVectorizer`` when the vocabulary is not known beforehand, and ``fit`` on blocks of texts.
# - Put the vectorizer into a scikit-learn pipeline with ``fastmlp.estimators.MLPClassifier``, which takes sparse matrices too.

plt.show()
