"""Writes a study's results in another tool's form: FORMAT DATABASE STUDY FOLDER.

`windrow export --format` runs this with the Python that has the tool's library.
"""

import json
import os
import pathlib
import posixpath
import re
import sqlite3
import sys

FORMAT, DATABASE, STUDY, FOLDER = sys.argv[1:5]
STATES = {"finished": 0, "failed": 1}


class Results:
    """The study in the database, by its documented views."""

    def __init__(self):
        uri = pathlib.Path(DATABASE).absolute().as_uri() + "?mode=ro"
        self.db = sqlite3.connect(uri, uri=True)

    def query(self, sql, *values):
        return self.db.execute(sql, values)

    def table(self, sql):
        rows = self.query(sql, STUDY)
        return [column[0] for column in rows.description], rows.fetchall()

    def trials(self):
        """Each trial that was begun: its number, cell, seed, state, host, device, times."""
        return self.query(
            "SELECT trial, cell, seed, state, host, device FROM trials "
            "WHERE study = ? AND attempts > 0 ORDER BY trial",
            STUDY,
        ).fetchall()

    def parameters(self, cell):
        (text,) = self.query(
            "SELECT c.parameters FROM cell c JOIN study s ON s.id = c.study "
            "WHERE s.name = ? AND c.hash = ?",
            STUDY,
            cell,
        ).fetchone()
        return json.loads(text)

    def result(self, trial):
        rows = self.query("SELECT metric, value FROM trial_metrics WHERE trial = ?", trial)
        return {name: value for name, value in rows if value is not None}

    def metrics(self):
        """The names of all metrics, of epochs and of results."""
        of_study = "WHERE trial IN (SELECT trial FROM trials WHERE study = ?)"
        rows = self.query(
            f"SELECT metric FROM epoch_metrics {of_study} UNION SELECT metric FROM trial_metrics {of_study}",
            STUDY,
            STUDY,
        )
        return [name for name, in rows]

    def epochs(self, trial):
        """Of each epoch: its number, when it was recorded (Unix seconds), its metrics."""
        found = {}
        for epoch, at, metric, value in self.query(
            "SELECT e.epoch, CAST(strftime('%s', e.committed_at) AS INTEGER), m.metric, m.value FROM epochs e "
            "JOIN epoch_metrics m ON m.trial = e.trial AND m.epoch = e.epoch "
            "WHERE e.trial = ? ORDER BY e.epoch",
            trial,
        ):
            found.setdefault(epoch, (at, {}))[1][metric] = float("nan") if value is None else value
        return [(epoch, at, metrics) for epoch, (at, metrics) in found.items()]


def named_apart(result):
    """The result's numbers where a tool knows a metric by its name alone.

    That of the last epoch is another than the result's where the best epoch counts, or the program
    stated its result.
    """
    return {f"result/{name}": value for name, value in result.items()}


def to_parquet(results):
    import pyarrow
    import pyarrow.parquet

    def column(values):
        kinds = {type(value) for value in values if value is not None}
        if kinds <= {int}:
            return pyarrow.array(values, pyarrow.int64() if kinds else pyarrow.null())
        if kinds <= {int, float}:
            numbers = [None if value is None else float(value) for value in values]
            return pyarrow.array(numbers, pyarrow.float64())
        return pyarrow.array([None if value is None else str(value) for value in values])

    of_study = "trial IN (SELECT trial FROM trials WHERE study = ?)"
    for name, sql in (
        ("trials", "SELECT * FROM trials WHERE study = ? ORDER BY trial"),
        ("summary", "SELECT * FROM summary WHERE study = ?"),
        ("epochs", f"SELECT * FROM epochs WHERE {of_study} ORDER BY trial, epoch"),
        ("attempts", f"SELECT * FROM attempts WHERE {of_study} ORDER BY trial, attempt"),
    ):
        names, rows = results.table(sql)
        columns = list(zip(*rows)) or [()] * len(names)
        table = pyarrow.table([column(list(values)) for values in columns], names)
        file = pathlib.Path(FOLDER) / f"{name}.parquet"
        pyarrow.parquet.write_table(table, file)
        print(f"{file}: {table.num_rows} rows")


def to_wandb(results):
    os.environ.setdefault("WANDB_SILENT", "true")
    os.environ.setdefault("WANDB_MODE", "offline")  # the person's own choice comes first
    import wandb

    trials = results.trials()
    for trial, cell, seed, state, host, device in trials:
        run = wandb.init(
            project=STUDY,
            group=cell,
            name=f"trial-{trial}",
            config={**results.parameters(cell), "seed": seed},
            tags=[state],
            dir=FOLDER,
            reinit="finish_previous",
            settings=wandb.Settings(
                console="off",
                x_disable_stats=True,
                x_disable_meta=True,
                disable_git=True,
                save_code=False,
            ),
        )
        for epoch, _, metrics in results.epochs(trial):
            run.log(metrics, step=epoch)
        run.summary.update({**results.result(trial), "host": host, "device": device})
        run.finish(exit_code=STATES.get(state, 1))
    print(f"{FOLDER}: {len(trials)} runs", end="")
    offline = os.environ["WANDB_MODE"] == "offline"
    print(f"; `wandb sync {FOLDER}/wandb/offline-run-*` uploads them" if offline else "")


