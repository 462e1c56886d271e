"""`serve` within TLS, and who may send what. Usage: tls_test.py WEIR NODE WARD ADT SAMPLES"""
import http.client
import json
import os
import pathlib
import random
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import unittest

import client
from certificates import Authority, wrapper
from client import Hub, Node, Sender, control_id, until

WEIR, NODE, WARD, ADT, SAMPLES = sys.argv[1:6]
del sys.argv[1:6]


def admit(identifier, mrn="42", sender="EAST"):
    return (f"MSH|^~\\&|SEND|{sender}|RECV|HOSP|20240101120000||ADT^A01^ADT_A01|{identifier}|P|2.5.1\rEVN|A01|20240101120000\r"
            f"PID|1||{mrn}{'^^^EAST^MR' if mrn else ''}||Doe^Jane||19800101|F\rPV1|1|I\r").encode()


class TlsTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.certificates = pathlib.Path(tempfile.mkdtemp())
        cls.addClassCleanup(shutil.rmtree, cls.certificates)
        cls.ours, cls.theirs, cls.next = (Authority(cls.certificates, name) for name in ("ours", "theirs", "next"))
        cls.server, cls.engine, cls.lab = (cls.ours.issue(name) for name in ("server", "engine", "lab"))

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp())
        self.addCleanup(shutil.rmtree, self.folder)
        self.hub = Hub(WEIR, self.folder / "serve.db")
        for name, source in (("certificate", self.server[0]), ("key", self.server[1]), ("client-ca", self.ours.certificate)):
            shutil.copy(source, self.folder / name)

    def serve(self, *options, package=WARD):
        node = Node([NODE, "serve", "--allow-unsigned", package, "--hub", self.hub.path], "--http", "127.0.0.1:0", "--mllp-tls", "127.0.0.1:0",
                    "--http-tls", "127.0.0.1:0", "--tls-certificate", self.folder / "certificate", "--tls-key", self.folder / "key",
                    "--tls-client-ca", self.folder / "client-ca", *options)
        self.addCleanup(node.__exit__)
        return node

    def clients(self, *entries):
        path = self.folder / "clients.json"
        path.write_text(json.dumps({"clients": entries}))
        return "--clients", path

    def sender(self, node, leaf, authority=None, **more):
        sender = Sender(node.ports["mllp-tls"][0], wrap=wrapper(authority or self.ours, leaf), **more)
        self.addCleanup(sender.close)
        return sender

    def refused(self, node, wrap):
        """Whether the node ends the conversation: in the handshake, or (TLS 1.3) before it says a word."""
        try:
            with Sender(node.ports["mllp-tls"][0], wrap=wrap) as sender:
                return sender.ask(admit("REFUSED")) is None
        except (ssl.SSLError, ConnectionError):
            return True

    def metric(self, node, line):
        connection = http.client.HTTPConnection("127.0.0.1", node.ports["http"][0], timeout=30)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        return next((float(row.rsplit(" ", 1)[1]) for row in text.splitlines() if row.startswith(line + " ")), 0)

    def refusals(self, node, reason):
        return self.metric(node, f'weir_connections_refused_total{{reason="{reason}"}}')

    def post(self, node, body, port="http-tls", leaf=None, path="/feeds/ward", **headers):
        connection = http.client.HTTPConnection("127.0.0.1", node.ports[port][0], timeout=30)
        if port == "http-tls":
            connection.connect()
            connection.sock = wrapper(self.ours, leaf)(connection.sock)
        try:
            connection.request("POST", path, body, headers)
            response = connection.getresponse()
            return response.status, response.read().decode()
        finally:
            connection.close()

    def test_samples_within_tls_are_what_run_makes_of_them(self):
        messages = [message for _, message in client.messages_of(SAMPLES) if client.is_answered(message)]
        draw = random.Random(7)

        def chunks(data):
            while data:
                size = draw.choice((1, 5, 100, 5000))
                yield data[:size]
                data = data[size:]
        with self.serve(package=ADT) as node:
            senders = [self.sender(node, self.engine, chunks=chunks) for _ in range(3)]
            for i, message in enumerate(messages):
                self.assertEqual(senders[i % 3].ask(message).control_id, control_id(message))
            senders[0].write(b"".join(client.START + admit(f"M{i}") + client.END for i in range(2000)))
            self.assertEqual([senders[0].receive().control_id for _ in range(2000)], [f"M{i}" for i in range(2000)])
            self.assertEqual(node.stop(), 0)
        (self.folder / "all.hl7").write_bytes(b"".join(messages) + b"".join(admit(f"M{i}") for i in range(2000)))
        run = Hub(WEIR, self.folder / "run.db")
        subprocess.run([NODE, "run", "--allow-unsigned", ADT, "--in", self.folder / "all.hl7", "--hub", run.path], check=True, capture_output=True)
        self.assertEqual((self.hub.digest(), self.hub.totals()), (run.digest(), run.totals()))

    def test_a_handshake_byte_by_byte(self):
        with self.serve() as node, socket.create_connection(("127.0.0.1", node.ports["mllp-tls"][0]), 10) as peer:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
            context.load_verify_locations(self.ours.certificate)
            context.load_cert_chain(*self.engine)
            incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
            tls = context.wrap_bio(incoming, outgoing, server_hostname="localhost")

            def until_done(step):
                while True:
                    try:
                        result = step()
                    except ssl.SSLWantReadError:
                        result = None
                    for byte in outgoing.read():
                        peer.sendall(bytes([byte]))
                    if result is not None:
                        return result
                    incoming.write(peer.recv(65536))
            until_done(lambda: tls.do_handshake() or True)
            until_done(lambda: tls.write(client.START + admit("B1") + client.END))
            self.assertIn(b"MSA|AA|B1", until_done(lambda: tls.read(65536)))
            node.stop()

    def test_who_is_refused(self):  # fault 43: no certificate, expired, another authority, old protocol, no TLS at all
        expired, foreign = self.ours.issue("expired", days=-1), self.theirs.issue("engine")
        with self.serve() as node:
            good = self.sender(node, self.engine)
            for reason, wrap in (("tls_no_certificate", wrapper(self.ours)), ("tls_expired", wrapper(self.ours, expired)),
                                 ("tls_unknown_authority", wrapper(self.ours, foreign)),
                                 ("tls_protocol", wrapper(self.ours, self.engine, ssl.TLSVersion.TLSv1_1)), ("tls_handshake", lambda plain: plain)):
                with self.subTest(reason):
                    self.assertTrue(self.refused(node, wrap))
                    until(lambda: self.refusals(node, reason) == 1, what=f"no metric for {reason}")
            self.assertEqual(good.ask(admit("G1")).code, "AA")  # the sessions that are there go on
            self.assertFalse(self.refused(node, wrapper(self.ours, self.engine, ssl.TLSVersion.TLSv1_2)))
            self.assertGreater(self.metric(node, "weir_certificate_expiry_timestamp_seconds"), 1.7e9)
            node.stop()
        self.assertEqual(self.hub.totals()["received"], 2)

    def test_a_client_without_a_word_is_closed(self):
        with self.serve("--stall-seconds", "0.5") as node, socket.create_connection(("127.0.0.1", node.ports["mllp-tls"][0]), 10) as peer:
            self.assertEqual(peer.recv(10), b"")
            self.assertEqual(self.refusals(node, "slow"), 1)
            node.stop()

    def test_certificates_rotate_under_load(self):  # fault 43
        with self.serve() as node:
            stop, answered, port = threading.Event(), [], node.ports["mllp-tls"][0]

            def send_on():
                with Sender(port, wrap=wrapper(self.ours, self.engine)) as sender:
                    while not stop.is_set():
                        answer = sender.ask(admit(f"L{len(answered)}", mrn=str(len(answered) % 100)))
                        if answer is None or answer.code != "AA":
                            return
                        answered.append(answer.control_id)
            load = threading.Thread(target=send_on)
            load.start()
            until(lambda: len(answered) > 50)

            certificate, key = self.next.issue("server")
            (self.folder / "certificate").write_bytes(b"not a certificate")
            node.process.send_signal(signal.SIGHUP)
            until(lambda: any("not taken" in line for line in node.lines))
            self.assertFalse(self.refused(node, wrapper(self.ours, self.engine)))  # the old one is kept
            self.assertEqual(self.metric(node, "weir_credentials_refused_total"), 1)

            for name, source in (("certificate", certificate), ("key", key), ("client-ca", self.next.certificate)):
                shutil.copy(source, self.folder / "new")
                os.replace(self.folder / "new", self.folder / name)
            node.process.send_signal(signal.SIGHUP)
            until(lambda: any("credentials taken" in line for line in node.lines))
            self.assertTrue(self.refused(node, wrapper(self.next, self.engine)))   # of the old authority
            self.assertTrue(self.refused(node, wrapper(self.ours, self.engine)))   # the server is another
            self.assertFalse(self.refused(node, wrapper(self.next, self.next.issue("engine"))))
            self.assertEqual(self.metric(node, "weir_credentials_reloads_total"), 1)
            before = len(answered)
            until(lambda: len(answered) > before + 50)  # the session from before goes on
            stop.set()
            load.join(30)
            self.assertEqual(node.stop(), 0)
        self.assertEqual(self.hub.totals()["received"], len(answered) + 2)  # and the two that showed a good certificate

    def test_files_that_change_are_seen_without_a_signal(self):
        with self.serve() as node:
            shutil.copy(self.next.certificate, self.folder / "client-ca")
            until(lambda: any("credentials taken" in line for line in node.lines), 20)
            self.assertTrue(self.refused(node, wrapper(self.ours, self.engine)))
            node.stop()

    def test_who_may_feed_what(self):
        (self.folder / "lab.key").write_text("0123456789abcdef-lab\n")
        options = self.clients({"name": "engine", "certificate": "dns:engine.example", "feeds": ["ward"]},
                               {"name": "lab", "bearer_file": "lab.key", "feeds": ["tell"]}, {"name": "local", "address": "127.0.0.1", "listeners": ["none"]})
        bearer = {"Authorization": "Bearer 0123456789abcdef-lab"}
        with self.serve(*options) as node:
            sender = self.sender(node, self.engine)
            self.assertEqual(sender.ask(admit("W1")).code, "AA")
            answer = sender.ask(admit("T1", sender="TELL"))  # the other feed
            self.assertEqual((answer.code, answer.error, answer.segments["ERR"][5]), ("AR", "207", "access/feed"))
            self.assertEqual(sender.ask(admit("W2", mrn="43")).code, "AA")
            self.assertEqual(self.metric(node, "weir_records_forbidden_total"), 1)
            self.assertTrue(self.refused(node, wrapper(self.ours, self.lab)))  # of our authority, but not on the list
            self.assertEqual(self.refusals(node, "not_allowed"), 1)

            self.assertEqual(self.post(node, admit("H1"))[0], 401)
            self.assertEqual(self.post(node, admit("H1"), port="http")[0], 401)
            self.assertEqual(self.post(node, admit("H1"), Authorization="Bearer 0123456789abcdef-laB")[0], 401)
            self.assertEqual(self.post(node, admit("H1"), leaf=self.engine)[0], 200)
            self.assertEqual(self.post(node, admit("H2", sender="TELL"), leaf=self.engine, path="/feeds/tell")[0], 403)
            self.assertEqual(self.post(node, admit("H3", sender="TELL"), path="/feeds/tell", **bearer)[0], 200)
            status, text = self.post(node, admit("H4", sender="TELL") + admit("H5"), path="/feeds/tell", **bearer)  # H5 is for the other feed
            self.assertEqual((status, [r["outcome"] for r in json.loads(text)["records"]]), (403, ["applied", "forbidden"]))
            # Refused before the body is sent.
            with socket.create_connection(("127.0.0.1", node.ports["http"][0]), 10) as peer:
                peer.sendall(b"POST /feeds/ward HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n")
                self.assertTrue(peer.recv(4096).startswith(b"HTTP/1.1 401 "))
            self.assertNotIn("0123456789", "\n".join(node.lines))

            # One who is taken off the list is not spoken with any more.
            self.clients({"name": "lab", "bearer_file": "lab.key"})
            node.process.send_signal(signal.SIGHUP)
            until(lambda: any("credentials taken" in line for line in node.lines))
            self.assertIsNone(sender.ask(admit("W3", mrn="44")))
            self.assertEqual(self.post(node, admit("H6"), leaf=self.engine)[0], 401)
            node.stop()
        self.assertEqual({name: feed["received"] for name, feed in self.hub.ledger().items()}, {"ward": 3, "tell": 2})

    def test_a_start_that_would_let_anyone_in_is_refused(self):
        command = [NODE, "serve", "--allow-unsigned", WARD, "--hub", self.hub.path, "--mllp-tls", "127.0.0.1:0"]
        own = ["--tls-certificate", self.folder / "certificate", "--tls-key", self.folder / "key"]
        (self.folder / "bad.json").write_text('{"clients": [{"name": "x", "feedz": []}]}')
        for options in ([], own, [*own[:2], "--tls-key", self.lab[1], "--tls-client-ca", self.folder / "client-ca"],
                        [*own, "--tls-client-ca", self.folder / "client-ca", "--clients", self.folder / "bad.json"],
                        [*own, "--tls-client-ca", self.folder / "client-ca", "--clients", self.folder / "none.json"]):
            done = subprocess.run([*command, *options], capture_output=True, timeout=30)
            self.assertNotEqual(done.returncode, 0, options)


if __name__ == "__main__":
    unittest.main()
