"""What tests of the page send and read."""

import io
import json

import numpy as np


def a_one(side=280):
    """A vertical stroke, bright on black."""
    drawing = np.zeros((side, side), np.uint8)
    drawing[side // 6 : -side // 6, side // 2 - side // 24 : side // 2 + side // 24] = 255
    return drawing


def send_drawing(client, drawing, model="1"):
    height, width = drawing.shape
    return client.post(f"/api/models/{model}/drawing?width={width}&height={height}", content=drawing.tobytes())


def choose_network(page, identity):
    """Choose a network on the page in a browser, and wait until the page looks at it."""
    page.locator("#network").select_option(identity)
    page.wait_for_selector(f"body[data-network='{identity}']")


def png(pixels):
    """An image as the bytes of a PNG file."""
    from PIL import Image

    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def train(client, **settings):
    """Start a training on 1,000 rows, and return its network's identity."""
    wanted = {"recipe": "numpy-tutorial", "hidden": [8], "epochs": 2, "batch_size": 50, **settings}
    response = client.post("/api/trainings", json=wanted)
    assert response.status_code == 201, response.text
    return response.json()["id"]


def events(client, identity):
    """All that is told of a training, until it is over."""
    with client.stream("GET", f"/api/trainings/{identity}/events") as response:
        lines = [line for line in response.iter_lines() if line.startswith("data: ")]
    return [told for line in lines if (told := json.loads(line.removeprefix("data: ")))]


def refused(response, status, words):
    """Whether a response has this status, and a sentence with these words."""
    return response.status_code == status and words in response.json()["error"]
