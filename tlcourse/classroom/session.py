"""The first lines of every notebook: TensorFlow without its start-up noise, seeds, and the course's figure style."""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator


def begin(*, seed: int = 0, threads: int | None = None) -> None:
    """Prepare a notebook: load TensorFlow quietly, fix the seeds, choose deterministic kernels, set the figure style.

    A cell that is run before one that it needs is told so, below the error.

    Args:
        seed: for Python, NumPy and TensorFlow.
        threads: for NumPy's and SciPy's linear algebra; as many as there are cores if None. Where tables are small
            several of them mostly wait for each other, and on a busy machine take ten times as long.
    """
    from tlcourse.classroom import out_of_order, plots

    out_of_order.advise()

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")  # what C++ code has to say later, to nobody in a classroom
    with _without_native_noise():
        import keras
        import tensorflow as tf

        tf.constant(0.0)  # the last start-up lines come with the first op
    tf.get_logger().setLevel("ERROR")
    keras.utils.set_random_seed(seed)
    tf.config.experimental.enable_op_determinism()
    plots.use_style()
    if threads is not None:
        import scipy.linalg  # noqa: F401  # its library has to be there before it can be told
        import threadpoolctl

        threadpoolctl.threadpool_limits(threads, user_api="blas")


@contextlib.contextmanager
def _without_native_noise() -> Iterator[None]:
    """Hold back what C++ code writes to file descriptor 2; if the block fails, say it after all.

    TensorFlow stamps these lines with the time, so they would also differ from run to run.
    """
    sys.stderr.flush()
    try:
        sink = tempfile.TemporaryFile()
    except OSError:  # a full disk, or no folder for it that can be written to: nothing is held back
        sink = None
    if sink is None:
        yield
        return
    kept = os.dup(2)
    with sink:
        os.dup2(sink.fileno(), 2)
        try:
            yield
        except BaseException:
            sink.seek(0)
            os.write(kept, sink.read())
            raise
        finally:
            os.dup2(kept, 2)
            os.close(kept)
