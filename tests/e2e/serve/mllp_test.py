"""`serve` over MLLP with the repository's samples, against `run` over the same messages in a file. Usage: mllp_test.py WEIR NODE WARD ADT SAMPLES

The sender is this process and keeps its own account of what was answered; the node is judged by that and by the hub's tools.
"""
import pathlib
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import client
from client import Hub, Node, Sender, control_id, until

WEIR, NODE, WARD, ADT, SAMPLES = sys.argv[1:6]
del sys.argv[1:6]

ADMIT = ("MSH|^~\\&|SEND|EAST|RECV|HOSP|20240101120000||ADT^A01^ADT_A01|{id}|{processing}|2.5.1{more}\rEVN|A01|20240101120000\r"
         "PID|1||{mrn}^^^EAST^MR||Doe^Jane||19800101|F\rPV1|1|I|||||||||||||||||V{mrn}\r")


def admit(identifier, mrn="42", processing="P", more="", **changes):
    text = ADMIT.format(id=identifier, mrn=mrn, processing=processing, more=more)
    for old, new in changes.items():
        text = text.replace(old, new)
    return text.encode()


def odd_chunks(seed):
    draw = random.Random(seed)

    def cut(data):
        at = 0
        while at < len(data):
            size = draw.choice((1, 2, 3, 7, 64, 500, 4000))
            yield data[at:at + size]
            at += size
    return cut


