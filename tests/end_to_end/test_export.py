"""`windrow export`: models as safetensors files, and results for tools with libraries of their own."""

import json
import os
import pathlib
import struct
import sys
import unittest

from support import WindrowTest

LIBRARIES = os.environ.get("EXPORT_LIBRARIES", "")
if LIBRARIES:
    sys.path.insert(0, LIBRARIES)  # for reading back what was written


def read_safetensors(file):
    """Header and tensors, by the format's definition."""
    content = pathlib.Path(file).read_bytes()
    (size,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + size])
    data = content[8 + size :]
    about = header.pop("__metadata__")
    tensors = {}
    for name, tensor in header.items():
        begin, end = tensor["data_offsets"]
        tensors[name] = (tuple(tensor["shape"]), data[begin:end])
    return about, tensors


def wandb_records(file):
    """The records of an offline run: a LevelDB log after 7 bytes of its own."""
    from wandb.proto import wandb_internal_pb2

    content = pathlib.Path(file).read_bytes()
    at, whole = 7, b""
    while at < len(content):
        if 32768 - at % 32768 < 7:  # the end of a block, too short for a header
            at += 32768 - at % 32768
            continue
        _, size, kind = struct.unpack("<IHB", content[at : at + 7])
        whole += content[at + 7 : at + 7 + size]
        at += 7 + size
        if kind in (1, 4):  # a whole record, or the last part of one
            record = wandb_internal_pb2.Record()
            record.ParseFromString(whole)
            whole = b""
            yield record


@unittest.skipUnless("WINDROW_TRAINER" in os.environ, "without LibTorch")
class Models(WindrowTest):
    def study(self, epochs, more=""):
        return self.write(
            "p.yaml",
            "study: p\ntask: choice-sets\n"
            f"parameters: {{epochs: {epochs}, train_sets: 700, test_sets: 300, depth: 3, "
            f"width: 6, lr: 0.05}}\n{more}",
        )

    def export(self, name):
        file = self.folder / name
        self.assertIn(name, self.windrow("export", 1, "--to", file, "--db", self.db))
        return read_safetensors(file)

    def test_the_model_is_that_of_the_result(self):
        stopping = "early_stopping: {metric: val_mse, patience: 4}\n"
        self.run_study(self.study(60, stopping))
        ((best, epochs, count),) = self.rows(
            "SELECT best_epoch, epochs, parameters FROM trials"
        )
        self.assertLess(best, epochs)
        about, tensors = self.export("stopped.safetensors")
        self.assertEqual((about["weights"], about["epochs"]), ("best epoch", str(epochs)))
        self.assertEqual(json.loads(about["parameters"])["width"], 6)
        self.assertEqual(sum(len(data) for _, data in tensors.values()), 4 * count)
        self.db = self.folder / "as-long.db"
        self.run_study(self.study(best))
        about, as_long = self.export("as-long.safetensors")
        self.assertEqual(about["weights"], "last epoch")
        self.assertEqual(tensors, as_long)

    @unittest.skipUnless(LIBRARIES, "without the library")
    def test_the_format_s_own_library_reads_it(self):
        from safetensors.numpy import load_file

        self.run_study(self.study(2))
        _, tensors = self.export("model.safetensors")
        read = load_file(self.folder / "model.safetensors")
        self.assertEqual({n: (a.shape, a.tobytes()) for n, a in read.items()}, tensors)

    def test_what_has_no_checkpoint_is_said(self):
        self.run_study(self.study(2, "keep: none\n"))
        self.windrow("export", 1, "--db", self.db, expect=2)
        self.assertIn("trial 1 has no checkpoint", self.err)
        self.assertIn("`keep` in the study", self.err)


