"""The card is found in the photo, laid straight and shown; where none is found the whole photo is."""

import io

import numpy as np
import pytest
from PIL import Image, ImageDraw

from aggregator.recognition import card, pipeline
from tests import faces, samples

FACE = faces.face(("Магазин", 70, 130), ("4607 0012 3456 2", 480, 60))


def found(photo: Image.Image) -> np.ndarray | None:
    """The corners of the likeliest card."""
    first = card.views(photo)[0]
    return first.quad if first.is_card else None


@pytest.mark.parametrize("angle", [0, 7, -20, 90, 180, 250])
def test_the_corners_are_found_however_the_card_lies(angle):
    corners = np.array(faces.corners_at(angle))
    quad = found(faces.photo(FACE, faces.corners_at(angle)))
    assert quad is not None
    # In whatever order: which way is up is for the print to tell.
    away = np.linalg.norm(quad[:, None] - corners, axis=2).min(axis=1)
    assert away.max() < 12


def test_a_dim_photo_is_no_hindrance():
    photo = faces.photo(FACE, faces.corners_at(5)).point(lambda tone: tone * 0.3)
    quad = found(photo)
    assert quad is not None
    assert np.linalg.norm(quad[:, None] - np.array(faces.corners_at(5)), axis=2).min(axis=1).max() < 15


def test_corners_are_told_in_pixels_of_a_large_photo():
    size = (4000, 3000)
    corners = faces.corners_at(4, size)
    quad = found(faces.photo(FACE, corners, size))
    assert quad is not None
    assert np.linalg.norm(quad - np.array(corners), axis=1).max() < 30


@pytest.mark.parametrize("size", [(1, 1), (3, 2), (31, 31), (640, 480), (1, 4000)])
def test_a_blank_photo_of_any_size_has_no_card(size):
    assert found(Image.new("RGB", size, "white")) is None


def test_a_sheet_of_other_proportions_is_no_card():
    photo = Image.new("RGB", (1200, 1200), (90, 90, 90))
    ImageDraw.Draw(photo).rectangle([200, 200, 1000, 1000], fill=(240, 230, 220))
    assert found(photo) is None


def test_noise_has_no_card_and_ends():
    noise = np.random.default_rng(3).integers(0, 256, (900, 1200, 3)).astype(np.uint8)
    assert len(card.views(Image.fromarray(noise))) >= 1


def test_the_face_is_the_card_alone_in_its_proportions_and_colour():
    reading = pipeline.read([samples.encoded(faces.photo(FACE, faces.corners_at(12)))])
    picture = Image.open(io.BytesIO(reading.face.picture))
    assert picture.width / picture.height == pytest.approx(85.6 / 53.98, rel=0.01)
    edges = np.asarray(picture.convert("RGB"))[20:-20:40, [10, -10]].reshape(-1, 3).astype(int)
    assert (edges[:, 2] > edges[:, 0] + 30).all()
    assert reading.face.colour.endswith(("9f", "a0", "a1", "9e"))
    assert np.linalg.norm(np.array(reading.face.corners) - np.array(faces.corners_at(12)), axis=1).max() < 12


def test_without_a_card_the_face_is_the_whole_photo():
    photo = Image.new("RGB", (900, 600), (12, 99, 200))
    face = pipeline.read([samples.encoded(photo)]).face
    assert face.corners is None
    assert Image.open(io.BytesIO(face.picture)).size == (800, 533)


def test_a_straightened_card_maps_back_to_where_it_lay():
    corners = faces.corners_at(9)
    photo = faces.photo(FACE, corners)
    flat, to_photo = card.straight(photo, np.array(corners), card.CARD_SIZE)
    assert flat.shape == (638, 1011, 3)
    back = to_photo @ np.array([1011, 638, 1])
    assert np.abs(back[:2] / back[2] - corners[2]).max() < 1


@pytest.mark.parametrize("turns", [0, 1, 2, 3])
def test_a_view_turned_four_times_is_the_same(turns):
    view = card.View(np.array(faces.corners_at(0)), 1.0)
    assert np.allclose(view.turned(turns).turned(4 - turns).quad, view.quad)


def test_a_label_with_a_code_on_it_is_no_card():
    photo = Image.new("RGB", (1011, 638), "white")
    photo.paste(samples.code("code_128", "77331513741", scale=5), (60, 60))
    (code,) = pipeline.read([samples.encoded(photo)]).codes
    alone = [one for one in card.views(photo) if one.is_card]
    assert len([one for one in card.views(photo, [code.box]) if one.is_card]) < len(alone)
    assert pipeline.read([samples.encoded(photo)]).face.corners is None
