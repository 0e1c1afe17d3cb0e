"""
Sparse text: topics from words
==============================

**What you see:** above, the predicted probabilities for single words. Most words of a topic get a large probability for
that topic. Words shared by two topics are split between the two, and filler words say little. Below, the same network
reads one text word by word. The probability of the right topic rises with every word of that topic.

**How:** scikit-learn's ``TfidfVectorizer`` turns each text into a row of a sparse matrix with thousands of columns, of
which about 26 are non-zero. ``Network.fit`` takes the sparse matrix as it is, and computes with the non-zeros only.
This script generates the texts.
"""

import matplotlib.pyplot as plt
import numpy as np
from sklearn.feature_extraction.text import TfidfVectorizer

from fastmlp import Network

# %%
# The corpus: 4,000 texts of 30 words. A text draws about one word in five from its topic, and the others from 20,000
# filler words. As in real texts, a few filler words are frequent and most are rare.

generator = np.random.default_rng(0)
TOPICS = {
    "cooking": "oven flour butter dough simmer whisk recipe roast onion salt pan herb",
    "sailing": "anchor tide harbour mast rope wind sail deck captain keel salt key",
    "music": "violin rhythm chorus melody drum concert tune piano wind key tempo chord",
    "gardening": "soil seed compost tulip prune rake blossom weed hedge onion herb lawn",
}
filler = np.array([f"word{number}" for number in range(20_000)])
frequency = 1 / np.arange(1, 20_001)
names = list(TOPICS)


def text_about(topic):
    """Generate a text of 30 words."""
    n_topical = generator.binomial(30, 0.2)
    topical = generator.choice(TOPICS[topic].split(), n_topical)
    others = generator.choice(filler, 30 - n_topical, p=frequency / frequency.sum())
    return " ".join(generator.permutation(np.concatenate([topical, others])))


topics = generator.choice(names, 4000)
texts = [text_about(topic) for topic in topics]
print(f"{topics[0]}: {texts[0]}")

# %%
# Convert texts to numbers: one column for each word that occurs.

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
# What does the network predict for single words? Give it texts of one word. Then take a text of the test set, and
# predict from its first word, its first two words, and so on.

shared = ["salt", "key", "wind", "onion", "herb"]
words = [word for name in names for word in TOPICS[name].split()[:4]] + shared + ["word0", "word1", "word9"]
of_words = net.predict_proba(vectorizer.transform(words))

number = 3000 + int(np.flatnonzero(topics[3000:] == "sailing")[0])
read = texts[number].split()
of_beginnings = net.predict_proba(vectorizer.transform([" ".join(read[:end]) for end in range(1, 31)]))

figure, (above, below) = plt.subplots(2, 1, figsize=(11, 7), height_ratios=(1, 2), layout="constrained")
image = above.imshow(of_words.T, vmin=0, vmax=1, cmap="Blues", aspect="auto")
above.set_xticks(range(len(words)), words, rotation=60, ha="right", rotation_mode="anchor")
above.set_yticks(range(4), net.labels.classes)
above.set_title("Single words: four of each topic, five that two topics share, three fillers")
figure.colorbar(image, ax=above, label="probability")

below.plot(of_beginnings, marker=".", label=net.labels.classes)
below.set_xticks(range(30), read, rotation=60, ha="right", rotation_mode="anchor")
below.set(ylim=(0, 1), ylabel="probability", title=f"A text about {topics[number]}, read word by word")
for tick, word in zip(below.get_xticklabels(), read, strict=True):
    tick.set_fontweight("bold" if word in TOPICS[topics[number]].split() else "normal")
_ = below.legend()

# %%
# **What to try next**
#
# - Use your own texts and labels in place of ``texts`` and ``topics``.
# - Make the share of topical words smaller than one in five.
# - Use ``HashingVectorizer`` when the vocabulary is not known beforehand, and ``fit`` on blocks of texts.
# - Put the vectorizer into a scikit-learn pipeline with ``fastmlp.estimators.MLPClassifier``, which takes sparse
#   matrices too.

plt.show()