class MllpTest(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.hub = Hub(WEIR, self.folder / "serve.db")

    def serve(self, *options, env=None, preexec=None, package=WARD):
        node = Node([NODE, "serve", "--allow-unsigned", package, "--hub", self.hub.path], "--mllp", "127.0.0.1:0", *options, env=env, preexec=preexec)
        self.addCleanup(node.__exit__)
        return node

    def run_file(self, messages):
        """The hub that `run` makes of the same messages."""
        source = self.folder / "all.hl7"
        source.write_bytes(b"".join(messages))
        hub = Hub(WEIR, self.folder / "run.db")
        subprocess.run([NODE, "run", "--allow-unsigned", ADT, "--in", source, "--hub", hub.path], check=True, capture_output=True)
        return hub

    def samples(self):
        messages = [message for _, message in client.messages_of(SAMPLES) if client.is_answered(message)]
        self.assertGreater(len(messages), 50)
        return messages

    def test_samples_in_odd_chunks_are_what_run_makes_of_them(self):
        messages = self.samples()
        with self.serve(package=ADT) as node:
            senders = [Sender(node.ports["mllp"][0], odd_chunks(seed)) for seed in range(4)]
            for i, message in enumerate(messages):
                answer = senders[i % 4].ask(message)
                self.assertEqual(answer.control_id, control_id(message))
                self.assertIn(answer.code, ("AA", "AR", "CA", "CR"))
            self.assertEqual(node.stop(), 0)
        expected = self.run_file(messages)
        self.assertEqual(self.hub.totals(), expected.totals())
        self.assertEqual(self.hub.totals()["received"], len(messages))
        self.assertEqual(self.hub.digest(), expected.digest())
        self.assertTrue(self.hub.sound())

    def test_pipelined_frames_are_answered_in_order(self):  # fault 17: several frames in one segment, blanks between them
        with self.serve() as node, Sender(node.ports["mllp"][0]) as sender:
            count = 3000  # several batches
            sender.write(b"\r\n".join(client.START + admit(f"P{i}", mrn=str(i % 50)) + client.END for i in range(count)))
            answers = [sender.receive() for _ in range(count)]
            self.assertEqual([(a.code, a.control_id) for a in answers], [("AA", f"P{i}") for i in range(count)])
            self.assertEqual(node.stop(), 0)
        self.assertEqual(self.hub.totals()["applied"], count)

    def test_duplicates_have_one_effect_and_the_same_answer(self):  # faults 16 and 20
        with self.serve() as node, Sender(node.ports["mllp"][0]) as sender:
            for message, code in ((admit("D1"), "AA"), (admit("D2").replace(b"ADT^A01^ADT_A01", b"ORU^R01"), "AR")):
                answers = [sender.ask(message) for _ in range(200)]
                self.assertEqual({(a.code, a.error) for a in answers}, {(code, "" if code == "AA" else "200")})
            node.stop()
        totals = self.hub.totals()
        self.assertEqual((totals["received"], totals["applied"], totals["duplicate"], totals["rejected"]), (400, 1, 398, 1))

    def test_a_reused_control_id_is_a_new_event(self):  # fault 21
        with self.serve() as node, Sender(node.ports["mllp"][0]) as sender:
            self.assertEqual([sender.ask(admit("R1", mrn=m)).code for m in ("1", "2")], ["AA", "AA"])
            node.stop()
        self.assertEqual(self.hub.totals()["applied"], 2)
        self.assertEqual(sum(feed["key_reused"] for feed in self.hub.ledger().values()), 1)

    def test_kill_between_and_resend(self):  # faults 1 to 4
        messages = self.samples()
        draw = random.Random(20261123)
        answered, done = 0, 0
        points = ["pre_commit:1", "post_commit:1", "pre_answer:1", "post_answer:1", "pre_commit:9", "post_commit:9", "pre_answer:9",
                  "post_answer:9", None, None, None, None]
        for point in points:
            with self.serve(env={"WEIR_CRASH_AT": point} if point else {}, package=ADT) as node:
                with Sender(node.ports["mllp"][0], odd_chunks(done)) as sender:
                    for _ in range(draw.randrange(2, 12) if point is None else 100):
                        try:
                            sender.send(messages[done % len(messages)])  # unanswered ones again
                            answer = sender.receive()
                        except ConnectionError:
                            answer = None
                        if answer is None:
                            break
                        self.assertEqual(answer.control_id, control_id(messages[done % len(messages)]))
                        done += 1
                        answered += 1
                if point is None:
                    node.stop(signal.SIGKILL)
                self.assertEqual(node.process.wait(30), -signal.SIGKILL, point)
            # Whatever was answered is there, and at most the one unanswered message per death beside it.
            self.assertTrue(self.hub.sound())
            self.assertGreaterEqual(self.hub.totals()["received"], answered)
            self.assertLessEqual(self.hub.totals()["received"], answered + len(points))
        with self.serve(package=ADT) as node, Sender(node.ports["mllp"][0]) as sender:
            for message in messages:
                self.assertIsNotNone(sender.ask(message))
            node.stop()
        self.assertEqual(self.hub.digest(), self.run_file(messages).digest())

    def test_cut_connection_leaves_nothing(self):  # fault 15
        message = client.START + admit("C1") + client.END
        with self.serve() as node:
            for cut in range(1, len(message) - 1, 7):
                with Sender(node.ports["mllp"][0]) as sender:
                    sender.write(message[:cut])
            with Sender(node.ports["mllp"][0]) as sender:
                self.assertEqual(sender.ask(admit("C2")).code, "AA")
            node.stop()
        self.assertEqual(self.hub.totals()["received"], 1)

    def test_junk_is_accounted_for(self):  # faults 17 and 18: junk between frames, a missing end
        with self.serve() as node, Sender(node.ports["mllp"][0]) as sender:
            sender.write(b"noise" + client.START + admit("J1")[:60] + client.START + admit("J2") + client.END)
            answer = sender.receive()
            self.assertEqual((answer.code, answer.control_id), ("AA", "J2"))
            node.stop()
        totals = self.hub.totals()
        self.assertEqual((totals["received"], totals["applied"], totals["rejected"]), (3, 1, 2))

    def test_answers_of_what_the_sender_must_mend(self):  # fault 19
        cases = [(b"PID|1||1\r", "AR", "100", ""), (b"", "AR", "100", ""), (b"MSH\r", "AR", "100", ""),
                 (admit("T1", **{"ADT^A01^ADT_A01": "ORU^R01^ORU_R01"}), "AR", "200", "T1"),
                 (admit("T2", **{"ADT^A01^ADT_A01": "ADT^A60^ADT_A60"}), "AR", "201", "T2"),
                 (admit("T3", processing="T"), "AR", "202", "T3"),
                 (admit("T4", **{"PID|1||42^^^EAST^MR": "PID|1||"}), "AA", "", "T4"),  # a dead letter; its repair is ours
                 (admit("T5").replace(b"|", b"!").replace(b"^~\\&", b"@~\\&").replace(b"^", b"@"), "AA", "", "T5")]
        with self.serve() as node, Sender(node.ports["mllp"][0]) as sender:
            for message, code, error, identifier in cases:
                with self.subTest(identifier=identifier, error=error):
                    answer = sender.ask(message)
                    self.assertEqual((answer.code, answer.error, answer.control_id), (code, error, identifier))
            told = admit("T8", **{"|EAST|RECV": "|TELL|RECV", "PID|1||42^^^EAST^MR": "PID|1||"})
            for _ in range(2):  # `acknowledge errors`; the second is a duplicate and gets the stored answer
                answer = sender.ask(told)
                self.assertEqual((answer.code, answer.error, answer.control_id), ("AE", "207", "T8"))
            old = sender.ask(admit("T6", processing="T").replace(b"|2.5.1", b"|2.3"))
            self.assertEqual(old.segments["ERR"][1], "MSH^1^11^202&Unsupported processing id&HL70357")
            self.assertEqual(sender.ask(b"MSH|^~\\&|A|B|C|D|2024||ADT^A01|T7|P|2.5.1\r").segments["MSH"][2:6], ["C", "D", "A", "B"])
            node.stop()
        self.assertEqual(self.hub.totals()["received"], 11)  # the empty frame has no record

    def test_enhanced_mode(self):
        def ask(sender, accept, application, expected, **changes):
            sender.send(admit("E" + accept + application, more=f"|||{accept}|{application}", **changes))
            sender.send(admit("sentinel"))
            got = []
            while (answer := sender.receive()).control_id != "sentinel":
                got.append(answer.code)
            self.assertEqual(got, expected, (accept, application))

        unsupported = {"ADT^A01^ADT_A01": "ORU^R01^ORU_R01"}
        with self.serve() as node, Sender(node.ports["mllp"][0]) as sender:
            ask(sender, "AL", "NE", ["CA"])
            ask(sender, "AL", "AL", ["CA", "AA"])
            ask(sender, "NE", "AL", ["AA"])
            ask(sender, "ER", "ER", [])
            ask(sender, "SU", "SU", ["CA", "AA"])
            ask(sender, "AL", "", ["CA"])
            ask(sender, "AL", "AL", ["CR"], **unsupported)
            ask(sender, "ER", "ER", ["CR"], **unsupported)
            ask(sender, "SU", "SU", [], **unsupported)
            ask(sender, "", "AL", ["AR"], **unsupported)
            sender.send(b"MSH|^~\\&|A|B|C|D|2024||ACK^A01^ACK|1|P|2.5.1\rMSA|AA|77\r")  # never answered
            self.assertEqual(sender.ask(admit("after")).control_id, "after")
            node.stop()

    def test_a_batch_in_a_frame_is_answered_by_a_batch(self):
        with self.serve() as node, Sender(node.ports["mllp"][0]) as sender:
            sender.send(b"FHS|^~\\&\rBHS|^~\\&\r" + admit("B1") + admit("B2", mrn="43") + b"BTS|2\rFTS|1\r")
            while client.END not in sender.rest:
                sender.rest += sender.socket.recv(65536)
            text = sender.rest.decode()
            self.assertEqual([line for line in text.split("\r") if line.startswith("MSA")], ["MSA|AA|B1", "MSA|AA|B2"])
            self.assertTrue(text.startswith("\x0bBHS|^~\\&\r") and "\rBTS|2\r" in text, text)
            node.stop()
        self.assertEqual(self.hub.totals()["applied"], 2)

    def test_second_instance_is_refused(self):  # fault 14
        with self.serve():
            second = subprocess.run([NODE, "serve", "--allow-unsigned", WARD, "--hub", self.hub.path, "--mllp", "127.0.0.1:0"], capture_output=True, timeout=30)
            self.assertNotEqual(second.returncode, 0)

    def test_stop_under_load_keeps_every_answer(self):  # fault 46
        with self.serve() as node:
            port, answered = node.ports["mllp"][0], []
            with Sender(port) as sender:
                sender.write(b"".join(client.START + admit(f"L{i}", mrn=str(i)) + client.END for i in range(2000)))
                answered.append(sender.receive().control_id)
                node.process.send_signal(signal.SIGTERM)
                while (answer := sender.receive()) is not None:
                    answered.append(answer.control_id)
            self.assertEqual(node.process.wait(10), 0)
        self.assertEqual(answered, [f"L{i}" for i in range(len(answered))])
        self.assertEqual(self.hub.totals()["received"], len(answered))

    def test_nothing_of_a_message_is_logged(self):
        with self.serve() as node, Sender(node.ports["mllp"][0]) as sender:
            for message in (admit("SECRET1", mrn="SECRET2"), b"SECRET3", admit("SECRET4", processing="SECRET5")):
                sender.ask(message)
            node.stop()
            self.assertNotIn("SECRET", "\n".join(node.lines))


if __name__ == "__main__":
    unittest.main()
