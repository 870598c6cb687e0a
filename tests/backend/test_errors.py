import inspect
import pickle

from backend import errors


def test_an_error_reads_as_one_line_of_message_and_hint():
    problem = errors.AudioError("audio_silent", "'a\nb.wav' is silent.", "Choose another.")
    assert str(problem) == "'a b.wav' is silent. Choose another."


def test_every_error_is_a_soliloquy_error_and_drawn_in_the_tree():
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass)]
    assert all(issubclass(kind, errors.SoliloquyError) for kind in kinds)
    assert all(kind.__name__ in errors.__doc__ for kind in kinds) and len(kinds) == 8


def test_errors_pass_between_processes():
    for problem in (errors.Cancelled(), errors.PackError("pack_unknown", "No.", "Yes.")):
        copy = pickle.loads(pickle.dumps(problem))
        assert (type(copy), copy.code, str(copy)) == (type(problem), problem.code, str(problem))