@unittest.skipUnless(LIBRARIES, "without the libraries")
class Results(WindrowTest):
    def setUp(self):
        super().setUp()
        # loss = (1 + x) / epoch
        self.run_study(self.fake_study(xs=(1, 2)))

    def export(self, format, *more):
        return self.windrow(
            "export", "--format", format, "--to", self.folder / "out", "--db", self.db,
            "--python", sys.executable, *more,
            env={"PYTHONPATH": LIBRARIES, "HOME": str(self.folder)},
        )

    def test_parquet(self):
        import pyarrow.parquet

        self.assertIn("epochs.parquet: 6 rows", self.export("parquet"))
        trials = pyarrow.parquet.read_table(self.folder / "out/trials.parquet").to_pydict()
        self.assertEqual(trials["x"], [1, 2])
        self.assertEqual(trials["state"], ["finished"] * 2)
        epochs = pyarrow.parquet.read_table(self.folder / "out/epochs.parquet").to_pydict()
        self.assertEqual(
            [round(loss, 9) for loss in epochs["loss"]],
            [round((1 + x) / epoch, 9) for x in (1, 2) for epoch in (1, 2, 3)],
        )

    def test_tensorboard(self):
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        self.export("tensorboard")
        events = EventAccumulator(str(self.folder / "out/fake/trial-2"))
        events.Reload()
        self.assertEqual(
            [(event.step, round(event.value, 6)) for event in events.Scalars("loss")],
            [(epoch, round(3 / epoch, 6)) for epoch in (1, 2, 3)],
        )

    def test_mlflow(self):
        os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
        import mlflow

        self.export("mlflow")
        client = mlflow.MlflowClient(tracking_uri=(self.folder / "out").as_uri())
        experiment = client.get_experiment_by_name("fake")
        runs = client.search_runs([experiment.experiment_id], order_by=["params.x"])
        self.assertEqual([run.data.params["x"] for run in runs], ["1", "2"])
        self.assertEqual({run.info.status for run in runs}, {"FINISHED"})
        history = client.get_metric_history(runs[1].info.run_id, "loss")
        self.assertEqual(
            sorted((one.step, round(one.value, 9)) for one in history),
            [(epoch, round(3 / epoch, 9)) for epoch in (1, 2, 3)],
        )

    def test_wandb(self):
        self.assertIn("wandb sync", self.export("wandb"))
        found = []
        for file in self.folder.glob("out/wandb/offline-run-*/run-*.wandb"):
            config, steps = {}, []
            for record in wandb_records(file):
                for item in record.run.config.update:
                    config[item.key] = json.loads(item.value_json)
                row = {item.key or item.nested_key[0]: json.loads(item.value_json)
                       for item in record.history.item}
                if row:
                    steps.append((row["_step"], round(row["loss"], 9)))
            found.append((config["x"], steps))
        self.assertEqual(
            sorted(found),
            [(x, [(e, round((1 + x) / e, 9)) for e in (1, 2, 3)]) for x in (1, 2)],
        )

    def test_the_result_stands_beside_the_last_epoch_under_any_name(self):
        os.environ["MLFLOW_ALLOW_FILE_STORE"] = "true"
        import mlflow
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

        self.write(
            "train.py",
            "import json\n"
            "for epoch, loss in (1, 0.25), (2, 0.75):\n"
            "    print(json.dumps({'epoch': epoch, 'loss': loss, 'loss/a': 1, 'MAP@5': 2, 'MAP_5': 3,\n"
            "                      'h[d=1.5]': 4, '/x': 5}))\n"
            "print(json.dumps({'result': {'loss': 0.25, 'test': 0.5}}))\n",
        )
        self.db = self.folder / "named.db"
        self.run_study(self.write("named.yaml", "study: named\ntrainer: {command: [python3, train.py]}\n"))
        self.assertIn("MAP@5 is called MAP_5 there\n", self.export("mlflow"))
        client = mlflow.MlflowClient(tracking_uri=(self.folder / "out").as_uri())
        experiment = client.get_experiment_by_name("named")
        (run,) = client.search_runs([experiment.experiment_id])
        self.assertEqual(
            run.data.metrics,
            {"loss": 0.75, "loss_a": 1, "MAP_5": 2, "MAP_5_": 3, "h_d_1.5_": 4, "_x": 5,
             "result/loss": 0.25, "result_loss_a": 1, "result/MAP_5": 2, "result/MAP_5_": 3,
             "result/h_d_1.5_": 4, "result__x": 5, "result/test": 0.5},
        )
        self.export("tensorboard")
        events = EventAccumulator(str(self.folder / "out/named/trial-1"))
        events.Reload()
        last = {tag: events.Scalars(tag)[-1].value for tag in ("loss", "result/loss", "result/test")}
        self.assertEqual(last, {"loss": 0.75, "result/loss": 0.25, "result/test": 0.5})

    def test_a_python_without_the_library_is_told_what_to_install(self):
        bare = self.write("bare.sh", f"#!/bin/sh\nexec {sys.executable} -S -E \"$@\"\n")
        bare.chmod(0o755)  # without any installed package
        self.windrow(
            "export", "--format", "parquet", "--db", self.db, "--python", bare,
            "--to", self.folder / "out", expect=2,
        )
        self.assertIn("-m pip install pyarrow", self.err)


if __name__ == "__main__":
    unittest.main()
