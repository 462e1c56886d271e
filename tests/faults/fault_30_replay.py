"""Fault 30: a replay that is run twice, killed half way, or beside live traffic gives the state that would have been had the fix been there first."""

import random
import subprocess
import threading

from clinic import Node, Sender, main, source, traffic

CLASSES = ("I", "O", "I", "E", "R")  # two of five are not in the table


def test(weir):
    broken, fixed = source(weir.folder), source(weir.folder, ("E", "EMER"), ("R", 'AMB "recurring"'))
    sent = traffic(500, classes=CLASSES)
    straight = weir.path("straight.db")
    ledger = weir.take(fixed, sent, straight)["feeds"]["adt"]
    assert ledger["rejected"]["terminology"] == 0, ledger
    expected = weir.digest(straight)

    def hub_with_dead_letters(name, messages=sent):
        hub = weir.path(name)
        refused = weir.take(broken, messages, hub)["feeds"]["adt"]["rejected"]["terminology"]
        assert refused > 100 * len(messages) // 500, refused
        assert weir.digest(hub) != expected
        return hub, refused

    # Dry: names who is affected first, writes nothing. Wet. Twice.
    hub, refused = hub_with_dead_letters("twice.db")
    before = weir.digest(hub)
    plan = weir.json("hub", "replay", "--class", "terminology", "--kernel", fixed, "--hub", hub, "--dry-run")
    assert plan["messages"] == plan["accepted"] == refused and 20 < plan["patients"] <= refused, plan
    assert weir.digest(hub) == before
    done = weir.run("hub", "replay", "--class", "terminology", "--kernel", fixed, "--hub", hub)
    assert done.stderr.startswith(f"{plan['patients']} patients affected: {refused} messages to judge again"), done.stderr
    assert weir.digest(hub) == expected
    again = weir.json("hub", "replay", "--class", "terminology", "--kernel", fixed, "--hub", hub)
    assert again["messages"] == 0 and again["changed"] == 0, again
    assert weir.digest(hub) == expected
    now = weir.ledger(hub)
    assert {k: now[k] for k in now if k != "late"} == {k: ledger[k] for k in ledger if k != "late"}, (now, ledger)
    weir.sound(hub)
    # Another kernel over everything, and back: each is its own straight run.
    weir.run("hub", "replay", "--all", "--kernel", broken, "--hub", hub)
    assert weir.digest(hub) == before
    weir.run("hub", "backfill", "--from", "2024-01-01", "--to", "2025-01-01", "--kernel", fixed, "--hub", hub)
    assert weir.digest(hub) == expected
    weir.sound(hub)

    # Killed at random, again and again, until it is through.
    hub, _ = hub_with_dead_letters("killed.db")
    pick, kills = random.Random(30), 0
    # The first ones early, so that a fast machine is not through before it was killed.
    while not weir.kill_after(0.01 + pick.random() * 0.25 * min(1, kills / 10), "hub", "replay", "--batch", "3", "--kernel", fixed, "--hub", hub):
        kills += 1
        assert kills < 500
        if kills % 10 == 0:
            weir.sound(hub)
    assert kills > 3, kills
    assert weir.digest(hub) == expected, kills
    weir.sound(hub)

    # Beside a node that takes the rest of the traffic.
    hub, _ = hub_with_dead_letters("live.db", sent[:250])
    with Node([weir.weir, "serve", str(fixed)], "--hub", str(hub), "--mllp", "127.0.0.1:0") as node:
        replay = subprocess.Popen([weir.weir, "hub", "replay", "--batch", "2", "--kernel", str(fixed), "--hub", str(hub)], stderr=subprocess.PIPE)
        sender = Sender(node.ports["mllp"][0])
        for one in sent[250:]:
            answer = sender.ask(one)
            assert answer is not None and answer.code == "AA", answer
        assert replay.wait(120) == 0, replay.stderr.read()
        replay.stderr.close()
        assert weir.digest(hub) == expected
        # The node goes on after its visitor: what it is sent again are duplicates.
        assert sender.ask(sent[-1]).code == "AA"
        assert node.stop() == 0
    assert weir.digest(hub) == expected
    weir.sound(hub)


main(test)