def names_for_mlflow(names):
    """Each name as MLflow takes it, told where that is another.

    It takes letters, digits and `_ - . : /` and spaces, and keeps names as paths of files: none may be
    another's folder.
    """
    chosen, taken = {}, set()
    for name in sorted(names):
        plain = re.sub(r"[^\w.\- :/]", "_", name)
        if posixpath.normpath(plain) != plain or plain.startswith((".", "/")):
            plain = re.sub(r"^\.+", "_", plain.replace("/", "_"))
        if any(str(folder) in taken for folder in pathlib.PurePosixPath(plain).parents):
            plain = plain.replace("/", "_")
        while plain in taken or any(other.startswith(plain + "/") for other in taken):
            plain += "_"
        chosen[name] = plain
        taken.add(plain)
        if plain != name:
            print(f"{name} is called {plain} there")
    return chosen


def to_mlflow(results):
    import mlflow
    from mlflow.entities import Metric, Param, RunTag

    metrics = dict.fromkeys(results.metrics())
    called = names_for_mlflow({**metrics, **named_apart(metrics)})
    if "MLFLOW_TRACKING_URI" in os.environ:
        where = os.environ["MLFLOW_TRACKING_URI"]
    else:
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
        where = pathlib.Path(FOLDER).absolute().as_uri()
    client = mlflow.MlflowClient(tracking_uri=where)
    known = client.get_experiment_by_name(STUDY)
    experiment = known.experiment_id if known else client.create_experiment(STUDY)
    trials = results.trials()
    for trial, cell, seed, state, host, device in trials:
        epochs = results.epochs(trial)
        begin = epochs[0][1] * 1000 if epochs else None
        end = epochs[-1][1] * 1000 if epochs else None
        run = client.create_run(
            experiment, start_time=begin, run_name=f"trial-{trial}", tags={"cell": cell}
        ).info.run_id
        metrics = [
            Metric(called[name], value, at * 1000, epoch)
            for epoch, at, values in epochs
            for name, value in values.items()
        ]
        metrics += [
            Metric(called[name], value, end or 0, epochs[-1][0] if epochs else 0)
            for name, value in named_apart(results.result(trial)).items()
        ]
        parameters = [
            Param(name, str(value))
            for name, value in {**results.parameters(cell), "seed": seed}.items()
        ]
        tags = [RunTag("host", str(host)), RunTag("device", str(device))]
        for begin in range(0, max(len(metrics), len(parameters), 1), 100):
            client.log_batch(
                run,
                metrics[begin : begin + 100],
                parameters[begin : begin + 100],
                tags if begin == 0 else [],
            )
        status = {"finished": "FINISHED", "failed": "FAILED"}.get(state, "RUNNING")
        client.set_terminated(run, status, end)
    print(f"{where}: {len(trials)} runs in experiment {STUDY}")


def to_tensorboard(results):
    from tensorboard.compat.proto import event_pb2, summary_pb2
    from tensorboard.plugins.hparams import summary_v2 as hparams
    from tensorboard.summary.writer.event_file_writer import EventFileWriter

    def value(x):
        return x if isinstance(x, (bool, int, float, str)) else json.dumps(x)

    trials = results.trials()
    for trial, cell, seed, state, _, _ in trials:
        writer = EventFileWriter(str(pathlib.Path(FOLDER) / STUDY / f"trial-{trial}"))
        told = {**results.parameters(cell), "seed": seed}
        told = {name: value(x) for name, x in told.items()}
        epochs = results.epochs(trial)
        begin = epochs[0][1] if epochs else 0
        summary = hparams.hparams_pb(told, trial_id=f"trial-{trial}", start_time_secs=begin)
        writer.add_event(event_pb2.Event(summary=summary, wall_time=begin))
        last = epochs[-1][0] if epochs else 0
        end = (last, epochs[-1][1] if epochs else 0, named_apart(results.result(trial)))
        for epoch, at, metrics in [*epochs, end]:
            scalars = [
                summary_pb2.Summary.Value(tag=name, simple_value=x) for name, x in metrics.items()
            ]
            summary = summary_pb2.Summary(value=scalars)
            writer.add_event(event_pb2.Event(summary=summary, step=epoch, wall_time=at))
        writer.close()
    print(f"{FOLDER}/{STUDY}: {len(trials)} runs; `tensorboard --logdir {FOLDER}` shows them")


PACKAGES = {
    "parquet": "pyarrow",
    "wandb": "wandb",
    "mlflow": "mlflow-skinny",
    "tensorboard": "tensorboard",
}


def main():
    pathlib.Path(FOLDER).mkdir(parents=True, exist_ok=True)
    try:
        globals()[f"to_{FORMAT}"](Results())
    except ModuleNotFoundError as error:
        sys.exit(
            f"{sys.executable} has no {error.name}: `{sys.executable} -m pip install "
            f"{PACKAGES[FORMAT]}`, or name a Python that has it with --python"
        )


main()
