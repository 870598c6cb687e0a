import numpy as np
import pytest

from backend import errors, styles

KNOWN = ("Even", "Crisp", "Très doux", "a,b:c")


@pytest.mark.parametrize(("wish", "expected"), [
    (None, [1, 0, 0, 0]), ("Crisp", [0, 1, 0, 0]), ("Très doux", [0, 0, 1, 0]),
    ("a,b:c", [0, 0, 0, 1]), ("Even:0.7,Crisp:0.3", [0.7, 0.3, 0, 0]),
    ("Even:2, Crisp:6", [0.25, 0.75, 0, 0]), ("Crisp,Even", [0.5, 0.5, 0, 0]),
    ("Even : 1 , Très doux:.25", [0.8, 0, 0.2, 0]), ("Even:0,Crisp:3", [0, 1, 0, 0])])
def test_a_style_or_a_blend_becomes_weights_that_sum_to_one(wish, expected):
    row = styles.weights(wish, KNOWN)
    assert row.dtype == np.float32
    np.testing.assert_allclose(row, expected, atol=1e-6)


@pytest.mark.parametrize(("wish", "code", "what"), [
    ("Soft", "style_unknown", "no style 'Soft'. Choose one of: Even, Crisp"),
    ("Even:1,Soft:1", "style_unknown", "no style 'Soft'"), ("", "bad_style", "''"),
    ("Even:much", "bad_style", "'Even:much' is no style with its part"),
    ("Even:-1,Crisp:2", "bad_style", "'Even:-1'"), ("Even:nan", "bad_style", "'Even:nan'"),
    ("Even:1,", "bad_style", "NAME:0.7,NAME:0.3"), ("Even:1,Even:2", "bad_style", "named twice"),
    ("Even:0,Crisp:0", "bad_style", "add up to nothing"),
    (f"Even:{'9' * 400}", "bad_style", "too large")])
def test_what_is_no_style_is_refused_in_one_line(wish, code, what):
    with pytest.raises(errors.RequestError) as caught:
        styles.weights(wish, KNOWN)
    assert caught.value.code == code and what in str(caught.value)
