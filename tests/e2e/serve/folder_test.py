"""`serve` over a watched folder. Usage: folder_test.py WEIR NODE WARD ADT SAMPLES"""
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

import client
from client import Hub, Node, until

WEIR, NODE, WARD, ADT, SAMPLES = sys.argv[1:6]
del sys.argv[1:6]


class FolderTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.hub = Hub(WEIR, self.folder / "serve.db")
        self.drop = self.folder / "drop"
        self.drop.mkdir()

    def serve(self, env=None):
        node = Node([NODE, "serve", "--allow-unsigned", ADT, "--hub", self.hub.path], "--http", "127.0.0.1:0", "--watch", str(self.drop), env=env)
        self.addCleanup(node.__exit__)
        return node

    def done(self):
        return sorted(p.name for p in (self.drop / "done").iterdir()) if (self.drop / "done").exists() else []

    def samples(self):
        return [p for p in sorted(pathlib.Path(SAMPLES).rglob("*")) if p.is_file()]

    def test_files_are_what_run_makes_of_them(self):
        samples = self.samples()
        names = [f"{i:03}_{p.name}" for i, p in enumerate(samples)]
        shutil.copy(samples[0], self.drop / names[0])  # there before the start
        with self.serve() as node:
            for sample, name in zip(samples[1:], names[1:]):
                shutil.copy(sample, self.drop / name)
            until(lambda: self.done() == names, 90, "not all files were taken")
            self.assertEqual(node.stop(), 0)
        run = Hub(WEIR, self.folder / "run.db")
        subprocess.run([NODE, "run", "--allow-unsigned", ADT, "--in", self.drop / "done", "--hub", run.path], check=True, capture_output=True)
        self.assertEqual((self.hub.digest(), self.hub.totals()), (run.digest(), run.totals()))
        self.assertTrue(self.hub.sound())

    def test_a_file_that_is_still_written_is_not_taken(self):
        message = client.messages_of(SAMPLES)[0][1]
        with self.serve() as node, open(self.drop / "slow.hl7", "wb") as out:
            for byte in range(0, len(message), len(message) // 8):
                out.write(message[byte:byte + len(message) // 8])
                out.flush()
                time.sleep(0.4)
                self.assertEqual(self.done(), [])
            out.close()
            (self.drop / ".hidden.hl7").write_bytes(message)
            until(lambda: self.done() == ["slow.hl7"])
            node.stop()
        self.assertEqual(self.hub.totals()["received"], 1)
        self.assertTrue((self.drop / ".hidden.hl7").exists())

    def test_a_name_that_comes_back_keeps_both_files(self):
        first, second = [m for _, m in client.messages_of(SAMPLES)[:2]]
        with self.serve() as node:
            (self.drop / "a.hl7").write_bytes(first)
            until(lambda: self.done() == ["a.hl7"])
            (self.drop / "a.hl7").write_bytes(second)
            until(lambda: len(self.done()) == 2)
            node.stop()
        self.assertEqual({p.read_bytes() for p in (self.drop / "done").iterdir()}, {first, second})

    def test_killed_around_commit_and_move(self):  # faults 1 to 3, for files
        messages = [m for _, m in client.messages_of(SAMPLES)]
        (self.drop / "all.hl7").write_bytes(b"".join(messages * 3))
        for point in ("pre_commit:1", "post_commit:1", "pre_rename:1"):
            with self.serve(env={"WEIR_CRASH_AT": point}) as node:
                self.assertEqual(node.process.wait(60), -signal.SIGKILL)
            self.assertEqual((self.done(), self.hub.sound()), ([], True))
        with self.serve(env={"WEIR_CRASH_AT": "post_rename"}) as node:
            self.assertEqual(node.process.wait(60), -signal.SIGKILL)
        self.assertEqual(self.done(), ["all.hl7"])
        run = Hub(WEIR, self.folder / "run.db")
        subprocess.run([NODE, "run", "--allow-unsigned", ADT, "--in", self.drop / "done", "--hub", run.path], check=True, capture_output=True)
        self.assertEqual(self.hub.digest(), run.digest())
        self.hub.totals()  # balanced


if __name__ == "__main__":
    unittest.main()
